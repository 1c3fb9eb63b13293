package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fhirdeid/internal/ledger"
)

// OrderError says why an order cannot be carried out.
type OrderError struct{ Text string }

func (e *OrderError) Error() string { return e.Text }

func refuseOrder(format string, args ...any) error {
	return &OrderError{Text: fmt.Sprintf(format, args...)}
}

// Order carries out what a person asks of a run, and records it. The error is
// an *OrderError where the run is not in a state for it, ledger.ErrNoRun where
// there is none.
func (p *Pipeline) Order(ctx context.Context, id string, o ledger.Order) error {
	o.At = p.Now()
	switch o.Kind {
	case ledger.OrderCancel:
		return p.orderCancel(ctx, id, o)
	case ledger.OrderRelease, ledger.OrderRetry, ledger.OrderDiscard:
		if o.Reason == "" && o.Kind != ledger.OrderRetry {
			return refuseOrder("A reason is needed: it is recorded with the run.")
		}
	default:
		return refuseOrder("There is no order %q.", o.Kind)
	}
	run, _, err := p.ledger().Run(ctx, id)
	if err != nil {
		return err
	}
	if err := orderable(run, o.Kind); err != nil {
		return err
	}
	if err := p.retakeScope(ctx, run); err != nil {
		return err
	}
	if o.Kind == ledger.OrderRetry {
		if err := p.forgetUnclean(ctx, run); err != nil {
			return err
		}
	}
	if o.Kind != ledger.OrderDiscard {
		// A heartbeat is under way before the run goes on, so that it is never
		// without one; should this process die in between, it finds the run over.
		if err := send(ctx, p.Queues.Check, Tick{Run: id, Tick: run.Tick + 1}, heartbeatLead); err != nil {
			return err
		}
	}
	now := p.Now()
	run, err = p.ledger().UpdateRun(ctx, id, func(r *ledger.Run) (bool, error) {
		if err := orderable(r, o.Kind); err != nil {
			return false, err
		}
		if o.Kind == ledger.OrderRelease {
			o.Overrules = reasonCodes(r.Reasons)
		}
		r.Orders = append(r.Orders, o)
		r.Reasons = nil
		if o.Kind == ledger.OrderDiscard {
			r.Reasons = []ledger.Reason{reason("discarded", "Discarded by an operator: %s", o.Reason)}
			r.Enter(ledger.Cancelled, now)
			return true, nil
		}
		// Back to where the books are closed: everything is looked at again.
		r.Enter(ledger.Fetching, now)
		r.Fetch.Chains = firstChains(r)
		r.Fetch.ProgressAt = now
		r.Deadline = maxTime(r.Deadline, now.Add(p.Plan.RunDeadline))
		r.Tick++
		r.TickAt = now
		return true, nil
	})
	if err != nil {
		return err
	}
	if o.Kind == ledger.OrderDiscard {
		b := &beat{Pipeline: p, run: run, now: now}
		_, err := b.deleteFrom(ctx, time.Time{}, p.Stores.Raw, p.Stores.Staging, p.Stores.Research)
		_, rowsErr := b.deleteRows(ctx, time.Time{})
		return errors.Join(err, rowsErr, p.freeScope(ctx, run))
	}
	return send(ctx, p.Queues.Check, Tick{Run: id, Tick: run.Tick}, 0)
}

// orderable says whether the run is in a state for the order.
func orderable(r *ledger.Run, kind ledger.OrderKind) error {
	if r.State != ledger.Held && r.State != ledger.Failed {
		return refuseOrder("Run %s is %s; only a held or failed run can be told to %s.", r.ID, r.State, kind)
	}
	if kind == ledger.OrderDiscard {
		return nil
	}
	if r.Manifest == nil || r.Manifest.Outputs == 0 {
		return refuseOrder("Run %s has nothing exported, so there is nothing to %s. Start a new run.", r.ID, kind)
	}
	if kind == ledger.OrderRelease {
		if r.State != ledger.Held {
			return refuseOrder("Run %s has failed, so it is not complete. Retry it, or start a new one.", r.ID)
		}
		if i := slices.IndexFunc(r.Reasons, func(why ledger.Reason) bool { return why.Hard }); i >= 0 {
			return refuseOrder("Run %s cannot be released: %s", r.ID, r.Reasons[i].Text)
		}
	}
	return nil
}

func (p *Pipeline) orderCancel(ctx context.Context, id string, o ledger.Order) error {
	run, err := p.ledger().UpdateRun(ctx, id, func(r *ledger.Run) (bool, error) {
		if r.State.Over() {
			return false, refuseOrder("Run %s is over: it is %s.", r.ID, r.State)
		}
		if r.Release.Publishing {
			return false, refuseOrder("Run %s is being released already.", r.ID)
		}
		if _, twice := r.Ordered(ledger.OrderCancel); twice {
			return false, nil
		}
		r.Orders = append(r.Orders, o)
		return true, nil
	})
	if err != nil {
		return err
	}
	// A message of its own, so that nobody waits for the next tick; and the
	// heartbeat, should it be lost.
	return send(ctx, p.Queues.Check, Tick{Run: id, Tick: run.Tick}, 0)
}

// retakeScope takes the scope again for a run that was over.
func (p *Pipeline) retakeScope(ctx context.Context, run *ledger.Run) error {
	var taken string
	err := p.ledger().UpdateScope(ctx, run.Scope, func(s *ledger.Scope) bool {
		if s.Active != "" && s.Active != run.ID {
			taken = s.Active
			return false
		}
		taken = ""
		s.Active, s.ClaimedAt = run.ID, p.Now()
		return true
	})
	if err != nil {
		return err
	}
	if taken != "" {
		return refuseOrder("Run %s holds the scope now. Wait until it is over, or cancel it.", taken)
	}
	return nil
}

// forgetUnclean deletes results and records that were not clean, so that they
// are made again. Of an entry that is not done all results are made again: one
// of them may be of other bytes.
func (p *Pipeline) forgetUnclean(ctx context.Context, run *ledger.Run) error {
	v, err := p.survey(ctx, run)
	if err != nil {
		return err
	}
	for _, name := range v.bad {
		if err := p.Stores.Staging.Delete(ctx, name); err != nil {
			return err
		}
	}
	for index := range v.fetched {
		f := &v.fetched[index]
		if !f.there {
			continue
		}
		if f.summary.Failure != "" || f.summary.Mismatched() {
			if err := p.ledger().DeleteFetched(ctx, run.ID, index); err != nil {
				return err
			}
		}
		for piece := range f.results {
			r := &f.results[piece]
			if f.done && r.Failure == "" && r.Counts.Quarantined == 0 && r.Hard == 0 {
				continue
			}
			name := rawFile{Run: run.ID, Type: f.summary.Type, Output: index, Attempt: f.summary.Attempt, Piece: piece}
			if err := p.Stores.Staging.Delete(ctx, name.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
