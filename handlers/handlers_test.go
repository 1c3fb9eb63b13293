package handlers

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/storage"
)

// newApp returns an app on storage in memory, without runs, and its log.
func newApp(t *testing.T) (http.Handler, *storage.Memory, *strings.Builder) {
	t.Helper()
	m := storage.NewMemory(time.Now)
	var text strings.Builder
	log := slog.New(slog.NewTextHandler(&text, nil))
	container, _ := url.Parse("http://127.0.0.1:10000/devstoreaccount1/raw")
	p := &pipeline.Pipeline{
		Stores: pipeline.Stores{Raw: m.Container("raw"), Ledger: m.Container("ledger"), Staging: m.Container("staging")},
		Queues: pipeline.Queues{Check: m.Queue("check-export"), Fetch: m.Queue("fetch-file"), Retry: m.Queue("anonymize-retry")},
		Now:    time.Now, Log: log, Random: func([]byte) {},
	}
	app := &App{
		Installation: func(context.Context) (*Installation, error) { return &Installation{p, container}, nil },
		Limit:        time.Minute, Log: log,
	}
	return app.Handler(), m, &text
}

func post(h http.Handler, path, body string) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, strings.NewReader(body)))
	return w.Result()
}

// wantAnswer: every answer is a JSON object, whatever the status; anything else
// hangs the invocation.
func wantAnswer(t *testing.T, r *http.Response, status int) {
	t.Helper()
	body, _ := io.ReadAll(r.Body)
	var object map[string]any
	if json.Unmarshal(body, &object) != nil || object == nil || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("answered %q as %q, which is no JSON object", body, r.Header.Get("Content-Type"))
	}
	if r.StatusCode != status {
		t.Errorf("answered %d, want %d", r.StatusCode, status)
	}
}

func queueBody(message string) string {
	return `{"Data":{"message":"` + base64.StdEncoding.EncodeToString([]byte(message)) + `"},"Metadata":{"DequeueCount":"1","sys":{"MethodName":"CheckExport"}}}`
}

const deferred = `{"Data":{"blob":{"Version":"1.0","Source":"AzureStorageBlobs","Content":{"Length":84},"ContentType":"application/json"}},"Metadata":{"Uri":"\"%s\"","name":"\"x\""}}`

func TestAnswers(t *testing.T) {
	const uri = "http://127.0.0.1:10000/devstoreaccount1/raw/20261122T010000Z/Patient.000000.0a0b0c0d.0000.ndjson"
	for name, c := range map[string]struct {
		path, body string
		status     int
		logs       string
	}{
		"the host's look":           {"/", "", 404, ""},
		"no such function":          {"/Other", "{}", 404, ""},
		"a path with a slash":       {"/CheckExport/", queueBody(`{"run":"r","tick":1}`), 404, ""},
		"heartbeat of no run":       {"/CheckExport", queueBody(`{"run":"20261122T010000Z","tick":1}`), 200, "heartbeat unknown"},
		"fetch of no run":           {"/FetchFile", queueBody(`{"run":"20261122T010000Z","output":1}`), 200, "fetch of an unknown run"},
		"retry of no run":           {"/AnonymizeRetry", queueBody(`{"run":"r","file":"x"}`), 200, "passed over"},
		"a poisoned message":        {"/CheckExport", queueBody(`secret-name`), 500, "is not one that this version writes"},
		"a message without base64":  {"/CheckExport", `{"Data":{"message":"\"{}\""},"Metadata":{}}`, 500, "dataType"},
		"no message":                {"/FetchFile", `{"Data":{},"Metadata":{}}`, 500, "Data.message"},
		"no envelope":               {"/FetchFile", `nonsense`, 500, "no envelope"},
		"a blob of no run":          {"/AnonymizeFile", strings.Replace(deferred, "%s", uri, 1), 200, "file of an unknown run"},
		"a blob elsewhere":          {"/AnonymizeFile", strings.Replace(deferred, "%s", strings.Replace(uri, "/raw/", "/other/", 1), 1), 200, "foreign blob"},
		"a blob of another account": {"/AnonymizeFile", strings.Replace(deferred, "%s", strings.Replace(uri, "10000", "10009", 1), 1), 200, "foreign blob"},
		"content":                   {"/AnonymizeFile", `{"Data":{"blob":"eyJyZXNvdXJjZVR5cGUi"},"Metadata":{"Uri":"\"` + uri + `\""}}`, 500, "supportsDeferredBinding"},
		"large content":             {"/AnonymizeFile", `{"Data":{"blob":"` + strings.Repeat("A", 2<<20) + `"}}`, 500, "supportsDeferredBinding"},
	} {
		t.Run(name, func(t *testing.T) {
			h, _, log := newApp(t)
			wantAnswer(t, post(h, c.path, c.body), c.status)
			if !strings.Contains(log.String(), c.logs) {
				t.Errorf("the log does not say %q: %s", c.logs, log)
			}
			if strings.Contains(log.String(), "secret-name") {
				t.Error("the log quotes the message")
			}
		})
	}
}

// TestFunctionsAreAnswered: every function of the app is one of ours, and its
// binding has the name under which its data is looked for.
func TestFunctionsAreAnswered(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "functions", "*", "function.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no functions: %v", err)
	}
	names := map[string]string{"timerTrigger": timerBinding, "queueTrigger": queueBinding, "blobTrigger": blobBinding}
	h, _, _ := newApp(t)
	for _, file := range files {
		function := filepath.Base(filepath.Dir(file))
		wantAnswer(t, post(h, "/"+function, "nonsense"), 500)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var f struct{ Bindings []struct{ Name, Type string } }
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatal(err)
		}
		for _, b := range f.Bindings {
			if b.Name != names[b.Type] {
				t.Errorf("%s: the binding is called %q, and its data is looked for under %q", function, b.Name, names[b.Type])
			}
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	var text strings.Builder
	app := &App{
		Installation: func(context.Context) (*Installation, error) { panic("Jane Doe") },
		Limit:        time.Minute, Log: slog.New(slog.NewTextHandler(&text, nil)),
	}
	wantAnswer(t, post(app.Handler(), "/CheckExport", queueBody(`{}`)), 500)
	if strings.Contains(text.String(), "Jane") || !strings.Contains(text.String(), "panicked") {
		t.Errorf("the log of a panic is %s", text.String())
	}
}

func TestInstallationFaultIsAnswered(t *testing.T) {
	var text strings.Builder
	app := &App{
		Installation: func(context.Context) (*Installation, error) { return nil, errors.New("no identity") },
		Limit:        time.Minute, Log: slog.New(slog.NewTextHandler(&text, nil)),
	}
	wantAnswer(t, post(app.Handler(), "/CheckExport", queueBody(`{}`)), 500)
	if !strings.Contains(text.String(), "no identity") {
		t.Errorf("the log is %s", text.String())
	}
}

func TestScheduled(t *testing.T) {
	for body, want := range map[string]string{
		`{"Data":{"timer":{"ScheduleStatus":{"Last":"2026-11-21T01:00:00+00:00","Next":"2026-11-22T01:00:00+00:00"},"IsPastDue":false}}}`: "2026-11-22T01:00:00Z",
		`{"Data":{"timer":{"ScheduleStatus":null}}}`:                                 "",
		`{"Data":{"timer":{"ScheduleStatus":{"Next":"0001-01-01T00:00:00+00:00"}}}}`: "",
		`{"Data":{}}`: "",
	} {
		e, err := readEnvelope(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if at := e.scheduled(timerBinding); !at.IsZero() {
			got = at.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%s gives %q, want %q", body, got, want)
		}
	}
}

// TestRecordings decodes what a real host has sent.
func TestRecordings(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "host-transcripts")
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(files) == 0 {
		t.Skip("../shared/host-transcripts is not here")
	}
	read := func(name string) *envelope {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var recording struct{ Request struct{ Body string } }
		if err := json.Unmarshal(data, &recording); err != nil {
			t.Fatal(err)
		}
		e, err := readEnvelope(strings.NewReader(recording.Request.Body))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := read("blob-deferred-odd-name.json")
	container, _ := url.Parse("http://127.0.0.1:10000/devstoreaccount1/cb-def")
	if !isReference(e.Data["blob"]) {
		t.Error("a reference is not seen as one")
	}
	if name, ok := blobName(text(e.Metadata["Uri"]), container); !ok || name != text(e.Metadata["name"]) {
		t.Errorf("the name of the blob is %q, want %q", name, text(e.Metadata["name"]))
	}
	if isReference(read("blob-content-small.json").Data["blob"]) {
		t.Error("content is taken for a reference")
	}
	q := read("queue-datatype-binary.json")
	for binding := range q.Data {
		if _, err := q.message(binding); err != nil {
			t.Errorf("a binary queue message: %v", err)
		}
	}
	if q.redelivered() {
		t.Error("a first delivery is taken for a second")
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add(deferred)
	f.Add(queueBody(`{"run":"r","tick":1}`))
	f.Add(`{"Data":null,"Metadata":{"Uri":1,"DequeueCount":"\"\\\"2\\\"\""}}`)
	f.Fuzz(func(t *testing.T, body string) {
		e, err := readEnvelope(strings.NewReader(body))
		if err != nil {
			return
		}
		container, _ := url.Parse("https://a.blob.core.windows.net/raw")
		_, _ = e.message("message")
		e.redelivered()
		e.scheduled(timerBinding)
		if name, ok := blobName(text(e.Metadata["Uri"]), container); ok && name == "" {
			t.Error("a blob without a name")
		}
	})
}
