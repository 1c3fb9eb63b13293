package funchost

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// reply holds a recording of how the host took an answer: deleted, tried again
// and poisoned, or left hanging.
func reply(t *testing.T, tr *transcript) {
	hangs := strings.HasPrefix(summary(t, tr), "HANGS")
	b := tr.bench(t, func(a *benchApp) {
		a.options.Timing.TimeoutKill = time.Millisecond
		if hangs {
			a.options.Timing.Drain = -1
			// The recorded 12 or 40 seconds, shortened; once is enough.
			a.options.Faults.Timeout = func(_ string, n int64) time.Duration {
				if n == 1 {
					return 30 * time.Millisecond
				}
				return time.Hour
			}
		}
	})
	name := tr.queueName(t)
	q, poison := b.storage.q(name), b.storage.q(name+"-poison")
	text := b64(recordedMessage(tr))
	_ = q.put(t.Context(), text)
	b.start()
	same(t, b.request(), tr.exchange)
	e := b.await(InvocationEnded)
	switch {
	case hangs:
		if e.Outcome != TimedOut {
			t.Errorf("the invocation %s, recorded: it hangs until functionTimeout", e.Outcome)
		}
		select {
		case <-b.kills:
		case <-time.After(patience):
			t.Error("the handler was not killed")
		}
		b.request() // delivered again
		if len(q.texts()) != 1 {
			t.Error("the message is gone")
		}
	case strings.HasPrefix(summary(t, tr), "Success"), strings.HasPrefix(summary(t, tr), "Redirect"), strings.HasPrefix(summary(t, tr), "Logs"):
		if e.Outcome != Succeeded {
			t.Errorf("the invocation %s (%v), recorded success", e.Outcome, e.Err)
		}
		b.eventually("the message is deleted", func() bool { return len(q.texts()) == 0 })
		if len(poison.texts()) != 0 {
			t.Error("the message was poisoned")
		}
	case strings.HasPrefix(summary(t, tr), "Failure"):
		if e.Outcome != Failed {
			t.Errorf("the invocation %s, recorded failure", e.Outcome)
		}
		b.eventually("the message is poisoned", func() bool { return cmp.Equal(poison.texts(), []string{text}) && len(q.texts()) == 0 })
		if _, ok := tr.HostReaction["dequeues"]; ok {
			if want, got := reaction[int64](t, tr, "dequeues"), b.host.Stats()[tr.FunctionName].Started; got != want {
				t.Errorf("%d deliveries, recorded %d", got, want)
			}
		}
	default:
		t.Errorf("do not know what %q means", summary(t, tr))
	}
}

// recordedMessage reads the message back from the recorded body. It was put
// there as text, so this is its stimulus.
func recordedMessage(tr *transcript) string {
	for _, c := range []struct{ prefix, message string }{
		{`{"Data":{"queueItem":"\"{\\\"case\\\": \\\"`, ""},
	} {
		if rest, ok := strings.CutPrefix(tr.Request.Body, c.prefix); ok {
			name, _, _ := strings.Cut(rest, `\`)
			return `{"case": "` + name + `"}`
		}
	}
	rest := strings.TrimPrefix(tr.Request.Body, `{"Data":{"queueItem":"\"`)
	text, _, _ := strings.Cut(rest, `\`)
	return text
}

func replyRows() map[string]row {
	rows := make(map[string]row)
	for _, name := range strings.Fields(`arrayjson badjson charset close empty200 extra logs logsbad noct null
		obj200 outnull problem s201 s204 s302 s404 s429 s500 space strjson textct textjson`) {
		rows["reply-"+name] = held(reply)
	}
	return rows
}
