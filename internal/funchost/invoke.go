package funchost

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
)

var (
	// errAbandoned: the host ended before the invocation did. Nothing may be
	// done to its message any more.
	errAbandoned = errors.New("the host ended before the invocation did")
	errTimeout   = errors.New("functionTimeout was exceeded")
)

// errBinding wraps a failure before the handler is called.
type errBinding struct{ err error }

func (e errBinding) Error() string { return "binding failed: " + e.err.Error() }
func (e errBinding) Unwrap() error { return e.err }

// execute runs one invocation with all the attempts its retry policy grants.
// All attempts share the invocation id. bind builds the envelope; its failure
// is a failed invocation that the handler never saw.
func (h *Host) execute(f *function, reason string, bind func(context.Context) (*envelope, error)) error {
	id := uuid.NewString()
	ctx := h.invocations
	var retry *retryContext
	if f.retry != nil {
		retry = &retryContext{max: f.retry.maxRetries, function: f.name, invocation: id}
	}
	for {
		attempt := 1
		if retry != nil {
			attempt = retry.count + 1
		}
		err := h.attempt(ctx, f, id, reason, attempt, retry, bind)
		if err == nil || errors.Is(err, errAbandoned) || retry == nil {
			return err
		}
		if retry.max >= 0 && retry.count >= retry.max {
			return err
		}
		retry.count++
		retry.failure = new(invocationError)
		if !errors.As(err, &retry.failure) {
			retry.failure = &invocationError{message: err.Error(), err: err}
		}
		if sleep(ctx, h.clock, f.retry.wait(retry.count)) != nil {
			return errAbandoned
		}
	}
}

// attempt is one call of the handler, with what surrounds it: counting,
// logging, the time-out.
func (h *Host) attempt(parent context.Context, f *function, id, reason string, n int, retry *retryContext, bind func(context.Context) (*envelope, error)) error {
	start := h.clock.Now()
	count := h.count("invocation", f.name)
	h.reporter.report(Event{Kind: InvocationStarted, Function: f.name, Invocation: id, Reason: reason, Attempt: n})
	h.log.Info("executing "+f.name, "reason", reason, "id", id)

	limit := h.config.functionTimeout
	if fault := h.options.Faults.Timeout; fault != nil {
		if d := fault(f.name, count); d > 0 {
			limit = d
		}
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	if limit > 0 {
		go func() {
			if sleep(ctx, h.clock, limit) == nil {
				cancel(errTimeout)
			}
		}()
	}
	err := h.call(ctx, f, id, count, retry, bind)

	outcome := Succeeded
	switch {
	case err == nil:
	case errors.Is(err, errTimeout):
		outcome = TimedOut
	case parent.Err() != nil:
		outcome, err = Abandoned, errAbandoned
	default:
		outcome = Failed
	}
	took := h.clock.Now().Sub(start)
	h.reporter.report(Event{Kind: InvocationEnded, Function: f.name, Invocation: id, Reason: reason, Attempt: n,
		Duration: took, Outcome: outcome, Err: err})
	if err != nil {
		h.log.Error("executed "+f.name, "outcome", string(outcome), "id", id, "duration", took.Round(time.Millisecond), "error", err)
	} else {
		h.log.Info("executed "+f.name, "outcome", string(outcome), "id", id, "duration", took.Round(time.Millisecond))
	}
	return err
}

func (h *Host) call(ctx context.Context, f *function, id string, count int64, retry *retryContext, bind func(context.Context) (*envelope, error)) error {
	envelope, err := bind(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return errBinding{err}
	}
	p, err := h.worker.acquire(ctx)
	if err != nil {
		return err
	}
	body := envelope.body(f.name, uuid.NewString(), h.clock.Now(), retry)
	reply, err := p.caller.invoke(ctx, f.name, id, body, func() { h.killFault(f.name, count, p) })
	if err == nil {
		err = h.finish(ctx, f, reply)
	}
	if errors.Is(err, errHang) {
		h.log.Warn(err.Error(), "function", f.name, "id", id)
		<-ctx.Done()
		err = context.Cause(ctx)
	}
	if errors.Is(err, errTimeout) {
		h.timedOut(p, f.name, id)
	}
	return err
}

// finish judges a reply and carries out what it asks for.
func (h *Host) finish(ctx context.Context, f *function, reply response) error {
	r, err := judge(reply)
	if err != nil {
		if errors.Is(err, errHang) {
			return err
		}
		failure := &invocationError{message: err.Error(), err: err}
		if reply.status < 200 || reply.status > 299 {
			failure.status = reply.status
			failure.message = fmt.Sprintf("Response status code does not indicate success: %d (%s).", reply.status, http.StatusText(reply.status))
		}
		return failure
	}
	for _, line := range r.logs {
		h.log.Info(line, "category", "Function."+f.name+".User")
	}
	return h.sendOutputs(ctx, f, r)
}

func (h *Host) killFault(function string, count int64, p *process) {
	fault := h.options.Faults.Kill
	if fault == nil {
		return
	}
	after, kill := fault(function, count)
	if !kill {
		return
	}
	h.log.Warn("fault switch: killing the handler", "function", function, "after", after)
	go func() {
		if sleep(h.invocations, h.clock, after) == nil {
			p.kill()
		}
	}()
}

// timedOut does what the real host does about a time-out: it kills the whole
// handler process a moment later, with everything else that runs in it. A
// second time-out within that moment ends the host.
func (h *Host) timedOut(p *process, function, id string) {
	h.log.Error("functionTimeout exceeded, the handler is killed and started again", "function", function, "id", id)
	switch n := p.timeouts.Add(1); {
	case n == 1:
		h.worker.retire(p)
		go func() {
			if sleep(h.invocations, h.clock, h.timing.TimeoutKill) == nil {
				p.kill()
			}
		}()
	case !h.options.SurviveTimeouts:
		h.end(ErrSimultaneousTimeouts)
	}
}
