package funchost

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// post sends a request to the host's admin port.
func (b *bench) post(method, path, body string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.host.AdminURL()+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return response, string(text)
}

const account = "http://127.0.0.1:10000/devstoreaccount1/"

func eventData(path, etag string) string {
	return `{"url":"` + account + path + `","blobType":"BlockBlob","eTag":"` + etag + `"}`
}

func events(data ...string) string {
	var all []string
	for _, d := range data {
		all = append(all, `{"eventType":"Microsoft.Storage.BlobCreated","data":`+d+`}`)
	}
	return "[" + strings.Join(all, ",") + "]"
}

// notifyHost posts events to the webhook of a function and wants that status.
func (b *bench) notifyHost(function, body string, want int) {
	b.t.Helper()
	r, text := b.post("POST", "/runtime/webhooks/blobs?functionName="+function, body, "aeg-event-type", "Notification")
	if r.StatusCode != want || text != "" {
		b.t.Errorf("the webhook answered %d %q, recorded %d", r.StatusCode, text, want)
	}
}

// event holds a recording of one event and the request it gave.
func event(container, name string, u upload) row {
	return held(func(t *testing.T, tr *transcript) {
		b := tr.bench(t, nil)
		etag := b.storage.upload(container, name, u.data, u.contentType, u.metadata)
		b.start()
		for _, e := range append([]exchange{tr.exchange}, tr.MoreExchanges...) {
			b.notifyHost("Host.Functions."+tr.FunctionName, events(eventData(container+"/"+name, strings.Trim(etag, `"`))), 202)
			same(t, b.request(), e)
			b.succeeded()
		}
		if names := b.storage.names(hostContainer); len(names) != 0 {
			t.Errorf("wrote %v, recorded no receipts", names)
		}
	})
}

func eventGridRows() map[string]row {
	small := upload{data: smallBlob.data, contentType: octets}
	other := upload{data: []byte("z"), contentType: octets}
	pattern := upload{data: []byte("p"), contentType: octets}
	return map[string]row{
		"eventgrid-deferred":        event("ce-egdef", "job1/Patient-0.ndjson", small),
		"eventgrid-content":         event("ce-egnone", "job1/Patient-0.ndjson", small),
		"eventgrid-duplicate":       event("ce-egdef", "job1/Patient-0.ndjson", small),
		"eventgrid-other-container": event("cb-elsewhere", "z.ndjson", other),
		"eventgrid-path-match":      event("ce-egpat", "j7/Patient-0.ndjson", pattern),
		"eventgrid-path-mismatch":   event("ce-egpat", "j7/readme.txt", pattern),
		"eventgrid-only-app":        held(oddEvents),
		"eventgrid-validation": held(func(t *testing.T, tr *transcript) {
			b := eventGridBench(t, nil)
			r, text := b.post("POST", "/runtime/webhooks/blobs?functionName=Host.Functions.Eg",
				`[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}}]`,
				"aeg-event-type", "SubscriptionValidation")
			want := reaction[struct{ Body string }](t, tr, "webhookResponse")
			if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/plain; charset=utf-8" || text != want.Body {
				t.Errorf("answered %d %s %q, recorded %q", r.StatusCode, r.Header.Get("Content-Type"), text, want.Body)
			}
		}),
		"eventgrid-webhook-responses": held(func(t *testing.T, tr *transcript) {
			b := eventGridBench(t, func(a *benchApp) { a.options.SystemKey = "key" })
			const hook = "/runtime/webhooks/blobs?functionName="
			body := events(eventData("c/missing", "0x1"))
			for name, call := range map[string][]string{
				"eg-nokey":         {"POST", hook + "Host.Functions.Eg", body, "aeg-event-type", "Notification"},
				"eg-no-aeg-header": {"POST", hook + "Host.Functions.Eg&code=key", body},
				"eg-unknown-fn":    {"POST", hook + "Host.Functions.Nope&code=key", body, "aeg-event-type", "Notification"},
				"eg-no-fn":         {"POST", "/runtime/webhooks/blobs?code=key", body, "aeg-event-type", "Notification"},
				"eg-missing-blob":  {"POST", hook + "Host.Functions.Eg&code=key", body, "aeg-event-type", "Notification"},
				"eg-deleted-type":  {"POST", hook + "Host.Functions.Eg&code=key", body, "aeg-event-type", "Notification"},
				"eg-options":       {"OPTIONS", hook + "Host.Functions.Eg&code=key", "", "WebHook-Request-Origin", "eventgrid.azure.net"},
			} {
				want := reaction[map[string]struct {
					Status  int
					Headers [][2]string
				}](t, tr, "responses")[name]
				r, _ := b.post(call[0], call[1], call[2], call[3:]...)
				if r.StatusCode != want.Status {
					t.Errorf("%s: %d, recorded %d", name, r.StatusCode, want.Status)
				}
				for _, h := range want.Headers {
					if h[0] != "Date" && h[0] != "Server" && r.Header.Get(h[0]) != h[1] {
						t.Errorf("%s: %s is %q, recorded %q", name, h[0], r.Header.Get(h[0]), h[1])
					}
				}
			}
		}),
		"eventgrid-stale-etag-in-mixed-app": held(func(t *testing.T, _ *transcript) {
			b := eventGridBench(t, func(a *benchApp) {
				a.functions["Poll"] = oneBinding("blobTrigger", "blob", "path", "other/{name}")
			})
			etag := b.storage.upload("c", "a", []byte("x"), octets, nil)
			for _, stale := range []string{"0xSTALE", strings.ReplaceAll(etag, `"`, `\"`)} {
				b.notifyHost("Host.Functions.Eg", events(eventData("c/a", stale)), 202)
			}
			q := b.storage.q(b.host.blobQueueName())
			b.eventually("both events are dropped", func() bool { q.mu.Lock(); defer q.mu.Unlock(); return q.removed == 2 })
			if len(b.handler.requests) != 0 {
				t.Error("the handler was called")
			}
			b.notifyHost("Host.Functions.Eg", events(eventData("c/a", strings.Trim(etag, `"`))), 202)
			b.request()
		}),
		"eventgrid-cloudevents-and-bare-name": held(func(t *testing.T, tr *transcript) {
			b := tr.bench(t, nil)
			for _, name := range []string{"ce.ndjson", "a1.ndjson", "a2.ndjson"} {
				b.storage.upload("cg-eg", name, []byte("{}"), octets, nil)
			}
			b.start()
			const id = "Host.Functions.EgDef"
			b.notifyHost(id, `{"specversion":"1.0","type":"Microsoft.Storage.BlobCreated","data":`+eventData("cg-eg/ce.ndjson", "0x1")+`}`, 202)
			b.request()
			b.notifyHost(id, events(eventData("cg-eg/a1.ndjson", "0x1"), eventData("cg-eg/a2.ndjson", "0x1")), 202)
			b.request()
			b.request()
			b.notifyHost("EgDef", events(eventData("cg-eg/ce.ndjson", "0x1")), 202)
			if q := b.storage.q(b.host.blobQueueName()); len(b.handler.requests) != 0 || len(q.texts()) > 1 {
				t.Error("a function name without prefix must do nothing")
			}
		}),
	}
}

func eventGridBench(t *testing.T, change func(*benchApp)) *bench {
	t.Helper()
	app := benchApp{functions: map[string]any{"Eg": oneBinding("blobTrigger", "blob", "path", "c/{name}", "source", "EventGrid",
		"properties", map[string]any{"supportsDeferredBinding": true})}}
	if change != nil {
		change(&app)
	}
	b := newBench(t, app)
	b.start()
	return b
}

// oddEvents: the ETag is not compared, a missing blob gives no run, and an
// event without its essentials is the only one that is refused.
func oddEvents(t *testing.T, tr *transcript) {
	b := tr.bench(t, nil)
	etag := b.storage.upload("ck-eg", "a.ndjson", []byte("{}"), octets, nil)
	b.start()
	bare := strings.Trim(etag, `"`)
	q := b.storage.q(b.host.blobQueueName())
	results := reaction[map[string]json.RawMessage](t, tr, "results")
	done := 0
	for name, data := range map[string]string{
		"current eTag":                eventData("ck-eg/a.ndjson", bare),
		"stale eTag":                  eventData("ck-eg/a.ndjson", "0xSTALE"),
		"quoted eTag":                 eventData("ck-eg/a.ndjson", strings.ReplaceAll(etag, `"`, `\"`)),
		"missing blob":                eventData("ck-eg/none", bare),
		"event without data.eTag":     `{"url":"` + account + `ck-eg/a.ndjson","blobType":"BlockBlob"}`,
		"event without data.blobType": `{"url":"` + account + `ck-eg/a.ndjson","eTag":"0x1"}`,
		"event without data.url":      `{"blobType":"BlockBlob","eTag":"0x1"}`,
	} {
		var want struct{ Status, Calls int }
		if err := json.Unmarshal(results[name], &want); err != nil {
			t.Fatal(err)
		}
		b.notifyHost("Host.Functions.EgOnly", events(data), want.Status)
		if want.Status == 202 {
			done++
			b.eventually(name+" is settled", func() bool { q.mu.Lock(); defer q.mu.Unlock(); return q.removed == done })
		}
		if got := len(b.handler.requests); got != want.Calls {
			t.Errorf("%s: %d calls, recorded %d", name, got, want.Calls)
		}
		for len(b.handler.requests) > 0 {
			same(t, b.request(), tr.exchange)
		}
	}
}
