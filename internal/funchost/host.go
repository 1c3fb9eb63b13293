package funchost

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Host is a stand-in for the Azure Functions host, running one staged app. Make
// it with New, run it with Run, once. Its methods are safe for concurrent use.
type Host struct {
	options   Options
	root      string
	id        string
	version   string
	config    *hostConfig
	settings  *settings
	functions []*function
	byID      map[string]*function // by Host.Functions.<name>
	accounts  accounts
	clock     Clock
	timing    Timing
	log       *slog.Logger
	reporter  *reporter
	worker    *worker
	launch    func() (*process, error)
	admin     net.Listener

	// What is open when, from the first to end to the last.
	listening      context.Context // listeners and timers
	stopListening  context.CancelFunc
	invocations    context.Context // calls of the handler; cause errAbandoned
	endInvocations context.CancelCauseFunc
	storage        context.Context // deleting and releasing messages
	endStorage     context.CancelFunc

	background tracker // listeners
	open       tracker // invocations and what surrounds them
	listeners  []*queueListener
	timers     map[string]*timer

	started  atomic.Bool
	ready    chan struct{} // closed when the handler was ready first
	readyOne sync.Once
	ended    chan struct{} // closed when the host ends by itself
	endOne   sync.Once
	endErr   error

	countMu sync.Mutex
	counts  map[string]int64
}

// New reads the app and opens the admin endpoint's port. All faults of the app
// are reported at once. Nothing runs before Run.
func New(o Options) (*Host, error) {
	h, err := newHost(o)
	if err != nil {
		return nil, err
	}
	if err := h.connect(newAzureAccounts(h.settings)); err != nil {
		return nil, err
	}
	return h, nil
}

// newHost is New without storage and network.
func newHost(o Options) (*Host, error) {
	root, err := filepath.Abs(o.AppRoot)
	if err != nil {
		return nil, fmt.Errorf("finding the app root: %w", err)
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	h := &Host{options: o, root: root, settings: newSettings(o.Env, o.Settings), clock: o.Clock, timing: o.Timing.withDefaults(),
		log: o.Log, version: o.Version, byID: map[string]*function{}, timers: map[string]*timer{},
		ready: make(chan struct{}), ended: make(chan struct{}), counts: map[string]int64{}}
	if h.clock == nil {
		h.clock = systemClock{}
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.version == "" {
		h.version = HostVersion
	}
	h.reporter = &reporter{clock: h.clock, sink: o.OnEvent, stats: map[string]FunctionStats{}}
	h.worker = newWorker(h)
	h.launch = h.startProcess
	h.id = h.hostID()
	var functionFaults error
	h.config, err = loadHostConfig(root, h.settings)
	h.functions, functionFaults = loadFunctions(root, h.settings)
	if err := errors.Join(err, functionFaults); err != nil {
		return nil, fmt.Errorf("the app in %s cannot run: %w", root, err)
	}
	h.addFunctions()
	h.listening, h.stopListening = context.WithCancel(context.Background())
	h.invocations, h.endInvocations = context.WithCancelCause(context.Background())
	h.storage, h.endStorage = context.WithCancel(context.Background())
	return h, nil
}

func (h *Host) addFunctions() {
	for _, f := range h.functions {
		h.byID[f.id()] = f
		h.reporter.stats[f.name] = FunctionStats{}
		if f.retry != nil && !f.trigger.is("timerTrigger") {
			h.log.Warn("soon retries will not be supported for this trigger; attempts multiply with those of the queue", "function", f.name)
		}
		if f.trigger.is("blobTrigger") && f.trigger.supportsDeferred() && !f.deferred {
			h.log.Warn("another binding holds a {…} expression: the host falls back to sending the blob's content", "function", f.name)
		}
	}
}

// connect makes the listeners and opens the admin endpoint's port.
func (h *Host) connect(a accounts) error {
	h.accounts = a
	if err := h.prepare(); err != nil {
		return fmt.Errorf("the app in %s cannot run: %w", h.root, err)
	}
	addr := h.options.AdminAddr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var err error
	if h.admin, err = net.Listen("tcp", addr); err != nil {
		return fmt.Errorf("opening the admin endpoint: %w", err)
	}
	return nil
}

// hostID is the setting, the option, or a name made of the app's folder.
func (h *Host) hostID() string {
	if id, ok := h.settings.lookup("AzureFunctionsWebHost__hostid"); ok && id != "" {
		return id
	}
	if h.options.HostID != "" {
		return h.options.HostID
	}
	sum := sha256.Sum256([]byte(h.root))
	return "standin-" + hex.EncodeToString(sum[:6])
}

// prepare makes the listeners, so that a connection that does not exist is
// found before anything runs.
func (h *Host) prepare() error {
	var faults []error
	blobs := false
	for _, f := range h.functions {
		var err error
		switch {
		case f.trigger.is("timerTrigger"):
			h.timers[f.name], err = h.newTimer(f)
		case f.trigger.is("queueTrigger") && h.listensTo(f):
			_, err = h.listenQueue(f)
		case f.trigger.is("blobTrigger"):
			blobs = blobs || h.listensTo(f)
			_, err = h.accounts.blobs(f.trigger.Connection)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("function %s: %w", f.name, err))
		}
	}
	if blobs {
		if _, err := h.listenBlobs(); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// storagePatience bounds the last words to storage that does not answer.
const storagePatience = 5 * time.Second

// Run runs the app until ctx ends or the host ends by itself. When ctx ends the
// listeners stop, open invocations may finish within Timing.Drain, then the
// handler is killed (see Options.LeaveHandler); the result is nil. When the
// real host would end by itself (and exit with code 0), the result is
// ErrHandlerExits, ErrHandlerAbsent or ErrSimultaneousTimeouts.
func (h *Host) Run(ctx context.Context) error {
	if !h.started.CompareAndSwap(false, true) {
		return errors.New("a host runs only once")
	}
	h.log.Warn("this is the STAND-IN Functions host of this project, not Microsoft's", "app", h.root, "functions", len(h.functions), "host id", h.id)
	stopAdmin := h.serveAdmin()
	defer stopAdmin()

	workerCtx, stopWorker := context.WithCancel(context.Background())
	workerDone := make(chan struct{})
	go func() {
		defer close(workerDone)
		h.worker.run(workerCtx)
	}()
	h.background.Go(func() { h.startListeners() })

	var err error
	select {
	case <-ctx.Done():
	case <-h.ended:
		err = h.endErr
		h.log.Error("the host ends", "error", err)
	}
	h.stopListening()
	<-h.background.wait()
	if err == nil {
		h.drain()
	}
	unfinished := h.unfinished()
	h.endInvocations(errAbandoned)
	stopWorker()
	<-workerDone
	if h.options.LeaveHandler && unfinished {
		h.log.Warn("leaving the handler behind, as the real host does")
	} else {
		h.worker.stop()
	}
	select {
	case <-h.open.wait():
	case <-time.After(storagePatience):
		h.endStorage()
		<-h.open.wait()
	}
	h.endStorage()
	return err
}

// listensTo reports whether the function's trigger is served by this host.
func (h *Host) listensTo(f *function) bool {
	return !f.disabled && (h.options.Listen == nil || slices.Contains(h.options.Listen, f.name))
}

// startListeners waits for the handler and starts every trigger.
func (h *Host) startListeners() {
	select {
	case <-h.ready:
	case <-h.listening.Done():
		return
	}
	for _, l := range h.listeners {
		h.background.Go(func() { l.run(h.listening) })
	}
	for _, f := range h.functions {
		switch {
		case !h.listensTo(f):
		case f.trigger.is("timerTrigger"):
			t := h.timers[f.name]
			h.background.Go(func() { t.run(h.listening) })
		case f.trigger.is("blobTrigger") && (!f.eventGrid() || h.options.EmulateEventGrid):
			scan, err := h.newBlobScan(f)
			if err != nil {
				h.log.Error("a container cannot be scanned", "function", f.name, "error", err)
				continue
			}
			h.background.Go(func() { scan.run(h.listening) })
		}
	}
	h.log.Info("job host started")
}

// drain waits for open invocations, for a while.
func (h *Host) drain() {
	if h.timing.Drain < 0 {
		return
	}
	select {
	case <-h.open.wait():
	case <-h.ended:
	case <-h.clock.After(h.timing.Drain):
		h.log.Warn("open invocations are abandoned; their messages stay hidden until their visibility ends")
	}
}

func (h *Host) unfinished() bool {
	select {
	case <-h.open.wait():
		return false
	default:
		return true
	}
}

// end makes Run return err.
func (h *Host) end(err error) {
	h.endOne.Do(func() {
		h.endErr = err
		close(h.ended)
	})
}

func (h *Host) becameReady() { h.readyOne.Do(func() { close(h.ready) }) }

func (h *Host) restartLimit() int {
	if h.options.RestartLimit == 0 {
		return 3
	}
	return h.options.RestartLimit
}

// count counts what happens to a function, from 1, for the fault switches.
func (h *Host) count(what, function string) int64 {
	h.countMu.Lock()
	defer h.countMu.Unlock()
	h.counts[what+"/"+function]++
	return h.counts[what+"/"+function]
}

// WaitReady waits until the handler has answered for the first time and the
// triggers start. It fails when the host ends first.
func (h *Host) WaitReady(ctx context.Context) error {
	select {
	case <-h.ready:
		return nil
	case <-h.ended:
		return h.endErr
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ID is the host id: the name of the host in storage.
func (h *Host) ID() string { return h.id }

// Functions are the names of the app's functions.
func (h *Host) Functions() []string {
	var names []string
	for _, f := range h.functions {
		names = append(names, f.name)
	}
	return names
}

// Stats are the counts of every function so far.
func (h *Host) Stats() map[string]FunctionStats { return h.reporter.snapshot() }

// HandlerPID is the process id of the handler that takes calls, 0 when there is
// none.
func (h *Host) HandlerPID() int {
	h.worker.mu.Lock()
	defer h.worker.mu.Unlock()
	if p := h.worker.current; p != nil && !p.gone() {
		return p.pid
	}
	return 0
}

// uptime is the milliseconds since then, as the admin endpoint shows it.
func (h *Host) uptime(since time.Time) int64 { return h.clock.Now().Sub(since).Milliseconds() }
