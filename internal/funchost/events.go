package funchost

import (
	"maps"
	"sync"
	"time"
)

// EventKind tells what an Event is about.
type EventKind string

// The kinds of events.
const (
	HandlerStarted    EventKind = "handler started"    // PID
	HandlerReady      EventKind = "handler ready"      // PID
	HandlerExited     EventKind = "handler exited"     // PID, ExitCode
	InvocationStarted EventKind = "invocation started" // Function, Invocation, Reason, Attempt
	InvocationEnded   EventKind = "invocation ended"   // the same, Duration, Outcome, Err
	MessagePoisoned   EventKind = "message poisoned"   // Function, Reason = the poison queue
	Console           EventKind = "console"            // Line, Stderr: a line the handler wrote
)

// Outcome is how an attempt ended.
type Outcome string

// The outcomes of an attempt.
const (
	Succeeded Outcome = "succeeded"
	Failed    Outcome = "failed"
	TimedOut  Outcome = "timed out"
	Abandoned Outcome = "abandoned" // the host ended first
)

// Event is something that happened in the host.
type Event struct {
	Time       time.Time
	Kind       EventKind
	Function   string
	Invocation string
	Reason     string
	Attempt    int // from 1; above 1 only under a retry policy
	Duration   time.Duration
	Outcome    Outcome
	Err        error
	PID        int
	ExitCode   int
	Line       string
	Stderr     bool
}

// FunctionStats counts the attempts of one function.
type FunctionStats struct {
	Started, Succeeded, Failed, TimedOut, Abandoned int64
	Running                                         int64
	Poisoned                                        int64
	LastError                                       string
}

// reporter keeps the statistics and passes events on, one at a time.
type reporter struct {
	mu    sync.Mutex
	clock Clock
	sink  func(Event)
	stats map[string]FunctionStats
}

func (r *reporter) report(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Time = r.clock.Now()
	if e.Function != "" {
		s := r.stats[e.Function]
		switch e.Kind {
		case InvocationStarted:
			s.Started++
			s.Running++
		case InvocationEnded:
			s.Running--
			switch e.Outcome {
			case Succeeded:
				s.Succeeded++
			case TimedOut:
				s.TimedOut++
			case Abandoned:
				s.Abandoned++
			default:
				s.Failed++
			}
			if e.Err != nil {
				s.LastError = e.Err.Error()
			}
		case MessagePoisoned:
			s.Poisoned++
		}
		r.stats[e.Function] = s
	}
	if r.sink != nil {
		r.sink(e)
	}
}

func (r *reporter) snapshot() map[string]FunctionStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.stats)
}
