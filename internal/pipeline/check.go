package pipeline

import (
	"context"
	"errors"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// maxPause is the longest pause between two ticks: whatever a server asks for
// delays the poll, never the heartbeat beyond this.
const maxPause = 5 * time.Minute

// beat is one tick of a run's heartbeat: the run as read, changed in memory by
// one step, and swapped at the end.
type beat struct {
	*Pipeline
	run  *ledger.Run
	etag storage.ETag
	now  time.Time
	// pause is how long until the next tick.
	pause time.Duration
	// was is the run's state before this tick.
	was ledger.State
}

// errLostSwap ends a step whose run somebody else has written meanwhile.
var errLostSwap = errors.New("the run was written by somebody else")

// Check is the heartbeat. A message with a tick older than the saved one, or
// for a run that is over, is dropped. Else one idempotent step is done; then
// the next message is sent; then the saved tick is moved on; and only then may
// the caller acknowledge. A crash between any two of these leaves at least one
// live message, and doubles die out since only one of them wins the swap.
//
// A tick that cannot be read or written down is sent again from here. The host
// would deliver it again too, but gives it up after a few tries: an outage of
// some minutes would stop the run until the next night. The pause grows, since
// doubles do not die out while no tick can be compared.
func (p *Pipeline) Check(ctx context.Context, m Tick) error {
	err := p.tick(ctx, m)
	if err == nil {
		return nil
	}
	// The invocation's own time may be what has run out.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	pause := failurePause(m.Try)
	m.Try++
	if sendErr := send(ctx, p.Queues.Check, m, pause); sendErr != nil {
		return errors.Join(err, sendErr)
	}
	p.Log.ErrorContext(ctx, EventHeartbeatFailed, "run", m.Run, "tick", m.Tick, "try", m.Try, "error", err.Error())
	return nil
}

// failurePause is the pause after the n-th failure in a row, from 0 on.
func failurePause(n int) time.Duration {
	return min(30*time.Second<<min(n, 10), maxPause)
}

func (p *Pipeline) tick(ctx context.Context, m Tick) error {
	run, etag, err := p.ledger().Run(ctx, m.Run)
	if errors.Is(err, ledger.ErrNoRun) {
		p.Log.WarnContext(ctx, EventHeartbeatUnknown, "run", m.Run)
		return nil
	}
	if err != nil {
		return err
	}
	if run.State.Over() {
		return p.freeScope(ctx, run)
	}
	if m.Tick < run.Tick {
		return nil
	}
	b := &beat{Pipeline: p, run: run, etag: etag, now: p.Now(), pause: run.Settings.TickInterval, was: run.State}
	err = b.step(ctx)
	if errors.Is(err, errLostSwap) {
		// Another tick, or a person's order. If it was a tick this message is
		// old now; if it was an order, this message is still the heartbeat.
		return send(ctx, p.Queues.Check, m, run.Settings.TickInterval)
	}
	if err != nil {
		return p.stepFailed(ctx, m, err)
	}
	return b.finish(ctx, m)
}

// stepFailed counts a step that failed as a tick: what it has changed in memory
// is dropped, the fault is noted, and the heartbeat goes on.
func (p *Pipeline) stepFailed(ctx context.Context, m Tick, fault error) error {
	run, etag, err := p.ledger().Run(ctx, m.Run)
	if err != nil {
		return errors.Join(fault, err)
	}
	if run.State.Over() || m.Tick < run.Tick {
		return nil // another tick was first
	}
	b := &beat{Pipeline: p, run: run, etag: etag, now: p.Now(), was: run.State}
	b.note(ctx, "step-failed", "A step of the run failed and is tried again: "+fault.Error())
	b.pause = failurePause(run.Notes[len(run.Notes)-1].Times)
	return b.finish(ctx, m)
}

// finish sends the next message and moves the saved tick on. A run that has
// just ended needs no next message, unless its end could not be saved.
func (b *beat) finish(ctx context.Context, m Tick) error {
	next := Tick{Run: b.run.ID, Tick: m.Tick + 1}
	over := b.run.State.Over()
	if !over {
		if err := send(ctx, b.Queues.Check, next, min(b.pause, maxPause)); err != nil {
			return err
		}
	}
	age := b.now.Sub(b.run.TickAt)
	b.run.Tick, b.run.TickAt = next.Tick, b.now
	err := b.save(ctx)
	if errors.Is(err, errLostSwap) {
		if over {
			return send(ctx, b.Queues.Check, next, b.run.Settings.TickInterval)
		}
		return nil
	}
	if err != nil {
		return err
	}
	b.tell(ctx, age)
	if over {
		return b.freeScope(ctx, b.run)
	}
	return nil
}

// step does what the run needs next.
func (b *beat) step(ctx context.Context) error {
	if o, ok := b.run.Ordered(ledger.OrderCancel); ok && !b.run.Release.Publishing {
		return b.cancel(ctx, o)
	}
	if b.now.After(b.run.Deadline) && !b.run.Release.Publishing {
		b.giveUpExport(ctx)
		fail(b.run, b.now, reasonDeadline(b.run))
		return b.writeReport(ctx)
	}
	switch b.run.State {
	case ledger.Exporting:
		return b.export(ctx)
	case ledger.Fetching:
		return b.fetching(ctx)
	case ledger.Releasing:
		return b.releasing(ctx)
	}
	return nil
}

// save writes the run as it is now; errLostSwap means that somebody else did.
func (b *beat) save(ctx context.Context) error {
	etag, err := b.ledger().SwapRun(ctx, b.run, b.etag)
	if errors.Is(err, storage.ErrCondition) {
		return errLostSwap
	}
	if err != nil {
		return err
	}
	b.etag = etag
	return nil
}

// note records a foreseen fault; the heartbeat goes on.
func (b *beat) note(ctx context.Context, code, text string) {
	b.run.Note(b.now, code, text)
	b.Log.WarnContext(ctx, EventFault, "run", b.run.ID, "code", code)
	b.Telemetry.Fault(ctx, code)
}

// freeScope gives the scope back when the run still holds it, and writes its
// end into the scope's history.
func (p *Pipeline) freeScope(ctx context.Context, run *ledger.Run) error {
	brief := ledger.Brief{Run: run.ID, State: run.State, At: run.EndedAt}
	if len(run.Reasons) > 0 {
		brief.Why = run.Reasons[0].Code
	}
	return p.ledger().UpdateScope(ctx, run.Scope, func(s *ledger.Scope) bool {
		known := false
		for _, r := range s.Recent {
			known = known || r == brief
		}
		if s.Active != run.ID && known {
			return false
		}
		if s.Active == run.ID {
			s.Active = ""
		}
		s.Remember(brief)
		return true
	})
}

// cancel ends the run at a person's order. The server's job is deleted first;
// a server that cannot be reached for that does not keep the run alive.
func (b *beat) cancel(ctx context.Context, o ledger.Order) error {
	if b.run.Kickoff.StatusURL != "" && b.run.Kickoff.DeleteTries < maxDeleteTries {
		if !b.run.Kickoff.Deleted {
			b.run.Kickoff.Deleted = true // before the request: no manifest is believed after it
			if err := b.save(ctx); err != nil {
				return err
			}
		}
		if err := b.Exporter.Cancel(ctx, b.run.Kickoff.StatusURL); err != nil {
			b.run.Kickoff.DeleteTries++
			b.note(ctx, "cancel-failed", "The server could not be told to cancel its export job: "+err.Error())
			if b.run.Kickoff.DeleteTries < maxDeleteTries {
				return nil
			}
		}
	}
	if _, err := b.deleteFrom(ctx, time.Time{}, b.Stores.Research); err != nil {
		b.note(ctx, "cleanup-failed", "What was copied to research could not be deleted; without a manifest it is no release: "+err.Error())
	}
	text := "Cancelled by an operator."
	if o.Reason != "" {
		text = "Cancelled by an operator: " + o.Reason
	}
	b.run.Reasons = []ledger.Reason{{Code: "cancelled", Text: text}}
	b.run.Enter(ledger.Cancelled, b.now)
	return b.writeReport(ctx)
}

// maxDeleteTries bounds how often a server is told to cancel its job.
const maxDeleteTries = 5

// giveUpExport tells the server, once and without waiting for success, that its
// job is no longer wanted.
func (b *beat) giveUpExport(ctx context.Context) {
	if b.run.Kickoff.StatusURL == "" {
		return
	}
	b.run.Kickoff.Deleted = true
	if err := b.Exporter.Cancel(ctx, b.run.Kickoff.StatusURL); err != nil {
		b.note(ctx, "cancel-failed", "The server could not be told to cancel its export job: "+err.Error())
	}
}
