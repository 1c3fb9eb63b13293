package funchost

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// messages holds a queue recording: the texts are put on the queue as they are,
// one after the other, and each must give the recorded request.
func messages(texts ...string) row {
	return held(func(t *testing.T, tr *transcript) {
		b := tr.bench(t, nil)
		q := b.storage.q(tr.queueName(t))
		b.start()
		for i, e := range append([]exchange{tr.exchange}, tr.MoreExchanges...) {
			if err := q.put(t.Context(), texts[i]); err != nil {
				t.Fatal(err)
			}
			same(t, b.request(), e)
			b.succeeded()
		}
		b.eventually("the message is deleted", func() bool { return len(q.texts()) == 0 })
	})
}

// concurrency holds the number of requests that were open at once, or the limit
// that was computed for it.
func concurrency(count, most int) row {
	return held(func(t *testing.T, tr *transcript) {
		hold := make(chan struct{})
		b := tr.bench(t, func(a *benchApp) {
			a.answer = func(r *wireRequest) wireReply { <-hold; return ok(r) }
		})
		cfg := &b.host.config.queues
		if _, set := flatKeys(t, tr.HostJSON)["extensions:queues:newbatchthreshold"]; !set {
			cfg.newBatchThreshold = cfg.batchSize / 2 * 2 // as on the recorded machine's two processors
			for _, l := range b.host.listeners {
				l.threshold = cfg.newBatchThreshold
			}
		}
		q := b.storage.q(tr.queueName(t))
		for range count {
			_ = q.put(t.Context(), b64("m"))
		}
		b.start()
		for range most {
			b.request()
		}
		select {
		case <-b.handler.requests:
			t.Errorf("more than %d requests are open at once", most)
		case <-time.After(50 * time.Millisecond):
		}
		close(hold)
		b.eventually("all messages are done", func() bool { return len(q.texts()) == 0 })
	})
}

func flatKeys(t *testing.T, data json.RawMessage) map[string]string {
	t.Helper()
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	flat := map[string]string{}
	flatten(flat, "", tree)
	return flat
}

func queueRows() map[string]row {
	return map[string]row{
		"queue-text":                      messages(b64("hello world")),
		"queue-json":                      messages(b64(`{"jobId":"42","attempt":3,"nested":{"a":[1,2]},"list":["x"]}`)),
		"queue-json-array":                messages(b64(`[1,{"a":"b"}]`)),
		"queue-json-string":               messages(b64(`"just a string"`)),
		"queue-number":                    messages(b64("42")),
		"queue-unicode":                   messages(b64(`Grüße – 日本 😀 "q" <>&'`)),
		"queue-empty":                     messages(""),
		"queue-date-string":               messages(b64("2026-11-22T01:02:03Z")),
		"queue-json-colliding-properties": messages(b64(`{"id":"mine","dequeueCount":"99","PopReceipt":"zz","sys":"s","queueTrigger":"qt","when":"2026-11-22T01:02:03Z","flag":true,"nul":null,"num":1.5}`)),
		"queue-datatype-binary":           messages(b64(`{"jobId":"42"}`), b64("\x00\xff\xfe\x41")),
		"queue-encoding-none":             messages(`{"jobId":"42"}`, "plain", b64(`{"jobId":"42"}`), "Grüße"),
		"func-start-queue":                messages(b64(`{"jobId":"42"}`)),
		"queue-concurrency-1":             concurrency(20, 1),
		"queue-concurrency-default":       concurrency(60, 32),
		"queue-concurrency-32-16":         notHeld("the 32 that were seen are what the handler's pace gave; the rule (48 allowed) is the one queue-concurrency-default is held by"),
		"queue-long-invocation":           elsewhere("TestVisibilityIsRenewed"),
		"output-queue-forms":              held(outputForms),
		"output-queue-return":             held(returnForms),

		"queue-binary-without-datatype": held(func(t *testing.T, tr *transcript) {
			b := tr.bench(t, nil)
			text := reaction[string](t, tr, "poisonMessageText")
			_ = b.storage.q("qa-def").put(t.Context(), text)
			b.start()
			for range 5 {
				if e := b.await(InvocationEnded); e.Outcome != Failed {
					t.Errorf("outcome %s, want a failure without a call", e.Outcome)
				}
			}
			poison := b.storage.q(reaction[string](t, tr, "poisonQueue"))
			b.eventually("the message is poisoned", func() bool { return cmp.Equal(poison.texts(), []string{text}) })
			if len(b.handler.requests) != 0 {
				t.Error("the handler was called")
			}
		}),
		"queue-not-base64": held(func(t *testing.T, tr *transcript) {
			b := tr.bench(t, nil)
			texts := reaction[[]string](t, tr, "poisonMessageText")
			for _, text := range texts {
				_ = b.storage.q("qa-def").put(t.Context(), text)
			}
			b.start()
			poison := b.storage.q(reaction[string](t, tr, "poisonQueue"))
			b.eventually("the messages are poisoned", func() bool { return len(poison.texts()) == 2 })
			if s := b.host.Stats()["QDef"]; s.Started != 0 {
				t.Errorf("%d invocations, recorded none", s.Started)
			}
		}),
		"queue-failure-and-poison": held(func(t *testing.T, tr *transcript) {
			b := tr.bench(t, nil)
			q := b.storage.q("qb-s500")
			_ = q.put(t.Context(), b64(`{"case": "s500"}`))
			b.start()
			ids := map[string]bool{}
			for _, e := range append([]exchange{tr.exchange}, tr.MoreExchanges...) {
				r := b.request()
				same(t, r, e)
				ids[r.header("X-Azure-Functions-InvocationId")] = true
			}
			if len(ids) != 3 {
				t.Error("every dequeue must have its own invocation id")
			}
			poison := b.storage.q("qb-s500-poison")
			b.eventually("the message is poisoned", func() bool { return cmp.Equal(poison.texts(), []string{b64(`{"case": "s500"}`)}) })
			if want := []time.Duration{3 * time.Second, 3 * time.Second}; !cmp.Equal(q.extended, want) {
				t.Errorf("released for %v, want %v", q.extended, want)
			}
		}),
		"queue-retry-policy": held(func(t *testing.T, tr *transcript) {
			b := tr.bench(t, func(a *benchApp) {
				a.functions["QR"] = shorterRetry(tr.FunctionJSON)
			})
			_ = b.storage.q("qf-rt").put(t.Context(), b64("m"))
			b.start()
			for _, e := range append([]exchange{tr.exchange}, tr.MoreExchanges...) {
				same(t, b.request(), e)
			}
		}),
		"queue-admin-invoke": held(func(t *testing.T, tr *transcript) {
			b := tr.bench(t, nil)
			b.start()
			for i, input := range []string{`{"jobId":"42"}`, "plain text"} {
				if err := b.host.Fire("QA", input); err != nil {
					t.Fatal(err)
				}
				same(t, b.request(), append([]exchange{tr.exchange}, tr.MoreExchanges...)[i])
			}
			if n := len(b.storage.q("qf-ad").texts()); n != 0 {
				t.Errorf("%d messages were made, recorded none", n)
			}
		}),
	}
}

// shorterRetry is the recorded function.json with no delay between attempts.
func shorterRetry(data json.RawMessage) json.RawMessage {
	return json.RawMessage(strings.NewReplacer("00:00:03", "00:00:00", "00:00:01", "00:00:00").Replace(string(data)))
}

func outputForms(t *testing.T, tr *transcript) {
	type form struct {
		Output         json.RawMessage
		RawMessageText []string
	}
	for _, f := range reaction[[]form](t, tr, "forms") {
		b := tr.bench(t, func(a *benchApp) {
			a.answer = func(*wireRequest) wireReply {
				return wireReply{status: 200, headers: [][2]string{{"Content-Type", "application/json"}}, body: `{"outputs":{"unknown":1,"outMsg":` + string(f.Output) + `}}`}
			}
		})
		_ = b.storage.q("qa-out").put(t.Context(), b64("string"))
		b.start()
		same(t, b.request(), tr.exchange)
		b.succeeded()
		if diff := cmp.Diff(f.RawMessageText, b.storage.q("qa-o1").texts()); diff != "" {
			t.Errorf("output %s (-recorded +got):\n%s", f.Output, diff)
		}
		b.stop()
	}
}

func returnForms(t *testing.T, tr *transcript) {
	type form struct {
		ReturnValue   json.RawMessage
		QueueMessages []string
	}
	for _, f := range reaction[[]form](t, tr, "forms") {
		b := tr.bench(t, func(a *benchApp) {
			a.answer = func(*wireRequest) wireReply {
				return wireReply{status: 200, headers: [][2]string{{"Content-Type", "application/json"}}, body: `{"ReturnValue":` + string(f.ReturnValue) + `}`}
			}
		})
		_ = b.storage.q("qa-ret").put(t.Context(), b64("string"))
		b.start()
		same(t, b.request(), tr.exchange)
		b.succeeded()
		var want []string
		for _, m := range f.QueueMessages {
			want = append(want, b64(m))
		}
		if diff := cmp.Diff(want, b.storage.q("qa-r1").texts()); diff != "" {
			t.Errorf("return value %s (-recorded +got):\n%s", f.ReturnValue, diff)
		}
		b.stop()
	}
}
