package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// reviveAfter is how old the tick of an active run may be before its heartbeat
// is taken for lost. The longest pause between two ticks is maxPause.
const reviveAfter = time.Hour

// orphanAfter is how long a scope may be claimed for a run that was never
// written: its writer died between the two.
const orphanAfter = 10 * time.Minute

// heartbeatLead is how long the heartbeat that is sent before its run is written
// stays invisible.
const heartbeatLead = 2 * time.Minute

// Outcome says what a Start did.
type Outcome string

// What a Start can come to.
const (
	Started Outcome = "started" // a new run is under way
	Resumed Outcome = "resumed" // this run, or the active one, was found and its heartbeat sent again
	Skipped Outcome = "skipped" // another run holds the scope
	Refused Outcome = "refused" // the preflight found a lasting fault; the run is recorded as failed
)

// Start begins the run that was scheduled for an instant, or one by hand where
// that instant is zero or still to come. It may be called again for the same
// instant. It returns the run that is now active, and what was done.
func (p *Pipeline) Start(ctx context.Context, scheduled time.Time) (string, Outcome, error) {
	now := p.Now()
	run, err := p.plan(ctx, RunID(scheduled, now), now)
	var lasting *PreflightError
	if errors.As(err, &lasting) {
		return p.refuse(ctx, run, lasting)
	}
	if err != nil {
		return "", "", err
	}

	active, err := p.claim(ctx, run, now)
	if err != nil {
		return "", "", err
	}
	if active != run.ID {
		return p.standAside(ctx, run, active, now)
	}
	// A heartbeat is under way before the run is written, so that no run is ever
	// without one; should this process die in between, it finds no run and ends.
	if err := send(ctx, p.Queues.Check, Tick{Run: run.ID}, heartbeatLead); err != nil {
		return "", "", err
	}
	outcome := Started
	err = p.ledger().CreateRun(ctx, run)
	switch {
	case errors.Is(err, storage.ErrCondition):
		outcome = Resumed // a second call for the same instant
	case err != nil:
		return "", "", err
	}
	p.Log.InfoContext(ctx, EventRunStarted, "run", run.ID, "outcome", string(outcome))
	return run.ID, outcome, p.firstBeat(ctx, run.ID, outcome)
}

// firstBeat sends the first heartbeat at once. It is tried a few times: the one
// sent before may have found no run, if writing it took long.
func (p *Pipeline) firstBeat(ctx context.Context, id string, outcome Outcome) (err error) {
	for range 3 {
		if outcome == Started {
			err = send(ctx, p.Queues.Check, Tick{Run: id}, 0)
		} else {
			err = p.beatAgain(ctx, id)
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// plan runs the preflight and writes down what the run is to be.
func (p *Pipeline) plan(ctx context.Context, id string, now time.Time) (*ledger.Run, error) {
	asOf := p.Plan.AsOf
	if asOf.IsZero() {
		asOf = now.UTC().Truncate(time.Second)
	}
	run := &ledger.Run{
		ID:        id,
		Scope:     p.scopeID(),
		TickAt:    now,
		CreatedAt: now,
		AsOf:      asOf,
		Deadline:  now.Add(p.Plan.RunDeadline),
		Server:    p.Plan.Server,
		Request:   p.Plan.Request,
		Settings:  p.Plan.Settings,
		Engine:    p.Version,
		DataSet:   p.Plan.DataSet,
	}
	run.Enter(ledger.Exporting, now)
	if err := p.preflight(ctx, run); err != nil {
		return run, err
	}
	scope, _, err := p.ledger().Scope(ctx, run.Scope)
	if err != nil {
		return nil, err
	}
	if scope.LastReleased == "" {
		run.Deadline = now.Add(p.Plan.FirstRunDeadline)
	}
	return run, nil
}

// scopeID is the hash of what is exported: server, level, group, types, filters.
func (p *Pipeline) scopeID() string {
	r := p.Plan.Request
	what, _ := json.Marshal([]any{p.Plan.Server, r.Level, r.GroupID, r.Types, r.TypeFilters}) // strings only
	sum := sha256.Sum256(what)
	return hex.EncodeToString(sum[:8])
}

// claim takes the scope for the run, or says which run holds it.
func (p *Pipeline) claim(ctx context.Context, run *ledger.Run, now time.Time) (active string, err error) {
	err = p.ledger().UpdateScope(ctx, run.Scope, func(s *ledger.Scope) bool {
		active = s.Active
		if active == run.ID {
			return false
		}
		if active != "" {
			free, stateErr := p.replaceable(ctx, s, now)
			if stateErr != nil {
				err = stateErr
				return false
			}
			if !free {
				return false
			}
		}
		active = run.ID
		s.Active, s.ClaimedAt = run.ID, now
		s.Server, s.Level, s.Group = run.Server, string(run.Request.Level), run.Request.GroupID
		s.Remember(ledger.Brief{Run: run.ID, State: ledger.Exporting, At: now})
		return true
	})
	return active, err
}

// replaceable reports whether the run that holds a scope is no longer there to
// hold it: it is over, it was never written, or it is past its deadline.
func (p *Pipeline) replaceable(ctx context.Context, s *ledger.Scope, now time.Time) (bool, error) {
	holder, _, err := p.ledger().Run(ctx, s.Active)
	if errors.Is(err, ledger.ErrNoRun) {
		return now.Sub(s.ClaimedAt) > orphanAfter, nil
	}
	if err != nil {
		return false, err
	}
	if holder.State.Over() {
		return true, nil
	}
	if !now.After(holder.Deadline) {
		return false, nil
	}
	// Its own heartbeat would have ended it; that is gone, so it is ended here.
	ended, err := p.ledger().UpdateRun(ctx, holder.ID, func(r *ledger.Run) (bool, error) {
		if r.State.Over() {
			return false, nil
		}
		fail(r, now, reasonDeadline(r))
		return true, nil
	})
	return err == nil && ended.State.Over(), err
}

// standAside leaves the scope to the active run, and revives it when its
// heartbeat is lost.
func (p *Pipeline) standAside(ctx context.Context, run *ledger.Run, active string, now time.Time) (string, Outcome, error) {
	err := p.ledger().UpdateScope(ctx, run.Scope, func(s *ledger.Scope) bool {
		s.Remember(ledger.Brief{Run: run.ID, State: ledger.Cancelled, At: now, Why: "skipped"})
		return true
	})
	if err != nil {
		return "", "", err
	}
	holder, _, err := p.ledger().Run(ctx, active)
	if errors.Is(err, ledger.ErrNoRun) {
		return active, Skipped, nil // being written this moment, or an orphan of the next night
	}
	if err != nil {
		return "", "", err
	}
	if holder.Tick == 0 || now.Sub(holder.TickAt) > reviveAfter {
		if err := p.beatAgain(ctx, active); err != nil {
			return "", "", err
		}
		p.Log.WarnContext(ctx, EventRunRevived, "run", active)
		return active, Resumed, nil
	}
	p.Log.WarnContext(ctx, EventRunSkipped, "run", run.ID, "active", active)
	return active, Skipped, nil
}

// beatAgain sends the heartbeat message that is due.
func (p *Pipeline) beatAgain(ctx context.Context, id string) error {
	run, _, err := p.ledger().Run(ctx, id)
	if err != nil {
		return fmt.Errorf("sending the heartbeat of run %s: %w", id, err)
	}
	if run.State.Over() {
		return nil
	}
	return send(ctx, p.Queues.Check, Tick{Run: id, Tick: run.Tick}, 0)
}

// refuse records a run that the preflight ended, so that the morning's look at
// the runs shows it.
func (p *Pipeline) refuse(ctx context.Context, run *ledger.Run, why *PreflightError) (string, Outcome, error) {
	now := p.Now()
	run.Reasons = why.Reasons
	run.Enter(ledger.Failed, now)
	err := p.ledger().CreateRun(ctx, run)
	if errors.Is(err, storage.ErrCondition) {
		return run.ID, Refused, nil // told already, or a second call for a run that is under way
	}
	if err != nil {
		return "", "", errors.Join(why, err)
	}
	b := &beat{Pipeline: p, run: run, now: now}
	if err := b.writeReport(ctx); err != nil {
		return "", "", errors.Join(why, err)
	}
	err = p.ledger().UpdateScope(ctx, run.Scope, func(s *ledger.Scope) bool {
		s.Remember(ledger.Brief{Run: run.ID, State: ledger.Failed, At: now, Why: why.Reasons[0].Code})
		return true
	})
	if err != nil {
		return "", "", errors.Join(why, err)
	}
	p.Log.ErrorContext(ctx, EventRunRefused, "run", run.ID, "reasons", reasonCodes(why.Reasons))
	p.Telemetry.Over(ctx, run)
	return run.ID, Refused, nil
}
