package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"fhirdeid/internal/storage"
)

// Ledger reads and writes records in a container. It holds no state and is safe
// for concurrent use.
type Ledger struct{ c storage.Container }

// New returns the ledger kept in a container.
func New(c storage.Container) *Ledger { return &Ledger{c: c} }

// maxSwaps bounds the tries of a compare-and-swap. Each lost try means that
// somebody else won one, so it is never reached by contention alone.
const maxSwaps = 50

// ErrNoRun says that the ledger has no such run.
var ErrNoRun = errors.New("there is no such run in the ledger")

// Run reads a run and the ETag to swap it with. The error is ErrNoRun when
// there is none.
func (l *Ledger) Run(ctx context.Context, id string) (*Run, storage.ETag, error) {
	r := new(Run)
	etag, err := l.get(ctx, runName(id), r)
	if isNotFound(err) {
		return nil, "", ErrNoRun
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading run %s: %w", id, err)
	}
	return r, etag, nil
}

// CreateRun writes the record of a new run. storage.ErrCondition means that it
// exists.
func (l *Ledger) CreateRun(ctx context.Context, r *Run) error {
	if _, err := l.put(ctx, runName(r.ID), r, storage.PutOptions{If: storage.IfAbsent()}); err != nil {
		return fmt.Errorf("creating run %s: %w", r.ID, err)
	}
	return nil
}

// SwapRun writes a run if it is still as read and returns its new ETag.
// storage.ErrCondition means that somebody else was first.
func (l *Ledger) SwapRun(ctx context.Context, r *Run, was storage.ETag) (storage.ETag, error) {
	etag, err := l.put(ctx, runName(r.ID), r, storage.PutOptions{If: storage.IfMatch(was)})
	if err != nil {
		return "", fmt.Errorf("writing run %s: %w", r.ID, err)
	}
	return etag, nil
}

// UpdateRun changes a run by compare-and-swap, again and again until it wins.
// change returns false when there is nothing to do, or an error to give up.
func (l *Ledger) UpdateRun(ctx context.Context, id string, change func(*Run) (bool, error)) (*Run, error) {
	for range maxSwaps {
		r, etag, err := l.Run(ctx, id)
		if err != nil {
			return nil, err
		}
		changed, err := change(r)
		if err != nil || !changed {
			return r, err
		}
		_, err = l.SwapRun(ctx, r, etag)
		if !isLost(err) {
			return r, err
		}
	}
	return nil, fmt.Errorf("writing run %s: %d others were first", id, maxSwaps)
}

// PutDetails writes the details of a file. The same file done twice has the
// same details, so they may be written again.
func (l *Ledger) PutDetails(ctx context.Context, run, file string, d Details) error {
	if _, err := l.put(ctx, detailsName(run, file), d, storage.PutOptions{}); err != nil {
		return fmt.Errorf("writing the details of file %s: %w", file, err)
	}
	return nil
}

// Details reads the details of a file.
func (l *Ledger) Details(ctx context.Context, run, file string) (Details, error) {
	var d Details
	if _, err := l.get(ctx, detailsName(run, file), &d); err != nil {
		return d, fmt.Errorf("reading the details of file %s: %w", file, err)
	}
	return d, nil
}

// PutReport writes a form of the run's report; ext is "json" or "html".
func (l *Ledger) PutReport(ctx context.Context, run, ext string, data []byte) error {
	contentType := "application/json"
	if ext == "html" {
		contentType = "text/html; charset=utf-8"
	}
	if _, err := l.c.Put(ctx, ReportName(run, ext), data, storage.PutOptions{ContentType: contentType}); err != nil {
		return fmt.Errorf("writing the report of run %s: %w", run, err)
	}
	return nil
}

// ReportName is the name of a run's report in the ledger container.
func ReportName(run, ext string) string { return "runs/" + run + "/report." + ext }

func (l *Ledger) get(ctx context.Context, name string, into any) (storage.ETag, error) {
	data, info, err := l.c.Get(ctx, name)
	if err != nil {
		return "", err
	}
	if json.Unmarshal(data, into) != nil {
		return "", fmt.Errorf("the record %s is not what this version writes", name)
	}
	return info.ETag, nil
}

func (l *Ledger) put(ctx context.Context, name string, record any, o storage.PutOptions) (storage.ETag, error) {
	data, err := json.Marshal(record)
	if err != nil {
		return "", err
	}
	o.ContentType = "application/json"
	return l.c.Put(ctx, name, data, o)
}

func runName(id string) string            { return "runs/" + id + "/run.json" }
func detailsName(run, file string) string { return "runs/" + run + "/details/" + file + ".json" }

func isNotFound(err error) bool { return errors.Is(err, storage.ErrNotFound) }
func isLost(err error) bool     { return errors.Is(err, storage.ErrCondition) }
