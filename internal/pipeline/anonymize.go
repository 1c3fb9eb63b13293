package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"fhirdeid/anonymize"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/links"
	"fhirdeid/internal/risk"
	"fhirdeid/internal/storage"
	"fhirdeid/internal/telemetry"
)

// Anonymize de-identifies one raw file: raw → engine → verifier → staging,
// committed once and tied to the source's ETag. A name that is none of ours, or
// of a run that is over, is passed over: the host delivers events for any blob.
func (p *Pipeline) Anonymize(ctx context.Context, name string) error {
	file, ok := parseRawFile(name)
	if !ok {
		p.Log.InfoContext(ctx, EventForeignBlob)
		return nil
	}
	run, _, err := p.ledger().Run(ctx, file.Run)
	if errors.Is(err, ledger.ErrNoRun) {
		p.Log.WarnContext(ctx, EventFileUnknown, "run", file.Run)
		return nil
	}
	if err != nil {
		return err
	}
	if run.State != ledger.Fetching {
		return nil
	}
	source, err := p.Stores.Raw.Head(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // deleted since the event was sent
	}
	if err != nil {
		return fmt.Errorf("looking at the raw file %s: %w", name, err)
	}
	done, err := p.hasResult(ctx, run, name, source.ETag)
	if err != nil || done {
		return err
	}
	made, err := p.engine(ctx, run)
	var lasting *lastingError
	switch {
	case errors.As(err, &lasting):
		p.Log.ErrorContext(ctx, EventFileFailed, "run", run.ID, "output", file.Output, "piece", file.Piece, "type", file.Type, "code", lasting.code, "error", lasting.Error())
		if err := p.commitFailure(ctx, run, name, source, lasting.code); err != nil {
			return err
		}
		at := p.Now()
		p.Telemetry.Anonymized(ctx, run, telemetry.File{Output: file.Output, Piece: file.Piece, Type: file.Type, Failure: lasting.code, Began: at, Ended: at})
		return nil
	case err != nil:
		return err
	}
	return p.anonymizeFile(ctx, run, made, file, source)
}

// hasResult reports whether the file has a result for exactly this source.
func (p *Pipeline) hasResult(ctx context.Context, run *ledger.Run, name string, source storage.ETag) (bool, error) {
	info, err := p.Stores.Staging.Head(ctx, name)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for the result of %s: %w", name, err)
	}
	r, err := parseResult(info)
	if err != nil {
		return false, err
	}
	if r.SourceETag != source || r.PolicyHash != run.Policy.Hash {
		return false, fmt.Errorf("the result of %s is of other bytes or another policy, and stands in the way; `fhirdeid runs retry %s` removes it", name, run.ID)
	}
	return true, nil
}

// anonymizeFile does the work of one file.
func (p *Pipeline) anonymizeFile(ctx context.Context, run *ledger.Run, made *engine, file rawFile, source storage.Info) error {
	name := file.String()
	in, _, err := p.Stores.Raw.Open(ctx, name, source.ETag)
	if err != nil {
		return fmt.Errorf("opening the raw file %s: %w", name, err)
	}
	defer in.Close()
	out, err := p.Stores.Staging.Create(ctx, name)
	if err != nil {
		return fmt.Errorf("creating the result of %s: %w", name, err)
	}
	committed := false
	defer func() {
		if !committed {
			out.Abort()
		}
	}()
	bad := newQuarantine(ctx, p.Stores.Quarantine, name)
	defer bad.abort()
	lines := newRepeats(in)
	watch := &watch{checker: made.checker, alone: made.alone, links: links.NewFile(made.isType)}
	if made.cells != nil {
		watch.cells = risk.NewRows(made.cells)
	}
	began := p.Now()
	sum := sha256.New()

	stats, err := made.Stream(ctx, io.MultiWriter(out, sum), lines, anonymize.StreamOptions{
		Workers:    p.Workers,
		ChunkBytes: chunkBytes,
		FileName:   run.ID + ".ndjson",
		FolderName: run.ID,
		Check:      watch.check,
		Reject:     bad.add,
		Drops:      true,
	})
	if err != nil {
		return fmt.Errorf("de-identifying %s: %w", name, err)
	}
	if err := bad.commit(); err != nil {
		return err
	}
	r := newResult(run, source, stats, watch)
	r.Counts.Duplicates = lines.count
	r.SHA256 = hex.EncodeToString(sum.Sum(nil))
	r.Work = max(0, p.Now().Sub(began).Milliseconds())
	committed = true
	if err := p.commitResult(ctx, run, name, out, r); err != nil {
		return err
	}
	p.tellFile(ctx, run, file, r, began)
	return nil
}

// chunkBytes is how much a worker takes at a time. There are two chunks for each
// worker, with results that may be several times as long: small chunks keep a
// file's memory below 64 MiB.
const chunkBytes = 256 << 10

// commitResult commits the output with its result. Where another writer was
// first, what is there decides.
func (p *Pipeline) commitResult(ctx context.Context, run *ledger.Run, name string, out storage.Writer, r result) error {
	meta := r.metadata()
	if meta["details"] == detailsElsewhere {
		if err := p.ledger().PutDetails(ctx, run.ID, detailsKey(name), r.Details); err != nil {
			out.Abort()
			return err
		}
	}
	for kind, rows := range r.rows() {
		if err := p.ledger().PutRows(ctx, run.ID, kind, detailsKey(name), rows); err != nil {
			out.Abort()
			return err
		}
	}
	_, err := out.Commit(ctx, storage.PutOptions{If: storage.IfAbsent(), Metadata: meta, ContentType: "application/fhir+ndjson"})
	if errors.Is(err, storage.ErrCondition) {
		done, err := p.hasResult(ctx, run, name, r.SourceETag)
		if err == nil && !done {
			err = fmt.Errorf("committing the result of %s: the storage refused it, yet there is none", name)
		}
		return err
	}
	if err != nil {
		return fmt.Errorf("committing the result of %s: %w", name, err)
	}
	return nil
}

// commitFailure writes a lasting fault as the file's result, with no content.
func (p *Pipeline) commitFailure(ctx context.Context, run *ledger.Run, name string, source storage.Info, code string) error {
	out, err := p.Stores.Staging.Create(ctx, name)
	if err != nil {
		return fmt.Errorf("creating the result of %s: %w", name, err)
	}
	r := result{SourceETag: source.ETag, PolicyHash: run.Policy.Hash, Failure: code, Linked: -1}
	r.Counts.BytesIn = source.Size
	return p.commitResult(ctx, run, name, out, r)
}

func newResult(run *ledger.Run, source storage.Info, stats anonymize.Stats, w *watch) result {
	r := result{
		SourceETag: source.ETag,
		PolicyHash: run.Policy.Hash,
		Counts: ledger.Counts{
			Lines: stats.Lines, Written: stats.Written, Dropped: stats.Dropped, Quarantined: stats.Rejected,
			BytesIn: source.Size, BytesOut: stats.BytesOut,
		},
		Hard: w.hard,
		Soft: w.soft,
		Details: ledger.Details{
			Types:      make(map[string]*ledger.Counts, len(stats.Types)),
			Methods:    stats.Methods,
			Quarantine: stats.Reasons,
			Findings:   w.findings,
		},
	}
	r.Details.AddDrops(ledger.Drops(stats.Drops))
	if w.cells != nil {
		r.Cells, r.Patients = w.cells.Bytes(), w.cells.Count()
	}
	r.Links, r.Linked = w.links.Bytes(), w.links.Count()
	for name, t := range stats.Types {
		r.Details.Types[name] = &ledger.Counts{Lines: t.Lines, Written: t.Written, Dropped: t.Dropped, Quarantined: t.Rejected}
	}
	return r
}

// detailsKey is the part of a file's name behind its run.
func detailsKey(name string) string {
	f, _ := parseRawFile(name)
	return name[len(f.Run)+1:]
}
