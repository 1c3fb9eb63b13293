package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/report"
	"fhirdeid/internal/storage"
)

// writeReport writes what the run tells people, beside its record. It is written
// when the run ends, before its end is saved.
func (b *beat) writeReport(ctx context.Context) error {
	files, err := b.releasedFiles(ctx)
	if err != nil {
		return err
	}
	r := Report(b.run)
	r.Files = files
	data, err := r.JSON()
	if err != nil {
		return err
	}
	page, err := r.HTML()
	if err != nil {
		return err
	}
	if err := b.ledger().PutReport(ctx, b.run.ID, "json", data); err != nil {
		return err
	}
	return b.ledger().PutReport(ctx, b.run.ID, "html", page)
}

// releasedFiles reads the release's manifest, where there is one.
func (b *beat) releasedFiles(ctx context.Context) ([]report.File, error) {
	if b.run.State != ledger.Released {
		return nil, nil
	}
	data, _, err := b.Stores.Research.Get(ctx, b.run.ID+"/manifest.json")
	if errors.Is(err, storage.ErrNotFound) {
		return nil, fmt.Errorf("run %s was published, and its manifest is gone", b.run.ID)
	}
	if err != nil {
		return nil, err
	}
	var m ReleaseManifest
	if json.Unmarshal(data, &m) != nil {
		return nil, fmt.Errorf("the manifest of the released run %s cannot be read", b.run.ID)
	}
	files := make([]report.File, len(m.Output))
	for i, o := range m.Output {
		files[i] = report.File{Name: o.URL, Type: o.Type, Lines: o.Count, Bytes: o.Bytes, SHA256: o.SHA256}
	}
	return files, nil
}

// Report is what the ledger's record of a run tells people. The released files
// are not in that record; see report.json for them.
func Report(run *ledger.Run) *report.Run {
	r := &report.Run{
		ID: run.ID, Scope: run.Scope, DataSet: run.DataSet,
		Policy:      report.Policy{Name: run.Policy.Name, Hash: run.Policy.Hash, Claim: run.Policy.Claim, Extends: run.Policy.Extends},
		FHIRVersion: run.FHIRVersion, Generation: run.Generation, NewGeneration: run.Release.NewGeneration,
		Engine: run.Engine, AsOf: run.AsOf, Server: run.Server, Level: string(run.Request.Level),
		Started: run.CreatedAt, Ended: run.EndedAt, Stages: reportStages(run),
		QuarantineAllowed: run.Settings.MaxQuarantinedLines,
	}
	if run.State.Over() {
		r.Outcome = report.Outcome(run.State)
	}
	for _, l := range run.Policy.Loosened {
		r.Policy.Loosened = append(r.Policy.Loosened, report.Loosening(l))
	}
	r.Timings = timings(run)
	for _, why := range run.Reasons {
		r.Reasons = append(r.Reasons, report.Reason(why))
	}
	for _, k := range run.Keys {
		r.Keys = append(r.Keys, report.Key(k))
	}
	for _, n := range run.Notes {
		r.Notes = append(r.Notes, report.Note(n))
	}
	for _, o := range run.Orders {
		r.Orders = append(r.Orders, report.Order{Kind: string(o.Kind), At: o.At, By: o.By, Reason: o.Reason})
	}
	if m := run.Manifest; m != nil {
		r.TransactionTime, r.ErrorOutputs, r.DeletedOutputs = m.TransactionTime, m.Errors, m.Deleted
		r.Totals.Outputs = m.Outputs
	}
	if run.Totals != nil {
		reportTotals(r, run)
	}
	return r
}

func reportTotals(r *report.Run, run *ledger.Run) {
	t := run.Totals
	r.Totals = reportCounts(t.Counts)
	r.Totals.Counted = run.Manifest != nil && run.Manifest.Outputs > 0 && run.Manifest.Counted == run.Manifest.Outputs
	for _, name := range slices.Sorted(maps.Keys(t.Types)) {
		c := reportCounts(*t.Types[name])
		c.Counted = r.Totals.Counted
		r.Types = append(r.Types, report.Type{Name: name, Counts: c})
	}
	r.Mismatched, r.Methods, r.Quarantine = t.Mismatched, t.Methods, t.Quarantine
	r.DroppedPaths, r.DroppedExtensions, r.DroppedCodeSystems = t.Paths, t.Extensions, t.CodeSystems
	r.Links = t.Links
	if t.Risk != nil && run.Risk != nil {
		r.Risk = &report.Risk{QuasiIdentifiers: run.Risk.QuasiIdentifiers, Summary: *t.Risk}
	}
	r.FailedFiles, r.ServerErrors = t.FailedFiles, t.ServerErrors
	for _, f := range t.Findings {
		r.Findings = append(r.Findings, report.Finding(f))
	}
}

func reportCounts(c ledger.Counts) report.Counts {
	return report.Counts{
		Outputs: c.Outputs, Files: c.Files,
		Expected: c.Expected, Lines: c.Lines, Written: c.Written, Dropped: c.Dropped, Quarantined: c.Quarantined,
		Duplicates: c.Duplicates, BytesIn: c.BytesIn, BytesOut: c.BytesOut,
	}
}

// reportStages are the stages that take time, each until the next one.
func reportStages(run *ledger.Run) []report.Stage {
	var stages []report.Stage
	for state, at := range run.Stages {
		if !state.Over() {
			stages = append(stages, report.Stage{Name: string(state), Entered: at})
		}
	}
	slices.SortFunc(stages, func(a, b report.Stage) int {
		return cmp.Or(a.Entered.Compare(b.Entered), cmp.Compare(a.Name, b.Name))
	})
	for i := range stages {
		until := run.EndedAt
		if i+1 < len(stages) {
			until = stages[i+1].Entered
		}
		if until.After(stages[i].Entered) {
			stages[i].Seconds = until.Sub(stages[i].Entered).Seconds()
		}
	}
	return stages
}
