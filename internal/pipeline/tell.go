package pipeline

import (
	"context"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/telemetry"
)

// tell logs and records a tick that is saved: of two that do the same, only the
// one that won the swap is told.
func (b *beat) tell(ctx context.Context, age time.Duration) {
	b.Log.DebugContext(ctx, EventHeartbeat, "run", b.run.ID, "tick", b.run.Tick, "state", string(b.run.State), "age", age)
	b.Telemetry.Beat(ctx, age)
	if b.run.State == b.was {
		return
	}
	b.Telemetry.Stage(ctx, b.run, b.was, b.now)
	if !b.run.State.Over() {
		b.Log.InfoContext(ctx, EventStage, "run", b.run.ID, "stage", string(b.run.State))
		return
	}
	b.Log.InfoContext(ctx, EventRunOver, "run", b.run.ID, "state", string(b.run.State), "reasons", reasonCodes(b.run.Reasons), "seconds", b.run.EndedAt.Sub(b.run.CreatedAt))
	b.Telemetry.Over(ctx, b.run)
}

// tellFile logs and records a file that has its result.
func (p *Pipeline) tellFile(ctx context.Context, run *ledger.Run, file rawFile, r result, began time.Time) {
	ended := p.Now()
	p.Log.InfoContext(ctx, EventFileDone, "run", run.ID, "output", file.Output, "piece", file.Piece, "type", file.Type,
		"lines", r.Counts.Lines, "written", r.Counts.Written, "dropped", r.Counts.Dropped, "quarantined", r.Counts.Quarantined,
		"duplicates", r.Counts.Duplicates, "hard", r.Hard, "soft", r.Soft, "bytes", r.Counts.BytesIn, "seconds", ended.Sub(began))
	if r.Hard+r.Soft > 0 {
		p.Log.WarnContext(ctx, EventFindings, "run", run.ID, "output", file.Output, "piece", file.Piece, "type", file.Type, "hard", r.Hard, "soft", r.Soft)
	}
	p.Telemetry.Anonymized(ctx, run, telemetry.File{
		Output: file.Output, Piece: file.Piece, Type: file.Type, Counts: r.Counts, Quarantine: r.Details.Quarantine,
		Hard: r.Hard, Soft: r.Soft, Failure: r.Failure, Began: began, Ended: ended,
	})
}
