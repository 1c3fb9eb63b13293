package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	otelresource "go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"fhirdeid/internal/ledger"
)

// TestLogKeepsToTheList: whatever a line is given, only listed attributes with
// values of their form come out.
func TestLogKeepsToTheList(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, slog.LevelInfo, []string{"run over", "run started"})
	const secret = "Doe"
	tests := []struct {
		name string
		log  func()
		want map[string]any
	}{
		{"listed", func() {
			log.Info("run over", "run", "20261122T010000Z-manual", "state", "held", "reasons", []string{"findings", "quarantine"}, "lines", 7)
		}, map[string]any{"msg": "run over", "run": "20261122T010000Z-manual", "state": "held", "reasons": []any{"findings", "quarantine"}, "lines": 7.0}},
		{"not listed", func() { log.Info("run over", "name", secret, "lines", 1) }, map[string]any{"msg": "run over", "lines": 1.0}},
		{"another form", func() { log.Info("run over", "run", secret, "type", "Doe, J", "code", secret) },
			map[string]any{"msg": "run over", "run": withheld, "type": withheld, "code": withheld}},
		{"in a list", func() { log.Info("run over", "reasons", []string{secret}) }, map[string]any{"msg": "run over", "reasons": []any{withheld}}},
		{"a number where a word is due", func() { log.Info("run over", "run", 19470316) }, map[string]any{"msg": "run over"}},
		{"a word where a number is due", func() { log.Info("run over", "lines", secret) }, map[string]any{"msg": "run over", "lines": withheld}},
		{"message", func() { log.Info("patient " + secret) }, map[string]any{"msg": unlisted}},
		{"group", func() { log.Info("run over", slog.Group("g", "run", "20261122T010000Z")) }, map[string]any{"msg": "run over"}},
		{"with group", func() { log.WithGroup("g").Info("run over", "lines", 1) }, map[string]any{"msg": "run over"}},
		{"with", func() { log.With("patient", secret, "try", 2).Info("run started") }, map[string]any{"msg": "run started", "try": 2.0}},
		{"any", func() { log.Info("run over", "error", struct{ Name string }{secret}) }, map[string]any{"msg": "run over"}},
		{"error with a signature", func() { log.Info("run over", "error", "opening https://a.example/x?sig=abc : 403\n") },
			map[string]any{"msg": "run over", "error": "opening https://a.example/x?… : 403 "}},
		{"duration", func() { log.Info("run over", "seconds", 1500*time.Millisecond) }, map[string]any{"msg": "run over", "seconds": 1.5}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out.Reset()
			tt.log()
			var got map[string]any
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			delete(got, "time")
			delete(got, "level")
			a, _ := json.Marshal(got)
			b, _ := json.Marshal(tt.want)
			if !bytes.Equal(a, b) {
				t.Errorf("logged %s, want %s", a, b)
			}
			if strings.Contains(out.String(), secret) {
				t.Errorf("a value came out: %s", out.String())
			}
		})
	}
}

func TestLongTextsAreCut(t *testing.T) {
	var out bytes.Buffer
	NewLogger(&out, slog.LevelInfo, []string{"run over"}).Info("run over", "error", strings.Repeat("ä", 5000))
	if out.Len() > 2*maxText {
		t.Errorf("a line of %d bytes", out.Len())
	}
}

var began = time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)

func exampleRun() *ledger.Run {
	return &ledger.Run{ID: "20261122T010000Z", Server: "https://fhir.example.org", State: ledger.Released,
		CreatedAt: began, EndedAt: began.Add(time.Hour),
		Stages: map[ledger.State]time.Time{ledger.Fetching: began.Add(time.Minute)},
		Totals: &ledger.Totals{Counts: ledger.Counts{Files: 1, Lines: 10, Written: 9, Quarantined: 1}}}
}

// record makes a recorder that keeps what it would send.
func record(t *testing.T) (*Recorder, *tracetest.InMemoryExporter, *sdkmetric.ManualReader) {
	t.Helper()
	spans, metrics := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader()
	r, err := newRecorder(sdktrace.WithSyncer(filtered{spans}), metrics, otelresource.Empty())
	if err != nil {
		t.Fatal(err)
	}
	return r, spans, metrics
}

// TestRunIsOneTrace: what different instances record of a run is one tree.
func TestRunIsOneTrace(t *testing.T) {
	run := exampleRun()
	var all tracetest.SpanStubs
	for _, do := range []func(*Recorder){
		func(r *Recorder) {
			r.Fetched(t.Context(), run, &ledger.Fetched{Type: "Patient", Files: make([]ledger.RawFile, 1)}, began, began.Add(time.Second))
		},
		func(r *Recorder) {
			r.Anonymized(t.Context(), run, File{Type: "Patient", Began: began, Ended: began.Add(time.Second)})
		},
		func(r *Recorder) { r.Stage(t.Context(), run, ledger.Fetching, began.Add(time.Hour)) },
		func(r *Recorder) { r.Over(t.Context(), run) },
	} {
		r, spans, _ := record(t)
		do(r)
		all = append(all, spans.GetSpans()...)
	}
	if len(all) != 4 {
		t.Fatalf("%d spans", len(all))
	}
	fetch, file, stage, root := all[0], all[1], all[2], all[3]
	for _, s := range all {
		if s.SpanContext.TraceID() != TraceID(run) {
			t.Errorf("%s is in another trace", s.Name)
		}
	}
	if root.Parent.IsValid() || stage.Parent.SpanID() != root.SpanContext.SpanID() {
		t.Error("the stage is not within the run, or the run is within something")
	}
	if fetch.Parent.SpanID() != stage.SpanContext.SpanID() || file.Parent.SpanID() != stage.SpanContext.SpanID() {
		t.Error("the work is not within the stage")
	}
	if !root.StartTime.Equal(began) || root.EndTime.Sub(root.StartTime) != time.Hour {
		t.Errorf("the run took from %s to %s", root.StartTime, root.EndTime)
	}
	other := exampleRun()
	other.Server = "https://other.example.org"
	if TraceID(other) == TraceID(run) {
		t.Error("two installations share a trace")
	}
}

// TestSpansKeepToTheList: a span that was given more shows only what is listed.
func TestSpansKeepToTheList(t *testing.T) {
	r, spans, _ := record(t)
	_, s := r.tracer.Start(t.Context(), "x")
	s.SetAttributes(attribute.String("name", "Doe"), attribute.String("run", "Doe"), attribute.Int("lines", 3), attribute.String("error", "Doe"))
	s.RecordError(errors.New("Doe"))
	s.SetStatus(1, "Doe")
	s.End()
	got, err := json.Marshal(spans.GetSpans())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(got, []byte("Doe")) {
		t.Errorf("a value came out: %s", got)
	}
	if a := spans.GetSpans()[0].Attributes; len(a) != 3 || a[0] != attribute.String("run", withheld) || a[1] != attribute.Int("lines", 3) {
		t.Errorf("attributes %v", a)
	}
}

func TestMetrics(t *testing.T) {
	r, _, reader := record(t)
	ctx, run := t.Context(), exampleRun()
	r.Over(ctx, run)
	r.Beat(ctx, 20*time.Second)
	r.Fault(ctx, "poll-failed")
	r.Fault(ctx, "Not A Code")
	r.Invocation(ctx, "FetchFile", "ok", time.Second)
	r.Fetched(ctx, run, &ledger.Fetched{Type: "Patient", Bytes: 100}, began, began)
	r.Anonymized(ctx, run, File{Type: "Patient", Counts: ledger.Counts{Lines: 10, Written: 9, Quarantined: 1, BytesIn: 100, BytesOut: 80},
		Quarantine: map[string]int64{"depth": 1}, Hard: 1, Soft: 2, Began: began, Ended: began.Add(time.Second)})
	var all metricdata.ResourceMetrics
	if err := reader.Collect(ctx, &all); err != nil {
		t.Fatal(err)
	}
	var names []string
	sums := make(map[string]int64)
	for _, m := range all.ScopeMetrics[0].Metrics {
		names = append(names, m.Name)
		if s, ok := m.Data.(metricdata.Sum[int64]); ok {
			for _, p := range s.DataPoints {
				key := m.Name
				for _, a := range p.Attributes.ToSlice() {
					key += " " + a.Value.String()
				}
				sums[key] += p.Value
			}
		}
	}
	slices.Sort(names)
	want := "fhirdeid.bytes fhirdeid.faults fhirdeid.file.duration fhirdeid.files fhirdeid.findings fhirdeid.heartbeat.age fhirdeid.invocation.duration " +
		"fhirdeid.lines fhirdeid.lines.quarantined fhirdeid.outputs.fetched fhirdeid.run.duration fhirdeid.runs"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("metrics %s", got)
	}
	for key, n := range map[string]int64{
		"fhirdeid.runs released": 1, "fhirdeid.lines written Patient": 9, "fhirdeid.lines quarantined Patient": 1,
		"fhirdeid.bytes fetched": 100, "fhirdeid.bytes out": 80, "fhirdeid.findings hard": 1, "fhirdeid.lines.quarantined depth": 1,
		"fhirdeid.faults poll-failed": 1, "fhirdeid.faults": 1, // what is no code has lost its attribute
	} {
		if sums[key] != n {
			t.Errorf("%s is %d, want %d; there are %v", key, sums[key], n, sums)
		}
	}
}

// TestNilRecorder: where nothing is configured, every call is free.
func TestNilRecorder(t *testing.T) {
	var r *Recorder
	run := exampleRun()
	allocs := testing.AllocsPerRun(100, func() {
		r.Over(t.Context(), run)
		r.Stage(t.Context(), run, ledger.Fetching, began)
		r.Anonymized(t.Context(), run, File{})
		r.Fetched(t.Context(), run, nil, began, began)
		r.Beat(t.Context(), 0)
		r.Fault(t.Context(), "x")
		r.Invocation(t.Context(), "x", "ok", 0)
	})
	if err := r.Close(t.Context()); err != nil || allocs > 0 {
		t.Errorf("%v allocations, %v", allocs, err)
	}
}

// TestOTLP: with an endpoint in the environment, traces and metrics reach it.
func TestOTLP(t *testing.T) {
	var mu sync.Mutex
	got := make(map[string]bool)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path+" "+r.Header.Get("X-Key")] = true
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=1")
	r, err := OTLP(t.Context(), "test", func() { t.Error("something was lost") })
	if err != nil {
		t.Fatal(err)
	}
	r.Over(t.Context(), exampleRun())
	if err := r.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !got["/v1/traces 1"] || !got["/v1/metrics 1"] {
		t.Errorf("the collector was asked %v", got)
	}
}

func TestConfigured(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, true},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}, false},
	} {
		if got := Configured(func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok }); got != tt.want {
			t.Errorf("Configured(%v) = %v", tt.env, got)
		}
	}
}
