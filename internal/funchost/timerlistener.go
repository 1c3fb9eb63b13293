package funchost

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// timerStatus is what the host remembers of a timer, in the blob
// timers/<host>/<function>/status.
type timerStatus struct {
	Last, Next, LastUpdated time.Time
}

func (s *timerStatus) String() string {
	if s == nil {
		return "null"
	}
	return object{{"Last", offsetTime(s.Last)}, {"Next", offsetTime(s.Next)}, {"LastUpdated", offsetTime(s.LastUpdated)}}.String()
}

// timer is one timer function.
type timer struct {
	h         *Host
	f         *function
	schedule  schedule
	monitor   blobStore // nil: no status is kept
	status    timerStatus
	onStartup bool
}

// longestWait bounds a single wait, so that a machine that slept notices.
const longestWait = time.Minute

func (h *Host) newTimer(f *function) (*timer, error) {
	s, err := parseSchedule(f.trigger.Schedule)
	if err != nil {
		return nil, err
	}
	t := &timer{h: h, f: f, schedule: s, onStartup: f.trigger.RunOnStartup}
	if useMonitor := f.trigger.UseMonitor; (useMonitor == nil || *useMonitor) && monitored(s, h.clock.Now()) {
		if t.monitor, err = h.accounts.blobs(hostStorage); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *timer) statusBlob() string { return "timers/" + t.h.id + "/" + t.f.id() + "/status" }

// load reads the status; nil when there is none.
func (t *timer) load(ctx context.Context) (*timerStatus, error) {
	if t.monitor == nil {
		return nil, nil
	}
	data, err := t.monitor.read(ctx, hostContainer, t.statusBlob())
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the timer's status: %w", err)
	}
	s := new(timerStatus)
	if json.Unmarshal(data, s) != nil {
		return nil, nil
	}
	return s, nil
}

func (t *timer) save(s timerStatus) {
	if t.monitor == nil {
		return
	}
	if err := t.monitor.write(t.h.storage, hostContainer, t.statusBlob(), []byte(s.String())); err != nil {
		t.h.log.Error("writing the timer's status failed", "function", t.f.name, "error", err)
	}
}

// start settles the status by the host's rules and reports whether a run was
// missed while the host was down.
func (t *timer) start(ctx context.Context) (pastDue bool, err error) {
	now := t.h.clock.Now()
	stored, err := t.load(ctx)
	if err != nil {
		return false, err
	}
	if stored == nil {
		t.save(timerStatus{Next: t.schedule.next(now), LastUpdated: now})
		t.status = timerStatus{Next: t.schedule.next(now)}
		return false, nil
	}
	from := stored.Last
	if from.IsZero() {
		from = stored.LastUpdated
	}
	if !stored.Next.Equal(t.schedule.next(from)) {
		// The schedule was changed since: begin anew.
		*stored = timerStatus{Next: t.schedule.next(now), LastUpdated: now}
		t.save(*stored)
	}
	t.status = *stored
	return now.After(stored.Next), nil
}

// run fires the function until ctx ends, never two runs at once.
func (t *timer) run(ctx context.Context) {
	pastDue, err := t.start(ctx)
	for err != nil {
		t.h.log.Error("starting a timer failed", "function", t.f.name, "error", err)
		if sleep(ctx, t.h.clock, longestWait) != nil {
			return
		}
		pastDue, err = t.start(ctx)
	}
	if pastDue || t.onStartup {
		t.fire(ctx, pastDue, !pastDue)
	}
	for t.await(ctx) {
		t.fire(ctx, false, false)
	}
}

// await waits for the next occurrence; at once if it has passed.
func (t *timer) await(ctx context.Context) bool {
	if t.status.Next.IsZero() {
		<-ctx.Done()
		return false
	}
	for {
		if ctx.Err() != nil {
			return false
		}
		wait := t.status.Next.Sub(t.h.clock.Now())
		if wait <= 0 {
			return true
		}
		if sleep(ctx, t.h.clock, min(wait, longestWait)) != nil {
			return false
		}
	}
}

func (t *timer) fire(ctx context.Context, pastDue, startup bool) {
	now := t.h.clock.Now()
	var shown *timerStatus
	if t.monitor != nil {
		status := t.status
		shown = &status
	}
	reason := "Timer fired at " + now.UTC().Format("2006-01-02T15:04:05.0000000") + "+00:00"
	// A host that ends does not wait here but where it waits for all that is
	// open, so what the run leaves is handed over, never written behind our back.
	before, finished := t.status, make(chan timerStatus, 1)
	t.h.open.Go(func() {
		err := t.h.execute(t.f, reason, func(context.Context) (*envelope, error) { return t.envelope(shown, pastDue), nil })
		if errors.Is(err, errAbandoned) {
			finished <- before // the run was cut off: it is missed, and comes again as past due
			return
		}
		at := now
		if !pastDue && !startup && before.Next.After(at) {
			at = before.Next
		}
		after := timerStatus{Last: at, Next: t.schedule.next(at), LastUpdated: at}
		t.save(after)
		finished <- after
	})
	select {
	case t.status = <-finished:
	case <-ctx.Done():
	}
}

func (t *timer) envelope(status *timerStatus, pastDue bool) *envelope {
	return &envelope{binding: t.f.trigger.Name, data: object{
		{"Schedule", object{{"AdjustForDST", fmt.Sprint(t.schedule.adjustForDST())}}.String()},
		{"ScheduleStatus", status.String()},
		{"IsPastDue", fmt.Sprint(pastDue)},
	}.String()}
}

// adminEnvelope is what the function is sent when it is fired by hand.
func (t *timer) adminEnvelope(ctx context.Context, input string) (*envelope, error) {
	status, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	e := t.envelope(status, false)
	e.head = object{{t.f.trigger.Name, scalarString(input)}}
	return e, nil
}
