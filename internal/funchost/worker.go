package funchost

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrHandlerExits ends the host: the handler failed too often. The real host
// says "Exceeded http worker restart retry count" and exits with code 0.
var ErrHandlerExits = errors.New("the handler exited or did not start too often; the host gives up as the real one does")

// ErrHandlerAbsent ends the host: an invocation waited for a handler that never
// became ready.
var ErrHandlerAbsent = errors.New("the handler did not become ready in four times its initializationTimeout")

// ErrSimultaneousTimeouts ends the host: several invocations ran into
// functionTimeout at the same moment, of which the real host dies.
var ErrSimultaneousTimeouts = errors.New("two invocations reached functionTimeout at the same moment; the real host dies of that")

// worker keeps one handler process alive by the host's rules.
type worker struct {
	h *Host

	mu      sync.Mutex
	current *process      // the process calls go to, dead ones included
	running *process      // the newest process, ready or not
	ready   chan struct{} // closed while current takes calls
	starts  int64
}

func newWorker(h *Host) *worker { return &worker{h: h, ready: make(chan struct{})} }

// acquire returns the process to call, waiting until there is one.
func (w *worker) acquire(ctx context.Context) (*process, error) {
	limit := w.h.clock.After(4 * w.h.config.handler.initializationTimeout)
	for {
		w.mu.Lock()
		p, ready := w.current, w.ready
		w.mu.Unlock()
		if p != nil {
			return p, nil
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-limit:
			w.h.end(ErrHandlerAbsent)
			return nil, ErrHandlerAbsent
		}
	}
}

func (w *worker) setReady(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.current = p
	close(w.ready)
}

func (w *worker) setAway() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current != nil {
		w.current = nil
		w.ready = make(chan struct{})
	}
}

// retire takes p out of use: it gets no more calls, and its end will not count
// as an error. Who retires it must kill it.
func (w *worker) retire(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.planned.Store(true)
	if w.current == p {
		w.current = nil
		w.ready = make(chan struct{})
	}
}

// stop kills the process that runs, and waits until it is gone.
func (w *worker) stop() {
	w.mu.Lock()
	p := w.running
	w.mu.Unlock()
	if p == nil {
		return
	}
	p.planned.Store(true)
	p.kill()
	<-p.exited
}

// run starts the handler again and again until ctx ends or the rules say that
// the host must end.
func (w *worker) run(ctx context.Context) {
	var errorCount int
	var lastError time.Time
	for ctx.Err() == nil {
		p, err := w.start()
		if err != nil {
			// The real host logs this, stays up and runs nothing.
			w.h.log.Error("failed to start the handler", "error", err)
			<-ctx.Done()
			return
		}
		wait, counted := w.watch(ctx, p)
		w.setAway()
		if ctx.Err() != nil {
			return
		}
		if counted {
			now := w.h.clock.Now()
			if now.Sub(lastError) > w.h.timing.ErrorWindow {
				errorCount = 0
			}
			errorCount++
			lastError = now
			if limit := w.h.restartLimit(); limit > 0 && errorCount >= limit {
				w.h.end(ErrHandlerExits)
				return
			}
		}
		if sleep(ctx, w.h.clock, wait) != nil {
			return
		}
	}
}

func (w *worker) start() (*process, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.h.launch()
	if err != nil {
		return nil, err
	}
	w.starts++
	w.running = p
	w.h.reporter.report(Event{Kind: HandlerStarted, PID: p.pid})
	return p, nil
}

// watch follows one process from its start to its end. It returns how long to
// wait before the next start and whether the end counts as an error.
func (w *worker) watch(ctx context.Context, p *process) (wait time.Duration, counted bool) {
	timing := w.h.timing
	if err := w.awaitReady(ctx, p); err != nil {
		if ctx.Err() != nil {
			return 0, false
		}
		if errors.Is(err, errInitialization) {
			w.h.log.Error("initializing the handler timed out", "after", w.h.config.handler.initializationTimeout)
			p.planned.Store(true)
			p.kill()
			<-p.exited
			return timing.RestartInit, true
		}
		w.exited(p)
		return timing.Restart, !p.planned.Load() && p.code != 200
	}
	w.h.reporter.report(Event{Kind: HandlerReady, PID: p.pid})
	w.setReady(p)
	w.h.becameReady()
	select {
	case <-ctx.Done():
		return 0, false
	case <-p.exited:
	}
	w.exited(p)
	switch {
	case p.planned.Load(), p.code == 200:
		return timing.Restart, false
	case p.code == 0:
		// The real host does not notice: it stays "Running", and every further
		// invocation fails at once, because nobody listens any more.
		w.h.log.Warn("the handler exited with code 0 and is not started again; every invocation fails from now on")
		<-ctx.Done()
		return 0, false
	}
	return timing.Restart, true
}

func (w *worker) exited(p *process) {
	w.h.reporter.report(Event{Kind: HandlerExited, PID: p.pid, ExitCode: p.code})
	w.h.log.Warn("the handler exited", "pid", p.pid, "code", p.code, "by the host", p.planned.Load())
}

var errInitialization = errors.New("initialization timed out")

// awaitReady pings until any answer comes. An exit with code 0 is not noticed
// before the time-out, as on the real host.
func (w *worker) awaitReady(ctx context.Context, p *process) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	limit := w.h.clock.After(w.h.config.handler.initializationTimeout)
	var slow <-chan time.Time
	if f := w.h.options.Faults.SlowStart; f != nil {
		if d := f(w.starts); d > 0 {
			slow = w.h.clock.After(d)
		}
	}
	exited := p.exited
	for {
		if slow == nil && !p.gone() && p.caller.ping(ctx) == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return errInitialization
		case <-slow:
			slow = nil
		case <-exited:
			if p.code != 0 || p.planned.Load() {
				return fmt.Errorf("the handler exited with code %d before it was ready", p.code)
			}
			exited = nil
		case <-w.h.clock.After(w.h.timing.Ping):
		}
	}
}
