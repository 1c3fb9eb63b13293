package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

const (
	// copyTime is how long one tick copies before it leaves the rest to the
	// next.
	copyTime = time.Minute
	// cleanupTime is the same for deleting.
	cleanupTime = time.Minute
	// maxCleanup is how many ticks may fail to delete what is no longer needed;
	// lifecycle rules are the back stop.
	maxCleanup = 5
)

// releasing is the step of the releasing stage: copy staging to research in
// batches, publish, clean up. A run without a manifest in research is not
// released, so a release is whole or not there.
func (b *beat) releasing(ctx context.Context) error {
	if b.run.Release.Published {
		return b.cleanUp(ctx)
	}
	v, err := b.survey(ctx, b.run)
	if err != nil {
		return err
	}
	if !v.complete() {
		return fmt.Errorf("run %s was complete, and now a result is missing in staging", b.run.ID)
	}
	files := releaseFiles(b.run, v)
	missing, err := b.missingInResearch(ctx, files)
	if err != nil {
		return err
	}
	b.run.Release.Files = len(files)
	b.pause = 0
	if len(missing) > 0 {
		copied, err := b.copyFiles(ctx, missing)
		b.run.Fetch.Progress.Copied = len(files) - len(missing) + copied
		if err != nil || copied < len(missing) {
			return err
		}
	}
	if !b.run.Release.Publishing {
		// Saved first: an order to cancel that came before makes this fail, and
		// one that comes later is refused.
		b.run.Release.Publishing = true
		if err := b.save(ctx); err != nil {
			return err
		}
	}
	if err := b.publish(ctx, files); err != nil {
		return err
	}
	b.run.Release.Published = true
	b.run.Release.PublishedAt = b.now
	return nil
}

// releaseFile is one file of a release.
type releaseFile struct {
	// Name is the blob's name in research.
	Name string
	// Staged is its name in staging, with the ETag that was surveyed.
	Staged string
	ETag   storage.ETag
	Type   string
	Lines  int64
	Bytes  int64
	SHA256 string
}

// releaseFiles lists the files that a release has. A type with one file is
// called by its name alone; files without a line are left out.
func releaseFiles(run *ledger.Run, v *survey) []releaseFile {
	perType := make(map[string]int)
	each := func(visit func(f *fetchedEntry, index, piece int)) {
		for index := range v.fetched[:run.Manifest.Outputs] {
			f := &v.fetched[index]
			for piece := range f.results {
				if f.results[piece].Counts.Written > 0 {
					visit(f, index, piece)
				}
			}
		}
	}
	each(func(f *fetchedEntry, _, _ int) { perType[f.summary.Type]++ })
	var files []releaseFile
	number := make(map[string]int)
	each(func(f *fetchedEntry, index, piece int) {
		typ, r := f.summary.Type, &f.results[piece]
		number[typ]++
		name := typ + ".ndjson"
		if perType[typ] > 1 {
			name = fmt.Sprintf("%s.%04d.ndjson", typ, number[typ])
		}
		files = append(files, releaseFile{
			Name:   run.ID + "/" + name,
			Staged: rawFile{Run: run.ID, Type: typ, Output: index, Attempt: f.summary.Attempt, Piece: piece}.String(),
			ETag:   r.ETag,
			Type:   typ,
			Lines:  r.Counts.Written,
			Bytes:  r.Counts.BytesOut,
			SHA256: r.SHA256,
		})
	})
	return files
}

// missingInResearch lists what is still to be copied. A file of that name with
// other content is nothing this run wrote.
func (b *beat) missingInResearch(ctx context.Context, files []releaseFile) ([]releaseFile, error) {
	there := make(map[string]string)
	for info, err := range b.Stores.Research.List(ctx, b.run.ID+"/") {
		if err != nil {
			return nil, fmt.Errorf("listing the release of run %s: %w", b.run.ID, err)
		}
		there[info.Name] = info.Metadata["sha256"]
	}
	var missing []releaseFile
	for _, f := range files {
		sum, ok := there[f.Name]
		if ok && sum != f.SHA256 {
			return nil, fmt.Errorf("research has a file %s that is not of this run", f.Name)
		}
		if !ok {
			missing = append(missing, f)
		}
	}
	return missing, nil
}

// copyFiles copies until all are there or the time of one tick is over. Each
// copy is tied to the ETag that was surveyed: what is copied is what was
// verified.
func (b *beat) copyFiles(ctx context.Context, files []releaseFile) (copied int, err error) {
	parallel := max(b.CopyParallel, 1)
	until := b.Now().Add(copyTime)
	for start := 0; start < len(files) && b.Now().Before(until); start += parallel {
		batch := files[start:min(start+parallel, len(files))]
		if err := together(ctx, batch, b.copyFile); err != nil {
			return copied, err
		}
		copied += len(batch)
	}
	return copied, nil
}

// together does something to each of a batch at once. A batch of one is done in
// the caller's goroutine.
func together[T any](ctx context.Context, batch []T, do func(context.Context, T) error) error {
	if len(batch) == 1 {
		return do(ctx, batch[0])
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, item := range batch {
		g.Go(func() error { return do(ctx, item) })
	}
	return g.Wait()
}

func (b *beat) copyFile(ctx context.Context, f releaseFile) error {
	_, err := b.Stores.Research.Copy(ctx, b.Stores.Staging, f.Staged, f.ETag, f.Name, storage.PutOptions{
		If:          storage.IfAbsent(),
		Metadata:    map[string]string{"sha256": f.SHA256},
		ContentType: "application/fhir+ndjson",
	})
	if errors.Is(err, storage.ErrCondition) {
		info, headErr := b.Stores.Research.Head(ctx, f.Name)
		if headErr == nil && info.Metadata["sha256"] == f.SHA256 {
			return nil // a double of this tick was first
		}
	}
	if err != nil {
		return fmt.Errorf("copying %s to research: %w", f.Staged, err)
	}
	return nil
}

// cleanUp deletes what a released run no longer needs, over as many ticks as it
// takes, then ends the run. What cannot be deleted is left to the lifecycle
// rules.
func (b *beat) cleanUp(ctx context.Context) error {
	until := b.Now().Add(cleanupTime)
	done, err := b.deleteFrom(ctx, until, b.Stores.Raw, b.Stores.Staging)
	if err == nil && done {
		done, err = b.deleteRows(ctx, until)
	}
	if err != nil {
		b.run.Release.Cleanup++
		b.note(ctx, "cleanup-failed", "What the run no longer needs could not be deleted: "+err.Error())
		if b.run.Release.Cleanup < maxCleanup {
			return nil
		}
	} else if !done {
		b.pause = 0
		return nil
	}
	if !b.run.Kickoff.Deleted {
		b.giveUpExport(ctx) // Bulk Data: "the client is done, the server may delete its files"
	}
	b.run.Reasons = nil
	b.run.Enter(ledger.Released, b.now)
	return b.writeReport(ctx)
}

// deleteFrom deletes what the run has in the containers, until an instant where
// one is given. done is false where something is left.
func (b *beat) deleteFrom(ctx context.Context, until time.Time, containers ...storage.Container) (done bool, err error) {
	for _, c := range containers {
		if done, err = b.deletePrefix(ctx, until, c, b.run.ID+"/"); err != nil || !done {
			return false, err
		}
	}
	return true, nil
}

// deletePrefix deletes the blobs whose names begin so, as deleteFrom does.
func (b *beat) deletePrefix(ctx context.Context, until time.Time, c storage.Container, prefix string) (done bool, err error) {
	var batch []string
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		if err := together(ctx, batch, c.Delete); err != nil {
			return fmt.Errorf("deleting from the container %s: %w", c.Name(), err)
		}
		batch = batch[:0]
		return nil
	}
	for info, err := range c.List(ctx, prefix) {
		if err != nil {
			return false, fmt.Errorf("listing the container %s: %w", c.Name(), err)
		}
		if !until.IsZero() && !b.Now().Before(until) {
			return false, nil
		}
		if batch = append(batch, info.Name); len(batch) < max(b.CopyParallel, 1) {
			continue
		}
		if err := flush(); err != nil {
			return false, err
		}
	}
	return true, flush()
}
