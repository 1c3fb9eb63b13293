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
	r := reportOf(b.run, files)
	data, err := r.JSON()
	if err != nil {
		return errors.New("the report cannot be written as JSON")
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
		files[i] = report.File{Name: o.URL, Lines: o.Count, Bytes: o.Bytes, SHA256: o.SHA256}
	}
	return files, nil
}

func reportOf(run *ledger.Run, files []report.File) *report.Report {
	r := &report.Report{
		Outcome: outcomeSentence(run), Run: run.ID, State: string(run.State),
		Started: run.CreatedAt, Ended: run.EndedAt, Server: run.Server, Level: string(run.Request.Level), DataSet: run.DataSet,
		AsOf: run.AsOf, Engine: run.Engine, Policy: report.Policy(run.Policy), Verified: run.Policy.Claim != claimNone && run.Policy.Claim != "",
		Files: files,
	}
	for _, why := range run.Reasons {
		r.Reasons = append(r.Reasons, report.Reason{Code: why.Code, Text: why.Text})
	}
	for _, k := range run.Keys {
		r.Keys = append(r.Keys, report.Key(k))
	}
	for state, at := range run.Stages {
		r.Stages = append(r.Stages, report.Stage{Name: string(state), At: at})
	}
	slices.SortFunc(r.Stages, func(a, b report.Stage) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name)) })
	for _, n := range run.Notes {
		r.Notes = append(r.Notes, report.Note(n))
	}
	for _, o := range run.Orders {
		r.Orders = append(r.Orders, report.Order{Kind: string(o.Kind), At: o.At, By: o.By, Reason: o.Reason})
	}
	if t := run.Totals; t != nil {
		r.Totals = countsOf(t.Counts)
		r.Totals.Outputs, r.Totals.Files = t.Outputs, t.Files
		for _, name := range slices.Sorted(maps.Keys(t.Types)) {
			r.Types = append(r.Types, report.Type{Name: name, Counts: countsOf(*t.Types[name])})
		}
		r.Methods, r.Quarantine, r.ServerErrors = countsByName(t.Methods), countsByName(t.Quarantine), countsByName(t.ServerErrors)
		for _, f := range t.Findings {
			r.Findings = append(r.Findings, report.Finding(f))
		}
		r.Mismatched = t.Mismatched
	}
	return r
}

func countsOf(c ledger.Counts) report.Counts {
	return report.Counts{
		Expected: c.Expected, Lines: c.Lines, Written: c.Written, Dropped: c.Dropped, Quarantined: c.Quarantined,
		Duplicates: c.Duplicates, BytesIn: c.BytesIn, BytesOut: c.BytesOut,
	}
}

// countsByName lists counts, the largest first.
func countsByName(counts map[string]int64) []report.Count {
	var list []report.Count
	for name, n := range counts {
		list = append(list, report.Count{Name: name, Count: n})
	}
	slices.SortFunc(list, func(a, b report.Count) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return list
}

// outcomeSentence is what the report begins with.
func outcomeSentence(run *ledger.Run) string {
	unverified := ""
	if run.Policy.Claim == claimNone {
		unverified = fmt.Sprintf("The policy %s claims nothing, so the result was NOT verified. ", run.Policy.Name)
	}
	switch run.State {
	case ledger.Released:
		lines := int64(0)
		if run.Totals != nil {
			lines = run.Totals.Written
		}
		if unverified == "" {
			return fmt.Sprintf("Released: %d resources, each verified against the claim %q.", lines, run.Policy.Claim)
		}
		return fmt.Sprintf("%sReleased: %d resources.", unverified, lines)
	case ledger.Held:
		return unverified + "Held: the run is complete, but a person has to look before it can be released."
	case ledger.Failed:
		return unverified + "Failed: the run could not be completed, and nothing was released."
	case ledger.Cancelled:
		return unverified + "Cancelled: nothing was released."
	}
	return unverified + fmt.Sprintf("The run is %s.", run.State)
}
