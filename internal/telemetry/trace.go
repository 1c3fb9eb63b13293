package telemetry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"fhirdeid/internal/ledger"
)

// TraceID is the id of a run's trace: the first 16 bytes of a hash of the FHIR
// server and the run. Two installations that export at the same instant have two
// traces.
func TraceID(run *ledger.Run) trace.TraceID {
	sum := sha256.Sum256([]byte("fhirdeid trace\n" + run.Server + "\n" + run.ID))
	return trace.TraceID(sum[:16])
}

// spanID is the id of the run's own span, or of a stage's.
func spanID(run *ledger.Run, stage string) trace.SpanID {
	sum := sha256.Sum256([]byte("fhirdeid span\n" + run.Server + "\n" + run.ID + "\n" + stage))
	return trace.SpanID(sum[:8])
}

// rootStage stands for the run as a whole.
const rootStage = ""

// within returns a context whose span is that of a stage of the run, wherever
// it was or will be recorded.
func within(ctx context.Context, run *ledger.Run, stage string) context.Context {
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: TraceID(run), SpanID: spanID(run, stage), TraceFlags: trace.FlagsSampled, Remote: true,
	}))
}

// ids makes the ids of spans: those that the context asks for, else random ones.
type ids struct{}

type wanted struct {
	trace trace.TraceID
	span  trace.SpanID
}

type wantedKey struct{}

func (ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if w, ok := ctx.Value(wantedKey{}).(wanted); ok {
		return w.trace, w.span
	}
	var t trace.TraceID
	_, _ = rand.Read(t[:]) // never fails since Go 1.24
	return t, ids{}.NewSpanID(ctx, t)
}

func (ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if w, ok := ctx.Value(wantedKey{}).(wanted); ok {
		return w.span
	}
	var s trace.SpanID
	_, _ = rand.Read(s[:])
	return s
}

// span records a span that has ended. fault is a code, or "" where all went well.
func (r *Recorder) span(ctx context.Context, name string, began, ended time.Time, fault string, attrs ...attribute.KeyValue) {
	_, s := r.tracer.Start(ctx, name, trace.WithTimestamp(began), trace.WithAttributes(attrs...))
	if fault != "" {
		s.SetAttributes(attribute.String("code", fault))
		s.SetStatus(codes.Error, "")
	}
	s.End(trace.WithTimestamp(ended))
}

// filtered is an exporter that sees spans without what is not on the list.
type filtered struct{ sdktrace.SpanExporter }

func (f filtered) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	kept := make([]sdktrace.ReadOnlySpan, len(spans))
	for i, s := range spans {
		kept[i] = filteredSpan{s}
	}
	return f.SpanExporter.ExportSpans(ctx, kept)
}

// filteredSpan is a span with attributes of the list only, without events and
// without prose in its status.
type filteredSpan struct{ sdktrace.ReadOnlySpan }

func (s filteredSpan) Attributes() []attribute.KeyValue { return keep(s.ReadOnlySpan.Attributes()) }
func (s filteredSpan) Events() []sdktrace.Event         { return nil }
func (s filteredSpan) Links() []sdktrace.Link           { return nil }
func (s filteredSpan) Status() sdktrace.Status {
	return sdktrace.Status{Code: s.ReadOnlySpan.Status().Code}
}

// keep returns the attributes that may leave, in the form they may leave in.
func keep(attrs []attribute.KeyValue) []attribute.KeyValue {
	kept := make([]attribute.KeyValue, 0, len(attrs))
	for _, a := range attrs {
		if allowKeyValue(a) {
			kept = append(kept, a)
			continue
		}
		if _, listed := allowed[string(a.Key)]; listed {
			kept = append(kept, a.Key.String(withheld))
		}
	}
	return kept
}

// allowKeyValue reports whether the attribute may leave as it is.
func allowKeyValue(a attribute.KeyValue) bool {
	name := string(a.Key)
	switch a.Value.Type() {
	case attribute.INT64, attribute.FLOAT64, attribute.BOOL:
		return isNumber(name)
	case attribute.STRING:
		s, ok := str(name, a.Value.AsString())
		return ok && allowed[name] != text && s == a.Value.AsString()
	}
	return false
}
