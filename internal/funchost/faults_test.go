package funchost

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func faultyBlobs(t *testing.T, f Faults) *bench {
	t.Helper()
	return newBench(t, benchApp{options: Options{Faults: f}, functions: map[string]any{
		"B": oneBinding("blobTrigger", "blob", "path", "c/{name}", "properties", map[string]any{"supportsDeferredBinding": true})}})
}

// called is the blob that a request is about.
func called(r *wireRequest) string {
	_, rest, _ := strings.Cut(r.body, `"name":"\"`)
	name, _, _ := strings.Cut(rest, `\`)
	return name
}

func TestBlobEventFaults(t *testing.T) {
	t.Run("lost", func(t *testing.T) {
		b := faultyBlobs(t, Faults{BlobEvent: func(e BlobEvent, _ int64) []Delivery {
			if e.Blob == "a" {
				return []Delivery{}
			}
			return nil
		}})
		b.storage.upload("c", "a", nil, octets, nil)
		b.storage.upload("c", "b", nil, octets, nil)
		b.start()
		if got := called(b.request()); got != "b" {
			t.Errorf("called for %s, whose event is lost", got)
		}
	})
	t.Run("duplicate", func(t *testing.T) {
		b := faultyBlobs(t, Faults{BlobEvent: func(BlobEvent, int64) []Delivery { return make([]Delivery, 3) }})
		b.storage.upload("c", "a", nil, octets, nil)
		b.start()
		for range 3 {
			if got := called(b.request()); got != "a" {
				t.Errorf("called for %s", got)
			}
		}
	})
	t.Run("late and reordered", func(t *testing.T) {
		b := faultyBlobs(t, Faults{BlobEvent: func(_ BlobEvent, n int64) []Delivery {
			if n == 1 {
				return []Delivery{{After: 100 * time.Millisecond}}
			}
			return nil
		}})
		b.storage.upload("c", "a", nil, octets, nil)
		b.storage.upload("c", "b", nil, octets, nil)
		b.start()
		if got := []string{called(b.request()), called(b.request())}; !cmp.Equal(got, []string{"b", "a"}) {
			t.Errorf("called for %v, want the first event last", got)
		}
	})
}

// TestEventOfAGoneBlob: the real host drops it without a call; the switch makes
// the race in which the handler is called all the same.
func TestEventOfAGoneBlob(t *testing.T) {
	b := faultyBlobs(t, Faults{Ghost: func(e BlobEvent, _ int64) bool { return e.Blob == "ghost" }})
	b.start()
	for _, name := range []string{"gone", "ghost"} {
		if err := b.host.SendBlobEvent(t.Context(), BlobEvent{Function: "B", Container: "c", Blob: name, ETag: `"0x1"`}); err != nil {
			t.Fatal(err)
		}
	}
	if got := called(b.request()); got != "ghost" {
		t.Errorf("called for %s", got)
	}
}

var queueApp = map[string]any{"Q": oneBinding("queueTrigger", "q", "queueName", "q", "dataType", "binary")}

func TestDuplicateMessage(t *testing.T) {
	b := newBench(t, benchApp{functions: queueApp, options: Options{Faults: Faults{DuplicateMessage: Once("Q", 1)}}})
	_ = b.storage.q("q").put(t.Context(), b64("m"))
	b.start()
	first, second := b.request(), b.request()
	if first.header("X-Azure-Functions-InvocationId") == second.header("X-Azure-Functions-InvocationId") {
		t.Error("both deliveries have one invocation id")
	}
	b.eventually("the message is deleted", func() bool { return len(b.storage.q("q").texts()) == 0 })
	if len(b.handler.requests) != 0 {
		t.Error("more than two deliveries")
	}
}

// TestLoseLease: the message comes again while the first invocation runs, whose
// end then changes nothing.
func TestLoseLease(t *testing.T) {
	hold := make(chan struct{})
	b := newBench(t, benchApp{functions: queueApp, options: Options{Faults: Faults{LoseLease: Once("Q", 1)}},
		answer: func(r *wireRequest) wireReply {
			if strings.Contains(r.body, `"DequeueCount":"1"`) {
				<-hold
			}
			return ok(r)
		}})
	q := b.storage.q("q")
	_ = q.put(t.Context(), b64("m"))
	b.start()
	b.request()
	if again := b.request(); !strings.Contains(again.body, `"DequeueCount":"2"`) {
		t.Errorf("the second delivery is %s", again.body)
	}
	b.eventually("the second delivery deletes the message", func() bool { return len(q.texts()) == 0 })
	close(hold)
	b.succeeded()
	b.succeeded()
}

// TestVisibilityIsRenewed: a long invocation is delivered once.
func TestVisibilityIsRenewed(t *testing.T) {
	clock := newManualClock(recordedDay)
	hold := make(chan struct{})
	b := newBench(t, benchApp{functions: queueApp, options: Options{Clock: clock}, answer: func(r *wireRequest) wireReply { <-hold; return ok(r) }})
	q := b.storage.q("q")
	_ = q.put(t.Context(), b64("m"))
	b.start()
	b.request()
	for i := range 3 {
		b.eventually("the renewal waits half the visibility", func() bool { return clock.waiting(5 * time.Minute) })
		clock.advance(5 * time.Minute)
		b.eventually("the message is renewed", func() bool {
			q.mu.Lock()
			defer q.mu.Unlock()
			return len(q.extended) == i+1 && q.extended[i] == 10*time.Minute
		})
	}
	close(hold)
	b.eventually("it is deleted with its newest receipt", func() bool { return len(q.texts()) == 0 })
	if len(b.handler.requests) != 0 {
		t.Error("it was delivered again")
	}
}

func TestKillSwitch(t *testing.T) {
	s := newStage(t, stageApp{options: Options{RestartLimit: -1, Faults: Faults{Kill: func(f string, n int64) (time.Duration, bool) {
		return 0, f == "QL" && n <= 4
	}}}})
	s.up()
	s.send("q", "m")
	// A request is killed at some point after it was sent, so the handler may or
	// may not have spoken, and two may meet the same dying process: everything
	// that asks is answered.
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case c := <-s.calls:
				c.order <- answer
			case <-stop:
				return
			}
		}
	}()
	s.eventually("the message is done", func() bool { return len(s.storage.q("q").texts()) == 0 })
}

func TestChance(t *testing.T) {
	hits := 0
	for n := range int64(10000) {
		first, second := Chance(7, 0.2), Chance(7, 0.2)
		if first("F", n) != second("F", n) {
			t.Fatal("not the same twice")
		}
		if first("F", n) {
			hits++
		}
	}
	if hits < 1800 || hits > 2200 {
		t.Errorf("%d of 10000 for 0.2", hits)
	}
}
