package funchost

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// statusPath is where the host keeps the state of a timer.
func statusPath(function string) string { return "timers/hid/Host.Functions." + function + "/status" }

func timerRows() map[string]row {
	onStart := held(func(t *testing.T, tr *transcript) {
		clock := newManualClock(recordedDay)
		b := tr.bench(t, func(a *benchApp) { a.options.Clock = clock })
		b.start()
		same(t, b.request(), tr.exchange)
		b.succeeded()
	})
	return map[string]row{
		"timer-run-on-startup": onStart,
		"func-start-timer":     onStart,
		"timer-admin-invoke": held(func(t *testing.T, tr *transcript) {
			clock := newManualClock(recordedDay)
			b := tr.bench(t, func(a *benchApp) { a.options.Clock = clock })
			b.start()
			b.eventually("the timer has a status", func() bool { return len(b.storage.names(hostContainer)) == 1 })
			if err := b.host.Fire("TimerA", "tick"); err != nil {
				t.Fatal(err)
			}
			same(t, b.request(), tr.exchange)
		}),
		"timer-no-monitor": held(func(t *testing.T, tr *transcript) {
			clock := newManualClock(recordedDay)
			b := tr.bench(t, func(a *benchApp) { a.options.Clock = clock })
			b.start()
			if err := b.host.Fire("TimerNoMon", "x"); err != nil {
				t.Fatal(err)
			}
			same(t, b.request(), tr.exchange)
			if names := b.storage.names(hostContainer); len(names) != 0 {
				t.Errorf("wrote %v, want no status", names)
			}
		}),
		"timer-past-due": held(func(t *testing.T, tr *transcript) {
			clock := newManualClock(recordedDay)
			b := tr.bench(t, func(a *benchApp) { a.options.Clock = clock })
			_ = b.storage.write(t.Context(), hostContainer, statusPath("TP"),
				[]byte(`{"Last":"2026-11-20T02:30:00+00:00","Next":"2026-11-21T02:30:00+00:00","LastUpdated":"2026-11-20T02:30:00+00:00"}`))
			b.start()
			same(t, b.request(), tr.exchange)
			b.succeeded()
			b.eventually("the status is written again", func() bool {
				s := b.timerStatus("TP")
				return s.Last.Equal(recordedDay) && s.Next.Equal(time.Date(2026, 11, 23, 2, 30, 0, 0, time.UTC))
			})
			if len(b.handler.requests) != 0 {
				t.Error("more than one immediate run")
			}
		}),
		"timer-retry-policy": held(func(t *testing.T, tr *transcript) {
			clock := newManualClock(recordedDay)
			b := tr.bench(t, func(a *benchApp) { a.options.Clock = clock })
			b.start()
			ids := map[string]bool{}
			for i, e := range append([]exchange{tr.exchange}, tr.MoreExchanges...) {
				if i > 0 {
					b.eventually("the policy waits its three seconds", func() bool { return clock.waiting(3 * time.Second) })
					clock.advance(3 * time.Second)
				}
				r := b.request()
				same(t, r, e)
				ids[r.header("X-Azure-Functions-InvocationId")] = true
			}
			if len(ids) != 1 {
				t.Error("the attempts of one policy run must share their invocation id")
			}
		}),
		"timer-short-interval-no-overlap": held(func(t *testing.T, tr *transcript) {
			clock := newManualClock(time.Date(2026, 11, 22, 3, 26, 14, 2919000, time.UTC))
			reply := make(chan struct{})
			b := tr.bench(t, func(a *benchApp) {
				a.options.Clock = clock
				a.answer = func(r *wireRequest) wireReply { <-reply; return ok(r) }
			})
			b.start()
			b.eventually("the timer waits for its tick", func() bool { return clock.waiting(2*time.Second - 2919*time.Microsecond) })
			clock.advance(2 * time.Second)
			for _, e := range append([]exchange{tr.exchange}, tr.MoreExchanges...) {
				same(t, b.request(), e)
				clock.advance(5 * time.Second) // two ticks pass while it runs
				if len(b.handler.requests) != 0 {
					t.Error("two runs at once")
				}
				reply <- struct{}{} // and the next run follows at once, as recorded
			}
			close(reply)
		}),
		"timer-timespan-schedule": held(func(t *testing.T, tr *transcript) {
			clock := newManualClock(recordedDay)
			b := tr.bench(t, func(a *benchApp) { a.options.Clock = clock })
			b.start()
			for _, e := range append([]exchange{tr.exchange}, tr.MoreExchanges...) {
				b.eventually("the timer waits", func() bool { return clock.waiting(4 * time.Second) })
				clock.advance(4 * time.Second)
				same(t, b.request(), e)
			}
		}),
	}
}

func (b *bench) timerStatus(function string) (s timerStatus) {
	b.t.Helper()
	blob, err := b.storage.get(hostContainer, statusPath(function))
	if err == nil {
		err = json.Unmarshal(blob.data, &s)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func TestSchedules(t *testing.T) {
	at := func(s string) time.Time {
		d, err := time.Parse("2006-01-02 15:04:05", s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct{ schedule, from, want string }{
		{"0 0 1 * * *", "2026-11-22 00:59:59", "2026-11-22 01:00:00"},
		{"0 0 1 * * *", "2026-11-22 01:00:00", "2026-11-23 01:00:00"},
		{"*/2 * * * * *", "2026-11-22 23:59:59", "2026-11-23 00:00:00"},
		{"0 30 2 1 * *", "2026-12-01 02:30:00", "2027-01-01 02:30:00"},
		{"0 0 9-17/4 * * mon-fri", "2026-11-20 17:30:00", "2026-11-23 09:00:00"},
		{"0 0 0 13 * fri", "2026-11-14 00:00:00", "2027-08-13 00:00:00"}, // both, not either
		{"0 0 0 29 feb *", "2026-11-14 00:00:00", "2028-02-29 00:00:00"},
		{"5,10 * * * *", "2026-11-22 10:05:00", "2026-11-22 10:10:00"},
		{"00:00:04", "2026-11-22 10:05:00", "2026-11-22 10:05:04"},
		{"1.00:00:00", "2026-11-22 10:05:00", "2026-11-23 10:05:00"},
	} {
		s, err := parseSchedule(c.schedule)
		if err != nil {
			t.Errorf("%s: %v", c.schedule, err)
			continue
		}
		if got := s.next(at(c.from)); !got.Equal(at(c.want)) {
			t.Errorf("%s after %s is %s, want %s", c.schedule, c.from, got, c.want)
		}
	}
	for _, bad := range []string{"", "0 0 25 * * *", "a b c d e f", "* * * *", "0 0 0 0 * *", "00:00:00", "*/0 * * * * *"} {
		if _, err := parseSchedule(bad); err == nil {
			t.Errorf("%q was taken for a schedule", bad)
		}
	}
	if s, _ := parseSchedule("0 0 0 31 feb *"); !s.next(at("2026-11-22 10:05:00")).IsZero() {
		t.Error("a day that never comes has an occurrence")
	}
}

func TestTimeSpans(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"00:00:01": time.Second, "01:02:03": time.Hour + 2*time.Minute + 3*time.Second, "1.00:00:00": 24 * time.Hour,
		"00:00:00.1500000": 150 * time.Millisecond, "00:05": 5 * time.Minute, "2": 48 * time.Hour, "-00:00:01": -time.Second,
	} {
		got, err := parseTimeSpan(text)
		if err != nil || got != want {
			t.Errorf("%s is %v (%v), want %v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "1:2:3:4", "25:00:00", "00:60:00", "x", "00:00:00.12345678"} {
		if _, err := parseTimeSpan(bad); err == nil {
			t.Errorf("%q was taken for a time span", bad)
		}
	}
}

// TestTimerStateSurvives: the second start finds the status of the first and
// does not run again.
func TestTimerStateSurvives(t *testing.T) {
	clock := newManualClock(recordedDay)
	app := benchApp{options: Options{Clock: clock}, functions: map[string]any{"T": oneBinding("timerTrigger", "t", "schedule", "0 0 1 * * *")}}
	first := newBench(t, app)
	first.start()
	first.eventually("the timer has a status", func() bool { return len(first.storage.names(hostContainer)) == 1 })
	first.stop()
	want := first.timerStatus("T")

	second := newBench(t, app)
	second.storage.blobsM = first.storage.blobsM
	clock.advance(time.Hour)
	second.start()
	second.eventually("the timer waits", func() bool { return clock.waiting(time.Minute) })
	if got := second.timerStatus("T"); !cmp.Equal(got, want) {
		t.Errorf("the status changed to %v", got)
	}
	if len(second.handler.requests) != 0 {
		t.Error("the function ran without being due")
	}
}
