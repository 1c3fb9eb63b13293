package funchost

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
	"time"
)

// FuzzQueueEnvelope: whatever stands on a queue, the body is JSON and Data comes
// back from it.
func FuzzQueueEnvelope(f *testing.F) {
	for _, seed := range []string{"", "x", `{"a":1}`, `{"a":{"b":"c"},"id":"x","a":2}`, `{"sys":"s","xtrigger":1}`, "\x00\xff", `{"d":"2026-11-22T01:02:03Z"}`,
		"\u2028\u0085", `{"a":1} tail`, `{"":null}`, "[", `{"RetryContext":1}`} {
		f.Add([]byte(seed))
	}
	fn := &function{name: "F", trigger: binding{Name: "q", Type: "queueTrigger"}}
	f.Fuzz(func(t *testing.T, message []byte) {
		for _, dataType := range []string{"", "binary"} {
			fn.trigger.DataType = dataType
			e, err := queueEnvelope(fn, queueMessage{id: "i", popReceipt: "p", dequeueCount: 1}, message)
			if err != nil {
				if dataType == "binary" || !errors.Is(err, errText) {
					t.Fatal(err)
				}
				continue
			}
			var body struct {
				Data     map[string]string
				Metadata map[string]any
			}
			if err := json.Unmarshal(e.body("F", "g", time.Unix(0, 0), nil), &body); err != nil {
				t.Fatalf("the body is not JSON: %v", err)
			}
			var back []byte
			if dataType == "binary" {
				back, err = base64.StdEncoding.DecodeString(body.Data["q"])
			} else {
				var text string
				err = json.Unmarshal([]byte(body.Data["q"]), &text)
				back = []byte(text)
			}
			if err != nil || string(back) != string(message) {
				t.Fatalf("Data is %q, the message %q (%v)", back, message, err)
			}
		}
	})
}

// FuzzReply: any reply is a result, a failure or a hang, never a panic; so are
// the messages it asks for.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{"", " ", "null", "{}", "[]", `{"Logs":"x"}`, `{"Logs":[1,null,"a"]}`, `{"Outputs":{"o":["a",{"b":1}]}}`,
		`{"ReturnValue":"abcd"}`, `{"returnvalue":"{\"a\":1}"}`, `{"Outputs":[]}`, `{} tail`} {
		f.Add(200, "application/json", []byte(seed))
	}
	f.Add(204, "", []byte(nil))
	f.Add(200, "application/json; charset=\"", []byte("{}"))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		r, err := judge(response{status: status, contentType: contentType, body: body})
		if (r == nil) == (err == nil) {
			t.Fatal("neither result nor error, or both")
		}
		if r != nil {
			queueMessages(r.returnValue)
			for _, v := range r.outputs {
				queueMessages(v)
			}
		}
	})
}

// FuzzBlobWebhook: any body is refused or gives events that name a blob, and a
// blob message survives the queue.
func FuzzBlobWebhook(f *testing.F) {
	f.Add([]byte(events(eventData("c/a", "0x1"))))
	f.Add([]byte(`{"data":{"url":"https://x.blob.core.windows.net/c/a%20b","blobType":"BlockBlob"}}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, body []byte) {
		all, err := readGridEvents(body)
		if err != nil {
			return
		}
		for _, e := range all {
			event, err := e.blobEvent("F")
			if err != nil {
				continue
			}
			if event.Container == "" || event.Blob == "" {
				t.Fatal("an event without a blob")
			}
			m, err := decodeBlobMessage(newBlobMessage(event).encode())
			if err != nil || m.function() != "F" {
				t.Fatalf("the message does not come back: %v", err)
			}
		}
	})
}

// FuzzSchedule: what is accepted has its next occurrence in the future.
func FuzzSchedule(f *testing.F) {
	for _, seed := range []string{"0 0 1 * * *", "*/5 * * * *", "00:00:04", "0 0 9-17/4 * * mon-fri", "1.02:03:04.5", "59-0 * * * * 6"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSchedule(text)
		if err != nil {
			return
		}
		now := time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)
		if next := s.next(now); !next.IsZero() && !next.After(now) {
			t.Fatalf("%q: the next occurrence %s has passed", text, next)
		}
	})
}
