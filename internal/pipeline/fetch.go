package pipeline

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// maxTries is how often a fetch asks for itself again after a passing fault.
// After that the heartbeat starts the chain anew when it has stood still.
const maxTries = 8

// countTries is how often an output whose lines differ from the manifest's
// count is fetched before that is taken for the truth.
const countTries = 3

// errOver ends a fetch of a run that has ended meanwhile.
var errOver = errors.New("the run is over")

// Fetch streams one entry of the manifest into raw files and records which
// attempt counts. The one caller whose record is created sends the next entry
// of the chain; so a message delivered twice does not double the chain.
//
// redelivered says that the host delivers this message again: an earlier
// delivery may have died between its record and its next message.
func (p *Pipeline) Fetch(ctx context.Context, m FetchOutput, redelivered bool) error {
	run, _, err := p.ledger().Run(ctx, m.Run)
	if errors.Is(err, ledger.ErrNoRun) {
		p.Log.WarnContext(ctx, EventFetchUnknown, "run", m.Run)
		return nil
	}
	if err != nil {
		return err
	}
	if run.State != ledger.Fetching || m.Output >= run.Manifest.Entries() {
		return nil
	}
	if _, cancelled := run.Ordered(ledger.OrderCancel); cancelled {
		return nil
	}
	there, err := p.ledger().HasFetched(ctx, run.ID, m.Output)
	if err != nil {
		return err
	}
	if there {
		if redelivered {
			return p.fetchNext(ctx, run, m.Output)
		}
		return nil
	}
	began := p.Now()
	fetched, err := p.fetchEntry(ctx, run, m)
	switch {
	case err == nil:
		return p.recordFetched(ctx, run, fetched, began)
	case errors.Is(err, errOver):
		return nil
	case isGone(err):
		return p.askForNewLinks(ctx, run)
	case lasting(err):
		p.Log.ErrorContext(ctx, EventOutputRefused, "run", run.ID, "output", m.Output, "error", err.Error())
		return p.recordFetched(ctx, run, &ledger.Fetched{Output: m.Output, Type: fetched.Type, Expected: fetched.Expected, Failure: failureCode(err)}, began)
	}
	p.Log.WarnContext(ctx, EventFetchRetried, "run", run.ID, "output", m.Output, "try", m.Try, "error", err.Error())
	if m.Try >= maxTries {
		return nil
	}
	m.Try++
	wait := time.Duration(m.Try) * run.Settings.PollInterval
	var e *bulkdata.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		wait = e.RetryAfter
	}
	return send(ctx, p.Queues.Fetch, m, min(p.jitter(wait), maxPause))
}

// recordFetched creates the record and, if it is ours, sends the chain on.
func (p *Pipeline) recordFetched(ctx context.Context, run *ledger.Run, f *ledger.Fetched, began time.Time) error {
	err := p.ledger().CreateFetched(ctx, run.ID, f)
	if errors.Is(err, storage.ErrCondition) {
		// Another attempt counts, and has sent the next; or this one does, and
		// only the answer to the write was lost.
		there, readErr := p.ledger().Fetched(ctx, run.ID, f.Output)
		if readErr != nil || there.Attempt != f.Attempt {
			return readErr
		}
	} else if err != nil {
		return err
	}
	ended := p.Now()
	p.Log.InfoContext(ctx, EventOutputFetched, "run", run.ID, "output", f.Output, "type", f.Type, "files", len(f.Files), "lines", f.Lines, "bytes", f.Bytes, "seconds", ended.Sub(began))
	p.Telemetry.Fetched(ctx, run, f, began, ended)
	return p.fetchNext(ctx, run, f.Output)
}

func (p *Pipeline) fetchNext(ctx context.Context, run *ledger.Run, output int) error {
	next := output + len(run.Fetch.Chains)
	if next >= run.Manifest.Entries() {
		return nil
	}
	return send(ctx, p.Queues.Fetch, FetchOutput{Run: run.ID, Output: next}, 0)
}

// fetchEntry streams an entry. On an error the record still says which entry it
// was.
func (p *Pipeline) fetchEntry(ctx context.Context, run *ledger.Run, m FetchOutput) (*ledger.Fetched, error) {
	fetched := &ledger.Fetched{Output: m.Output, Expected: -1}
	e, err := p.entry(ctx, run, m.Output)
	if err != nil {
		return fetched, err
	}
	fetched.Type, fetched.Expected = e.Type, e.Count
	if e.Kind == errorEntry {
		fetched.Expected = -1
		return fetched, p.fetchErrors(ctx, run, e, fetched)
	}
	body, err := p.Exporter.Open(ctx, bulkdata.File{URL: e.URL, RequiresAccessToken: e.RequiresAccessToken})
	if err != nil {
		return fetched, err
	}
	defer body.Close()
	fetched.Attempt = p.newAttempt()
	if err := p.storePieces(ctx, run, fetched, body); err != nil {
		return fetched, err
	}
	if fetched.Expected >= 0 && fetched.Lines != fetched.Expected && m.Try+1 < countTries {
		return fetched, &bulkdata.Error{Op: "reading an output whose lines differ from the manifest's count", Kind: bulkdata.Transient}
	}
	return fetched, nil
}

// storePieces cuts the stream into files at line ends and stores each as it
// closes.
func (p *Pipeline) storePieces(ctx context.Context, run *ledger.Run, fetched *ledger.Fetched, body io.Reader) error {
	cutter := newCutter(body, run.Settings.FileBytes)
	for cutter.Next() {
		name := rawFile{Run: run.ID, Type: fetched.Type, Output: fetched.Output, Attempt: fetched.Attempt, Piece: len(fetched.Files)}
		if len(fetched.Files) > 0 {
			if err := p.stillFetching(ctx, run.ID); err != nil {
				return err
			}
		}
		w, err := p.Stores.Raw.Create(ctx, name.String())
		if err != nil {
			return fmt.Errorf("creating the raw file %s: %w", name, err)
		}
		piece, err := cutter.Copy(w)
		if err != nil {
			w.Abort()
			return fmt.Errorf("fetching into the raw file %s: %w", name, err)
		}
		etag, err := w.Commit(ctx, storage.PutOptions{If: storage.IfAbsent(), ContentType: "application/fhir+ndjson"})
		if err != nil {
			return fmt.Errorf("committing the raw file %s: %w", name, err)
		}
		fetched.Files = append(fetched.Files, ledger.RawFile{ETag: etag, Lines: piece.Lines, Bytes: piece.Bytes})
		fetched.Lines += piece.Lines
		fetched.Bytes += piece.Bytes
	}
	if err := cutter.Err(); err != nil {
		return fmt.Errorf("fetching output %d: %w", fetched.Output, err)
	}
	return nil
}

// stillFetching ends a long fetch when the run is over, between two pieces.
func (p *Pipeline) stillFetching(ctx context.Context, id string) error {
	run, _, err := p.ledger().Run(ctx, id)
	if err != nil {
		return err
	}
	if _, cancelled := run.Ordered(ledger.OrderCancel); cancelled || run.State != ledger.Fetching {
		return errOver
	}
	return nil
}

// newAttempt names an attempt at random, so that two attempts at the same
// output never write the same file.
func (p *Pipeline) newAttempt() string {
	var b [4]byte
	p.Random(b[:])
	return hex.EncodeToString(b[:])
}

// askForNewLinks tells the heartbeat that the manifest's links have expired. It
// reads the manifest again and starts the chains anew.
func (p *Pipeline) askForNewLinks(ctx context.Context, run *ledger.Run) error {
	read := run.Manifest.Refreshed
	_, err := p.ledger().UpdateRun(ctx, run.ID, func(r *ledger.Run) (bool, error) {
		if r.State != ledger.Fetching || r.Manifest.Refresh || r.Manifest.Refreshed != read {
			return false, nil
		}
		r.Manifest.Refresh = true
		return true, nil
	})
	return err
}

func isGone(err error) bool {
	var e *bulkdata.Error
	return errors.As(err, &e) && e.Kind == bulkdata.Gone
}

// failureCode is the code of a fetch that another try cannot mend.
func failureCode(err error) string {
	var e *bulkdata.Error
	if errors.As(err, &e) {
		switch e.Kind {
		case bulkdata.Refused:
			return "url-refused"
		case bulkdata.Denied:
			return "access-denied"
		}
	}
	return "unreadable-output"
}
