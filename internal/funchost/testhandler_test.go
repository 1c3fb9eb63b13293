package funchost

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// controlVariable tells the test binary that it is to be the handler, and where
// its orders are.
const controlVariable = "FUNCHOST_TEST_CONTROL"

func TestMain(m *testing.M) {
	if url := os.Getenv(controlVariable); url != "" {
		beHandler(url)
	}
	os.Exit(m.Run())
}

// order is what the test tells a handler process to do about its start or about
// one request.
type order struct {
	Exit   int  // exit with this code, if above -1
	Kill   bool // kill itself
	Silent bool // at the start: do not listen
	Status int  // else answer
	Body   string
}

var answer = order{Exit: -1, Status: 200, Body: "{}"}

// hello is what a handler process says of itself and of each request.
type hello struct {
	Event    string // "start", "request", "SIGINT"
	PID      int
	Args     []string
	Dir      string
	Env      map[string]string
	Stdin    string
	Group    int
	Function string
	Body     string
}

// beHandler is the handler program: it tells the test everything and does as it
// is told.
func beHandler(control string) {
	dir, _ := os.Getwd()
	env := map[string]string{}
	for _, e := range os.Environ() {
		if name, value, _ := strings.Cut(e, "="); strings.HasPrefix(name, "FUNCTIONS_") || strings.HasPrefix(name, "TEST_") {
			env[name] = value
		}
	}
	stdin, _ := os.Readlink("/proc/self/fd/0")
	ask := func(h hello) order {
		h.PID = os.Getpid()
		body, _ := json.Marshal(h)
		r, err := http.Post(control, "application/json", strings.NewReader(string(body)))
		if err != nil {
			os.Exit(99)
		}
		defer r.Body.Close()
		var o order
		if json.NewDecoder(r.Body).Decode(&o) != nil {
			os.Exit(98)
		}
		if o.Kill {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		if o.Exit >= 0 {
			os.Exit(o.Exit)
		}
		return o
	}
	group, _ := syscall.Getpgid(0)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	go func() {
		for range signals {
			ask(hello{Event: "SIGINT"})
		}
	}()
	if o := ask(hello{Event: "start", Args: os.Args, Dir: dir, Env: env, Stdin: stdin, Group: group}); o.Silent {
		select {}
	}
	fmt.Println("listening")
	fmt.Fprintln(os.Stderr, "a warning of no weight")
	_ = http.ListenAndServe("127.0.0.1:"+os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		body, _ := io.ReadAll(r.Body)
		o := ask(hello{Event: "request", Function: strings.TrimPrefix(r.URL.Path, "/"), Body: string(body)})
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(o.Status)
		_, _ = io.WriteString(w, o.Body)
	}))
}

// stage runs a host with real handler processes and storage in memory.
type stage struct {
	*bench
	calls chan *stageCall
}

// stageCall is a handler process that waits for its order.
type stageCall struct {
	hello
	order chan order
}

type stageApp struct {
	host      map[string]any // of host.json, beside customHandler
	handler   map[string]any // of customHandler.description
	init      string         // initializationTimeout
	functions map[string]any
	options   Options
	storage   *fakeAccounts
}

func newStage(t *testing.T, app stageApp) *stage {
	t.Helper()
	s := &stage{calls: make(chan *stageCall, 100)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	control := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &stageCall{order: make(chan order, 1)}
		if json.NewDecoder(r.Body).Decode(&c.hello) != nil {
			return
		}
		s.calls <- c
		select {
		case o := <-c.order:
			_ = json.NewEncoder(w).Encode(o)
		case <-r.Context().Done():
		case <-done:
		}
	})}
	go func() { _ = control.Serve(l) }()
	t.Cleanup(func() { close(done); control.Close() })

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	description := map[string]any{"defaultExecutablePath": self}
	for k, v := range app.handler {
		description[k] = v
	}
	custom := map[string]any{"description": description}
	if app.init != "" {
		custom["initializationTimeout"] = app.init
	}
	hostJSON := map[string]any{"version": "2.0", "customHandler": custom}
	for k, v := range app.host {
		hostJSON[k] = v
	}
	if app.functions == nil {
		app.functions = map[string]any{"QL": oneBinding("queueTrigger", "queueItem", "queueName", "q")}
	}
	o := app.options
	o.AppRoot = writeApp(t, hostJSON, app.functions)
	if o.Env == nil {
		o.Env = os.Environ()
	}
	o.Env = append(o.Env, "AzureWebJobsStorage=unused", controlVariable+"=http://"+l.Addr().String())
	o.HostID = "hid"
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.Timing.Ping, 2 * time.Millisecond}, {&o.Timing.Restart, 5 * time.Millisecond}, {&o.Timing.RestartInit, 5 * time.Millisecond},
		{&o.Timing.MinimumPolling, time.Millisecond}, {&o.Timing.BlobScan, 5 * time.Millisecond},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	b := &bench{t: t, events: make(chan Event, 10000), result: make(chan error, 1), storage: app.storage}
	if b.storage == nil {
		b.storage = newFakeAccounts(time.Now)
	}
	o.OnEvent = func(e Event) { b.events <- e }
	o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	h, err := newHost(o)
	if err != nil {
		t.Fatal(err)
	}
	h.config.queues.maxPollingInterval = 5 * time.Millisecond
	if err := h.connect(b.storage); err != nil {
		t.Fatal(err)
	}
	b.host = h
	s.bench = b
	return s
}

// call waits for a handler process to speak.
func (s *stage) call(event string) *stageCall {
	s.t.Helper()
	select {
	case c := <-s.calls:
		if c.Event != event {
			s.t.Fatalf("a handler says %q, want %q", c.Event, event)
		}
		return c
	case <-time.After(patience):
		s.t.Fatalf("no handler says %q", event)
		return nil
	}
}

// up starts the host and lets the first process listen.
func (s *stage) up() *stageCall {
	s.t.Helper()
	s.start()
	return s.begin()
}

// begin lets the next process listen.
func (s *stage) begin() *stageCall {
	s.t.Helper()
	c := s.call("start")
	c.order <- answer
	return c
}

func (s *stage) send(queue, text string) {
	s.t.Helper()
	if err := s.storage.q(queue).put(s.t.Context(), b64(text)); err != nil {
		s.t.Fatal(err)
	}
}

// dequeueCount reads the metadata of a request.
func (c *stageCall) dequeueCount() string {
	var e struct{ Metadata map[string]any }
	_ = json.Unmarshal([]byte(c.Body), &e)
	s, _ := e.Metadata["DequeueCount"].(string)
	return s
}

// quiet checks that no handler speaks for a moment.
func (s *stage) quiet(why string) {
	s.t.Helper()
	select {
	case c := <-s.calls:
		s.t.Errorf("a handler says %q: %s", c.Event, why)
	case <-time.After(30 * time.Millisecond):
	}
}

// runResult waits for Run to return by itself.
func (s *stage) runResult() (err error) {
	s.t.Helper()
	s.once.Do(func() {
		select {
		case err = <-s.result:
		case <-time.After(patience):
			s.t.Fatal("the host does not end")
		}
		s.cancel()
	})
	return err
}

// alive reports whether a process runs.
func alive(pid int) bool {
	return syscall.Kill(pid, 0) == nil
}
