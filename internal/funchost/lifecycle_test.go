package funchost

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestHandlerStart(t *testing.T) {
	s := newStage(t, stageApp{options: Options{Settings: map[string]string{"TEST_SETTING": "from settings"}}})
	c := s.up()
	for _, name := range []string{"FUNCTIONS_HTTPWORKER_PORT", "FUNCTIONS_HTTPWORKER_ID", "FUNCTIONS_CUSTOMHANDLER_PORT",
		"FUNCTIONS_CUSTOMHANDLER_WORKER_ID", "FUNCTIONS_APP_ROOT_PATH"} {
		if c.Env[name] == "" {
			t.Errorf("%s is not set", name)
		}
	}
	if c.Env["FUNCTIONS_HTTPWORKER_PORT"] != c.Env["FUNCTIONS_CUSTOMHANDLER_PORT"] || c.Env["FUNCTIONS_HTTPWORKER_ID"] != c.Env["FUNCTIONS_CUSTOMHANDLER_WORKER_ID"] {
		t.Error("the two names of port and id differ")
	}
	if c.Env["FUNCTIONS_APP_ROOT_PATH"] != s.host.root || c.Dir != s.host.root {
		t.Errorf("app root %s, cwd %s, want %s", c.Env["FUNCTIONS_APP_ROOT_PATH"], c.Dir, s.host.root)
	}
	if c.Env["TEST_SETTING"] != "from settings" {
		t.Error("a setting did not reach the handler")
	}
	if c.Stdin != "" && c.Stdin != "/dev/null" {
		t.Errorf("stdin is %s", c.Stdin)
	}
	lines := map[string]bool{}
	for range 2 {
		e := s.await(Console)
		lines[e.Line] = e.Stderr
	}
	if stderr, ok := lines["listening"]; !ok || stderr {
		t.Error("stdout did not arrive")
	}
	if stderr, ok := lines["a warning of no weight"]; !ok || !stderr {
		t.Error("stderr did not arrive")
	}
	s.stop()
	if alive(c.PID) {
		t.Error("the handler was left behind")
	}
}

func TestPing(t *testing.T) {
	b := newBench(t, benchApp{functions: map[string]any{"Q": oneBinding("queueTrigger", "q", "queueName", "q")}})
	b.start()
	if err := b.host.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := <-b.handler.pings
	if len(p.headers) != 1 || p.headers[0][0] != "Host" {
		t.Errorf("the ping has headers %v, recorded only Host", p.headers)
	}
	_ = b.storage.q("q").put(t.Context(), b64("x"))
	b.request()
	if len(b.handler.pings) != 0 {
		t.Error("a ready handler was pinged again")
	}
}

func TestExecutableAndArguments(t *testing.T) {
	s := newStage(t, stageApp{handler: map[string]any{"arguments": []string{"--a", "%ARG%"}, "workingDirectory": "QL"},
		options: Options{Settings: map[string]string{"ARG": "from env"}}})
	c := s.up()
	if got := fmt.Sprintf("%q", c.Args[1:]); got != `["--a" "from" "env"]` {
		t.Errorf("arguments %s", got)
	}
	if c.Dir != filepath.Join(s.host.root, "QL") {
		t.Errorf("cwd %s", c.Dir)
	}
}

func TestOverrideBySetting(t *testing.T) {
	self := newStage(t, stageApp{}).host.config.handler.executable
	s := newStage(t, stageApp{handler: map[string]any{"defaultExecutablePath": "nothere"},
		options: Options{Settings: map[string]string{"AzureFunctionsJobHost__customHandler__description__defaultExecutablePath": self}}})
	s.up()
}

func TestExecutableMissing(t *testing.T) {
	s := newStage(t, stageApp{handler: map[string]any{"defaultExecutablePath": "nothere"}})
	s.start()
	s.send("q", "m")
	s.quiet("there is no program")
	if err := s.stop(); err != nil {
		t.Errorf("the host ended by itself: %v", err)
	}
	if n := len(s.storage.q("q").texts()); n != 1 {
		t.Error("the message was touched")
	}
}

func TestExitIsRestarted(t *testing.T) {
	for name, o := range map[string]order{"1": {Exit: 1}, "200": {Exit: 200}, "SIGKILL": {Kill: true}} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, stageApp{})
			first := s.up()
			s.send("q", "m1")
			s.call("request").order <- o
			if e := s.await(InvocationEnded); e.Outcome != Failed {
				t.Errorf("the open invocation %s", e.Outcome)
			}
			if second := s.begin(); second.PID == first.PID {
				t.Error("not a new process")
			}
			again := s.call("request")
			if again.dequeueCount() == "1" {
				t.Error("the attempt was not counted")
			}
			again.order <- answer
			s.eventually("the message is done", func() bool { return len(s.storage.q("q").texts()) == 0 })
		})
	}
}

// TestExit200IsNotCounted: more than three are no reason to end.
func TestExit200IsNotCounted(t *testing.T) {
	s := newStage(t, stageApp{})
	s.start()
	for range 5 {
		s.call("start").order <- order{Exit: 200}
	}
	s.begin()
	s.await(HandlerReady)
}

func TestExitZeroIsFinal(t *testing.T) {
	s := newStage(t, stageApp{})
	s.up()
	s.send("q", "m1")
	s.call("request").order <- order{Exit: 0}
	s.await(HandlerExited)
	s.send("q", "m2")
	poison := s.storage.q("q-poison")
	s.eventually("both messages are poisoned within moments", func() bool { return len(poison.texts()) == 2 })
	s.quiet("a process that exited with 0 is not started again")
	if r, _ := s.post("GET", "/admin/host/status", ""); r.StatusCode != 200 {
		t.Error("the host is not Running any more")
	}
}

func TestThirdExitEndsTheHost(t *testing.T) {
	s := newStage(t, stageApp{host: map[string]any{"extensions": map[string]any{"queues": map[string]any{"maxDequeueCount": 1000}}}})
	s.up()
	s.send("q", "m0")
	for range 2 {
		s.call("request").order <- order{Exit: 1}
		s.begin()
	}
	s.call("request").order <- order{Exit: 1}
	if err := s.runResult(); !errors.Is(err, ErrHandlerExits) {
		t.Errorf("the host ended with %v", err)
	}
	if n := len(s.storage.q("q").texts()); n != 1 {
		t.Error("the message is gone")
	}
}

// TestErrorsAreForgotten: errors further apart than the window do not add up.
func TestErrorsAreForgotten(t *testing.T) {
	s := newStage(t, stageApp{options: Options{Timing: Timing{ErrorWindow: time.Nanosecond}}})
	s.start()
	for range 5 {
		s.call("start").order <- order{Exit: 1}
	}
	s.begin()
	s.await(HandlerReady)
}

func TestStartExits(t *testing.T) {
	t.Run("1", func(t *testing.T) {
		s := newStage(t, stageApp{})
		s.start()
		s.send("q", "m")
		for range 3 {
			s.call("start").order <- order{Exit: 1}
		}
		if err := s.runResult(); !errors.Is(err, ErrHandlerExits) {
			t.Errorf("the host ended with %v", err)
		}
		if n := len(s.storage.q("q").texts()); n != 1 {
			t.Error("the message was touched")
		}
	})
	t.Run("0", func(t *testing.T) {
		s := newStage(t, stageApp{init: "00:00:00.2000000"})
		s.start()
		s.call("start").order <- order{Exit: 0}
		begin := time.Now()
		s.call("start")
		if time.Since(begin) < 150*time.Millisecond {
			t.Error("the exit was noticed before the time-out")
		}
	})
}

func TestSlowStart(t *testing.T) {
	t.Run("in time", func(t *testing.T) {
		s := newStage(t, stageApp{init: "00:00:20"})
		s.start()
		s.send("q", "m")
		c := s.call("start")
		time.Sleep(50 * time.Millisecond) // it is the passing of time that is tested
		c.order <- answer
		s.call("request").order <- answer
		s.eventually("the message is done", func() bool { return len(s.storage.q("q").texts()) == 0 })
	})
	t.Run("too late", func(t *testing.T) {
		s := newStage(t, stageApp{init: "00:00:00.1500000"})
		s.start()
		s.send("q", "m")
		for range 3 {
			c := s.call("start")
			c.order <- order{Exit: -1, Silent: true}
			s.eventually("it is killed", func() bool { return !alive(c.PID) })
		}
		if err := s.runResult(); !errors.Is(err, ErrHandlerExits) {
			t.Errorf("the host ended with %v", err)
		}
		if n := len(s.storage.q("q").texts()); n != 1 {
			t.Error("the message was touched")
		}
	})
	t.Run("by switch", func(t *testing.T) {
		s := newStage(t, stageApp{options: Options{Faults: Faults{SlowStart: func(int64) time.Duration { return 50 * time.Millisecond }}}})
		begin := time.Now()
		s.up()
		s.await(HandlerReady)
		if time.Since(begin) < 50*time.Millisecond {
			t.Error("it was ready at once")
		}
	})
}

func TestCrashFailsEverythingOpen(t *testing.T) {
	s := newStage(t, stageApp{})
	s.up()
	var open []*stageCall
	for i := range 4 {
		s.send("q", fmt.Sprint(i))
	}
	for range 4 {
		open = append(open, s.call("request"))
	}
	open[2].order <- order{Exit: 1}
	for range 4 {
		if e := s.await(InvocationEnded); e.Outcome != Failed {
			t.Errorf("an invocation %s", e.Outcome)
		}
	}
	s.begin()
	for range 4 {
		again := s.call("request")
		if again.dequeueCount() == "1" {
			t.Error("the attempt was not counted")
		}
		again.order <- answer
	}
	s.eventually("all messages are done", func() bool { return len(s.storage.q("q").texts()) == 0 })
}

var twoQueues = map[string]any{
	"QSlow":  oneBinding("queueTrigger", "q", "queueName", "slow"),
	"QOther": oneBinding("queueTrigger", "q", "queueName", "other"),
}

// TestFunctionTimeout: the process is killed and everything else in it fails.
func TestFunctionTimeout(t *testing.T) {
	s := newStage(t, stageApp{functions: twoQueues, options: Options{Faults: Faults{Timeout: func(f string, n int64) time.Duration {
		if f == "QSlow" && n == 1 {
			return 100 * time.Millisecond
		}
		return time.Hour
	}}}})
	first := s.up()
	s.send("other", "o")
	s.call("request")
	s.send("slow", "s")
	s.call("request")
	outcomes := map[string]Outcome{}
	for range 2 {
		e := s.await(InvocationEnded)
		outcomes[e.Function] = e.Outcome
	}
	if outcomes["QSlow"] != TimedOut || outcomes["QOther"] != Failed {
		t.Errorf("outcomes %v", outcomes)
	}
	s.begin()
	for range 2 {
		again := s.call("request")
		if again.dequeueCount() == "1" {
			t.Error("the attempt was not counted")
		}
		again.order <- answer
	}
	if alive(first.PID) {
		t.Error("the first process lives")
	}
	s.eventually("both are done", func() bool { return len(s.storage.q("slow").texts())+len(s.storage.q("other").texts()) == 0 })
}

func TestSimultaneousTimeouts(t *testing.T) {
	run := func(t *testing.T, survive bool) *stage {
		s := newStage(t, stageApp{functions: twoQueues, options: Options{SurviveTimeouts: survive, Timing: Timing{TimeoutKill: 500 * time.Millisecond, Drain: -1},
			Faults: Faults{Timeout: func(_ string, n int64) time.Duration {
				if n == 1 {
					return 200 * time.Millisecond
				}
				return time.Hour
			}}}})
		s.up()
		s.send("slow", "s")
		s.send("other", "o")
		s.call("request")
		s.call("request")
		return s
	}
	t.Run("end the host", func(t *testing.T) {
		if err := run(t, false).runResult(); !errors.Is(err, ErrSimultaneousTimeouts) {
			t.Errorf("the host ended with %v", err)
		}
	})
	t.Run("are survived by switch", func(t *testing.T) {
		s := run(t, true)
		s.begin()
		for range 2 {
			s.call("request").order <- answer
		}
	})
}

func TestDrain(t *testing.T) {
	t.Run("short", func(t *testing.T) {
		s := newStage(t, stageApp{})
		c := s.up()
		s.send("q", "inflight")
		open := s.call("request")
		s.cancel()
		<-s.host.listening.Done()
		s.send("q", "next")
		s.quiet("listeners have stopped")
		open.order <- answer
		if err := s.runResult(); err != nil {
			t.Error(err)
		}
		if got := s.storage.q("q").texts(); len(got) != 1 || got[0] != b64("next") {
			t.Errorf("left on the queue: %q", got)
		}
		if alive(c.PID) {
			t.Error("the handler was left behind")
		}
	})
	long := func(t *testing.T, leave bool) int {
		s := newStage(t, stageApp{options: Options{LeaveHandler: leave, Timing: Timing{Drain: 20 * time.Millisecond}}})
		c := s.up()
		s.send("q", "inflight")
		s.call("request")
		s.stop()
		q := s.storage.q("q")
		if len(q.texts()) != 1 || !q.messages[0].hidden {
			t.Error("the message must stay, and stay hidden")
		}
		return c.PID
	}
	t.Run("long", func(t *testing.T) {
		if alive(long(t, false)) {
			t.Error("the handler was left behind")
		}
	})
	t.Run("long, leaving the handler", func(t *testing.T) {
		pid := long(t, true)
		if !alive(pid) {
			t.Error("the handler was killed")
		}
		_ = syscall.Kill(pid, syscall.SIGKILL)
	})
}

// TestSameProcessGroup: Ctrl-C in a terminal reaches the handler because it is
// in the host's process group.
func TestSameProcessGroup(t *testing.T) {
	s := newStage(t, stageApp{})
	c := s.up()
	if own, err := syscall.Getpgid(0); err != nil || c.Group != own {
		t.Errorf("the handler's group is %d, the host's %d", c.Group, own)
	}
	s.await(HandlerReady)
	_ = syscall.Kill(c.PID, syscall.SIGINT)
	s.call("SIGINT").order <- answer
}

// TestDrainOfATimer: a timer's run is waited for like any other, and no longer.
func TestDrainOfATimer(t *testing.T) {
	timer := oneBinding("timerTrigger", "t", "schedule", "0 0 1 1 1 *", "runOnStartup", true)
	s := newStage(t, stageApp{functions: map[string]any{"T": timer}, options: Options{Timing: Timing{Drain: 20 * time.Millisecond}}})
	s.up()
	s.call("request")
	s.stop()
	if got := s.host.Stats()["T"]; got.Abandoned != 1 || got.Running != 0 {
		t.Errorf("stats %+v", got)
	}
	if got := s.timerStatus("T"); !got.Last.IsZero() {
		t.Errorf("a run that was cut off is recorded as done at %s", got.Last)
	}
}

// TestInstances: two hosts of one app, each with its own functions.
func TestInstances(t *testing.T) {
	functions := map[string]any{
		"A": oneBinding("queueTrigger", "q", "queueName", "a"),
		"B": oneBinding("queueTrigger", "q", "queueName", "b"),
	}
	storage := newFakeAccounts(time.Now)
	a := newStage(t, stageApp{functions: functions, storage: storage, options: Options{Listen: []string{"A"}}})
	b := newStage(t, stageApp{functions: functions, storage: storage, options: Options{Listen: []string{"B"}}})
	if a.up().PID == b.up().PID {
		t.Error("one process for two instances")
	}
	a.send("a", "m")
	a.send("b", "m")
	for s, want := range map[*stage]string{a: "A", b: "B"} {
		c := s.call("request")
		if c.Function != want {
			t.Errorf("called for %s, want %s", c.Function, want)
		}
		c.order <- answer
	}
}
