package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"fhirdeid/internal/ledger"
)

// Recorder records traces and metrics. A nil Recorder records nothing; all its
// methods may be called on it. It is safe for concurrent use.
type Recorder struct {
	tracer trace.Tracer
	*instruments
	close func(context.Context) error
}

// Close sends what is recorded and ends the recorder.
func (r *Recorder) Close(ctx context.Context) error {
	if r == nil {
		return nil
	}
	return r.close(ctx)
}

func with(attrs ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributes(attrs...)
}

// Invocation records one invocation of a function; outcome is ok, failed,
// stopped or panicked.
func (r *Recorder) Invocation(ctx context.Context, function, outcome string, took time.Duration) {
	if r == nil {
		return
	}
	r.invocations.Record(ctx, took.Seconds(), with(attribute.String("function", function), attribute.String("outcome", outcome)))
}

// Beat records a heartbeat, and how old the one before it is.
func (r *Recorder) Beat(ctx context.Context, age time.Duration) {
	if r == nil {
		return
	}
	r.beatAge.Record(ctx, max(age, 0).Seconds())
}

// Fault records a foreseen fault that a run lives through.
func (r *Recorder) Fault(ctx context.Context, code string) {
	if r == nil {
		return
	}
	r.faults.Add(ctx, 1, with(attribute.String("code", code)))
}

// Fetched records an output that was fetched and counts, or has a lasting fault.
func (r *Recorder) Fetched(ctx context.Context, run *ledger.Run, f *ledger.Fetched, began, ended time.Time) {
	if r == nil {
		return
	}
	typ := attribute.String("type", f.Type)
	r.outputs.Add(ctx, 1, with(typ))
	r.bytes.Add(ctx, f.Bytes, with(attribute.String("direction", "fetched")))
	r.span(within(ctx, run, string(ledger.Fetching)), "fetch output", began, ended, f.Failure,
		attribute.String("run", run.ID), attribute.Int("output", f.Output), typ,
		attribute.Int("files", len(f.Files)), attribute.Int64("lines", f.Lines), attribute.Int64("bytes", f.Bytes))
}

// File is what came of de-identifying one file.
type File struct {
	Output, Piece int
	Type          string
	Counts        ledger.Counts
	Quarantine    map[string]int64 // lines left out, by the code of the reason
	Hard, Soft    int64            // findings
	Failure       string           // the code of a lasting fault, or ""
	Began, Ended  time.Time
}

// Anonymized records a file that has its result.
func (r *Recorder) Anonymized(ctx context.Context, run *ledger.Run, f File) {
	if r == nil {
		return
	}
	outcome := "done"
	if f.Failure != "" {
		outcome = "failed"
	}
	typ, c := attribute.String("type", f.Type), f.Counts
	r.files.Add(ctx, 1, with(typ, attribute.String("outcome", outcome)))
	r.fileSeconds.Record(ctx, f.Ended.Sub(f.Began).Seconds(), with(typ))
	for outcome, n := range map[string]int64{"written": c.Written, "dropped": c.Dropped, "quarantined": c.Quarantined} {
		if n > 0 {
			r.lines.Add(ctx, n, with(typ, attribute.String("outcome", outcome)))
		}
	}
	r.bytes.Add(ctx, c.BytesIn, with(attribute.String("direction", "in")))
	r.bytes.Add(ctx, c.BytesOut, with(attribute.String("direction", "out")))
	for severity, n := range map[string]int64{"hard": f.Hard, "soft": f.Soft} {
		if n > 0 {
			r.findings.Add(ctx, n, with(attribute.String("severity", severity)))
		}
	}
	for code, n := range f.Quarantine {
		r.quarantined.Add(ctx, n, with(attribute.String("code", code)))
	}
	r.span(within(ctx, run, string(ledger.Fetching)), "de-identify file", f.Began, f.Ended, f.Failure,
		attribute.String("run", run.ID), attribute.Int("output", f.Output), attribute.Int("piece", f.Piece), typ,
		attribute.Int64("lines", c.Lines), attribute.Int64("written", c.Written), attribute.Int64("dropped", c.Dropped),
		attribute.Int64("quarantined", c.Quarantined), attribute.Int64("hard", f.Hard), attribute.Int64("soft", f.Soft),
		attribute.Int64("bytes", c.BytesIn))
}

// Stage records that a run has left a stage.
func (r *Recorder) Stage(ctx context.Context, run *ledger.Run, stage ledger.State, ended time.Time) {
	if r == nil {
		return
	}
	ctx = context.WithValue(within(ctx, run, rootStage), wantedKey{}, wanted{TraceID(run), spanID(run, string(stage))})
	r.span(ctx, string(stage), run.Stages[stage], ended, "", attribute.String("run", run.ID), attribute.String("stage", string(stage)))
}

// Over records the end of a run: the span that all others of it are within.
func (r *Recorder) Over(ctx context.Context, run *ledger.Run) {
	if r == nil {
		return
	}
	state := attribute.String("state", string(run.State))
	r.runs.Add(ctx, 1, with(state))
	r.runSeconds.Record(ctx, run.EndedAt.Sub(run.CreatedAt).Seconds(), with(state))
	fault := ""
	if run.State != ledger.Released && len(run.Reasons) > 0 {
		fault = run.Reasons[0].Code
	}
	attrs := []attribute.KeyValue{attribute.String("run", run.ID), state}
	if t := run.Totals; t != nil {
		attrs = append(attrs, attribute.Int("files", t.Files), attribute.Int64("lines", t.Lines), attribute.Int64("written", t.Written),
			attribute.Int64("dropped", t.Dropped), attribute.Int64("quarantined", t.Quarantined))
	}
	ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{}) // it has no parent
	ctx = context.WithValue(ctx, wantedKey{}, wanted{TraceID(run), spanID(run, rootStage)})
	r.span(ctx, "run", run.CreatedAt, run.EndedAt, fault, attrs...)
}
