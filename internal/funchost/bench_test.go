package funchost

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// bench runs a host against storage in memory and a recording handler.
type bench struct {
	t       *testing.T
	host    *Host
	storage *fakeAccounts
	handler *wireHandler
	events  chan Event
	kills   chan struct{}

	cancel context.CancelFunc
	result chan error
	once   sync.Once
}

type benchApp struct {
	hostJSON  any
	functions map[string]any
	options   Options
	answer    func(*wireRequest) wireReply
	now       func() time.Time
}

func ok(*wireRequest) wireReply {
	return wireReply{status: 200, headers: [][2]string{{"Content-Type", "application/json"}}, body: "{}"}
}

// patience bounds what a test waits for before it says that it never came.
const patience = 20 * time.Second

func newBench(t *testing.T, app benchApp) *bench {
	t.Helper()
	if app.answer == nil {
		app.answer = ok
	}
	if app.now == nil {
		app.now = time.Now
		if c := app.options.Clock; c != nil {
			app.now = c.Now
		}
	}
	b := &bench{t: t, storage: newFakeAccounts(app.now), handler: newWireHandler(t, app.answer),
		events: make(chan Event, 10000), kills: make(chan struct{}, 100), result: make(chan error, 1)}
	o := app.options
	o.AppRoot = writeApp(t, app.hostJSON, app.functions)
	o.Env = append([]string{"AzureWebJobsStorage=unused"}, o.Env...)
	o.HostID = "hid"
	o.OnEvent = func(e Event) { b.events <- e }
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	if o.Timing.Restart == 0 {
		o.Timing.Restart = time.Millisecond
	}
	if o.Timing.MinimumPolling == 0 {
		o.Timing.MinimumPolling = time.Millisecond
	}
	if o.Timing.BlobScan == 0 {
		o.Timing.BlobScan = 5 * time.Millisecond
	}
	if o.Clock != nil && o.Timing.Drain == 0 {
		o.Timing.Drain = -1 // a clock that stands still would drain for ever
	}
	h, err := newHost(o)
	if err != nil {
		t.Fatal(err)
	}
	h.config.queues.maxPollingInterval = 5 * time.Millisecond
	if err := h.connect(b.storage); err != nil {
		t.Fatal(err)
	}
	h.launch = b.launch
	b.host = h
	return b
}

// launch stands for a handler process: its exit is what kill makes of it.
func (b *bench) launch() (*process, error) {
	p := &process{pid: 1, exited: make(chan struct{}), caller: &caller{
		address: b.handler.listener.Addr().String(), version: b.host.version, framing: b.host.options.Framing}}
	var once sync.Once
	p.kill = func() {
		once.Do(func() {
			b.kills <- struct{}{}
			p.code = 137
			p.caller.close()
			close(p.exited)
		})
	}
	return p, nil
}

func (b *bench) start() {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	go func() { b.result <- b.host.Run(ctx) }()
	b.t.Cleanup(func() { b.stop() })
}

// stop ends the host and returns what Run returned.
func (b *bench) stop() (err error) {
	b.once.Do(func() {
		b.cancel()
		select {
		case err = <-b.result:
		case <-time.After(patience):
			b.t.Error("the host did not end")
		}
	})
	return err
}

// request waits for the next request to the handler.
func (b *bench) request() *wireRequest {
	b.t.Helper()
	select {
	case r := <-b.handler.requests:
		return r
	case <-time.After(patience):
		b.t.Fatal("the handler was not called")
		return nil
	}
}

// await waits for an event of that kind.
func (b *bench) await(kind EventKind) Event {
	b.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-b.events:
			if e.Kind == kind {
				return e
			}
		case <-deadline:
			b.t.Fatalf("no event %q came", kind)
		}
	}
}

// eventually waits until something in storage holds.
func (b *bench) eventually(what string, holds func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			b.t.Fatalf("never so: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func writeApp(t *testing.T, hostJSON any, functions map[string]any) string {
	t.Helper()
	root := t.TempDir()
	if hostJSON == nil {
		hostJSON = map[string]any{"version": "2.0", "customHandler": map[string]any{"description": map[string]any{"defaultExecutablePath": "handler"}}}
	}
	write := func(path string, v any) {
		data, err := json.Marshal(v)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o777)
		}
		if err == nil {
			err = os.WriteFile(path, data, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(root, "host.json"), hostJSON)
	for name, f := range functions {
		write(filepath.Join(root, name, "function.json"), f)
	}
	return root
}

// oneBinding is a function.json with a single binding.
func oneBinding(kind, name string, attributes ...any) map[string]any {
	b := map[string]any{"name": name, "type": kind, "direction": "in"}
	for i := 0; i < len(attributes); i += 2 {
		b[fmt.Sprint(attributes[i])] = attributes[i+1]
	}
	return map[string]any{"bindings": []any{b}}
}
