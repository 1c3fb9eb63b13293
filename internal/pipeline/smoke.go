package pipeline

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// Smoke is a look whether an installation works from raw to staging.
type Smoke struct {
	// Lines are generated Patient resources, one a line.
	Lines []byte
	// Events says that blob events are set up: the file has to come to the function
	// by one. Otherwise it is sent by a message, as the heartbeat would.
	Events bool
	// Wait is how long to wait for the result.
	Wait time.Duration
	// Pause waits a while, or until the context ends.
	Pause func(context.Context, time.Duration) error
}

// ErrNoResult says that the function app made no result of the smoke test's file
// in time.
var ErrNoResult = errors.New("no result came")

// smokePause is the pause between two looks for the result.
const smokePause = 2 * time.Second

// RunSmoke writes a small file as one of a run of its own, waits until the
// function app has de-identified it under the policy and keys of the installation,
// looks at the result, and removes all of it again. The run takes no scope and has
// no heartbeat, so nothing but the event, or the message, can bring the file to
// the function; and the function refuses content, so a result is proof that the
// event brought a reference. It returns how the lines were accounted for.
func (p *Pipeline) RunSmoke(ctx context.Context, s Smoke) (ledger.Counts, error) {
	now := p.Now()
	run, err := p.plan(ctx, now.UTC().Format(runFormat)+"-smoke", now)
	if err != nil {
		return ledger.Counts{}, err
	}
	run.Enter(ledger.Fetching, now)
	var attempt [4]byte
	p.Random(attempt[:])
	name := rawFile{Run: run.ID, Type: "Patient", Attempt: hex.EncodeToString(attempt[:])}.String()

	// What the smoke test leaves must not depend on how it ends.
	defer p.removeSmoke(context.WithoutCancel(ctx), run.ID)
	if err := p.ledger().CreateRun(ctx, run); err != nil {
		return ledger.Counts{}, fmt.Errorf("recording the smoke test: %w", err)
	}
	if _, err := p.Stores.Raw.Put(ctx, name, s.Lines, storage.PutOptions{ContentType: "application/fhir+ndjson"}); err != nil {
		return ledger.Counts{}, fmt.Errorf("writing the file of the smoke test: %w", err)
	}
	if !s.Events {
		if err := send(ctx, p.Queues.Retry, RetryFile{Run: run.ID, File: name}, 0); err != nil {
			return ledger.Counts{}, err
		}
	}
	r, err := p.awaitSmoke(ctx, s, name, now.Add(s.Wait))
	if err != nil {
		return ledger.Counts{}, err
	}
	return r.Counts, checkSmoke(r, int64(bytes.Count(s.Lines, []byte{'\n'})))
}

func (p *Pipeline) awaitSmoke(ctx context.Context, s Smoke, name string, until time.Time) (result, error) {
	for {
		info, err := p.Stores.Staging.Head(ctx, name)
		if err == nil {
			return parseResult(info)
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return result{}, fmt.Errorf("looking for the result of the smoke test: %w", err)
		}
		if p.Now().After(until) {
			return result{}, ErrNoResult
		}
		if err := s.Pause(ctx, smokePause); err != nil {
			return result{}, err
		}
	}
}

// checkSmoke looks whether the result is what generated patients come to.
func checkSmoke(r result, lines int64) error {
	c := r.Counts
	switch {
	case r.Failure != "":
		return fmt.Errorf("the file could not be de-identified: %s", r.Failure)
	case c.Lines != lines || c.Lines != c.Written+c.Dropped+c.Quarantined:
		return fmt.Errorf("%d lines were sent, and %d are accounted for: %d written, %d dropped, %d quarantined", lines, c.Lines, c.Written, c.Dropped, c.Quarantined)
	case r.Hard > 0:
		return fmt.Errorf("the verifier found %d times what the policy must not leave in; a real run would be held", r.Hard)
	case c.Quarantined > 0:
		return fmt.Errorf("%d of %d generated patients could not be processed", c.Quarantined, c.Lines)
	}
	return nil
}

// removeSmoke deletes what the smoke test has written. What it cannot delete, the
// lifecycle rules do.
func (p *Pipeline) removeSmoke(ctx context.Context, run string) {
	for _, c := range []struct {
		container storage.Container
		prefix    string
	}{{p.Stores.Raw, run + "/"}, {p.Stores.Staging, run + "/"}, {p.Stores.Quarantine, run + "/"}, {p.Stores.Ledger, "runs/" + run + "/"}} {
		for info, err := range c.container.List(ctx, c.prefix) {
			if err == nil {
				err = c.container.Delete(ctx, info.Name)
			}
			if err != nil {
				p.Log.WarnContext(ctx, EventSmokeLeft, "run", run)
				break
			}
		}
	}
}
