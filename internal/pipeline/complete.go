package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fhirdeid/internal/ledger"
)

// closeBooks is done once, when every entry is fetched and every file has a
// result: all lines are accounted for, and the run goes on to be released, or
// is held, or has failed.
func (b *beat) closeBooks(ctx context.Context, v *survey) error {
	totals, err := b.total(ctx, v)
	if err != nil {
		return err
	}
	b.run.Totals = totals
	b.run.Fetch.FetchedAt, b.run.Fetch.DoneAt = v.lastTimes()
	if why := failures(totals, v); len(why) > 0 {
		fail(b.run, b.now, why...)
		return b.writeReport(ctx)
	}
	why := b.objections(totals)
	if o, overruled := b.run.Ordered(ledger.OrderRelease); overruled {
		why = slices.DeleteFunc(why, func(r ledger.Reason) bool { return !r.Hard && slices.Contains(o.Overrules, r.Code) })
	}
	if len(why) > 0 {
		hold(b.run, b.now, why...)
		return b.writeReport(ctx)
	}
	b.run.Reasons = nil
	b.run.Enter(ledger.Releasing, b.now)
	b.pause = 0
	return nil
}

// total sums the counts of all files that belong to the run.
func (b *beat) total(ctx context.Context, v *survey) (*ledger.Totals, error) {
	t := new(ledger.Totals)
	t.Outputs = b.run.Manifest.Outputs
	for index := range v.fetched {
		f := &v.fetched[index]
		if index >= b.run.Manifest.Outputs {
			record, err := b.ledger().Fetched(ctx, b.run.ID, index)
			if err != nil {
				return nil, err
			}
			if t.ServerErrors == nil {
				t.ServerErrors = make(map[string]int64)
			}
			for severity, n := range record.Severities {
				t.ServerErrors[severity] += n
			}
			continue
		}
		t.Files += f.summary.Files
		byType := t.Type(f.summary.Type)
		byType.Outputs++
		byType.Files += f.summary.Files
		if f.summary.Expected >= 0 {
			t.Expected += f.summary.Expected
			byType.Expected += f.summary.Expected
		}
		if f.summary.Mismatched() {
			t.Mismatched++
		}
		for piece := range f.results {
			r := &f.results[piece]
			if r.Failure != "" {
				if t.FailedFiles == nil {
					t.FailedFiles = make(map[string]int)
				}
				t.FailedFiles[r.Failure]++
			}
			if r.DetailsInBlob {
				name := rawFile{Run: b.run.ID, Type: f.summary.Type, Output: index, Attempt: f.summary.Attempt, Piece: piece}
				details, err := b.ledger().Details(ctx, b.run.ID, detailsKey(name.String()))
				if err != nil {
					return nil, err
				}
				r.Details = details
			}
			t.Add(r.Counts)
			t.Merge(r.Details)
			t.Work += r.Work
			byType.BytesIn += r.Counts.BytesIn
			byType.BytesOut += r.Counts.BytesOut
			byType.Duplicates += r.Counts.Duplicates
		}
	}
	risk, err := b.measureRisk(ctx, v)
	if err != nil {
		return nil, err
	}
	t.Risk = risk
	if t.Links, err = b.countLinks(ctx, v); err != nil {
		return nil, err
	}
	slices.SortFunc(t.Findings, func(a, b ledger.Finding) int {
		return strings.Compare(a.Severity+a.Class+a.Path, b.Severity+b.Class+b.Path)
	})
	return t, nil
}

// failures are faults after which the run cannot be completed.
func failures(t *ledger.Totals, v *survey) []ledger.Reason {
	var why []ledger.Reason
	unread := make(map[string]int)
	for i := range v.fetched {
		if code := v.fetched[i].summary.Failure; code != "" {
			unread[code]++
		}
	}
	for _, code := range slices.Sorted(maps.Keys(unread)) {
		why = append(why, reason(code, "%d of the server's files could not be read: %s.", unread[code], unreadText[code]))
	}
	for _, code := range slices.Sorted(maps.Keys(t.FailedFiles)) {
		why = append(why, reason(code, "%d files could not be de-identified: %s. Mend it and order a retry.", t.FailedFiles[code], failedFileText[code]))
	}
	return why
}

var unreadText = map[string]string{
	"url-refused":       "the manifest names a place that is neither the FHIR server nor configured, and no token or request is sent there; if it is right, add its origin to FHIR_FILE_ORIGINS, or set ExportStorage to the account that the server exports to",
	"access-denied":     "this identity may not read them; in Azure it needs the role \"Storage Blob Data Reader\" on the account of ExportStorage",
	"unreadable-output": "the server refused the request",
}

var failedFileText = map[string]string{
	codePolicyChanged: "the policy was changed during the run",
	codePolicyBad:     "the policy cannot be used",
	codeKeyGone:       "a key version that the run began with cannot be read",
}

// objections are what a person has to look at before the run may be released.
func (b *beat) objections(t *ledger.Totals) []ledger.Reason {
	why := oldJobReasons(b.run)
	hard, atVerifier := int64(0), t.Quarantine[(&leakError{}).LineReason()]
	for _, f := range t.Findings {
		if f.Severity == "hard" {
			hard += f.Count
		}
	}
	if hard > 0 {
		why = append(why, hardReason("findings", "The verifier found %d places, in %d lines, where the result would break the policy's claim %q. These lines were kept back. The report lists class and path; tighten the policy.", hard, atVerifier, b.run.Policy.Claim))
	}
	if bad := t.Quarantined - atVerifier; bad > b.run.Settings.MaxQuarantinedLines {
		why = append(why, reason("quarantine", "%d lines could not be processed and are in quarantine, by reason: %s. MAX_QUARANTINED_LINES allows %d.",
			bad, countList(t.Quarantine), b.run.Settings.MaxQuarantinedLines))
	}
	if t.Mismatched > 0 {
		why = append(why, reason("count-mismatch", "%d outputs have another number of lines than the server's manifest says, %d instead of %d in all where it says so.", t.Mismatched, t.Lines, t.Expected))
	}
	if !t.Balanced() {
		why = append(why, hardReason("unbalanced", "%d lines were read but %d are accounted for. This is a fault of the program.", t.Lines, t.Written+t.Dropped+t.Quarantined))
	}
	if t.Risk != nil && t.Risk.Smallest < t.Risk.Minimum {
		why = append(why, smallCells(b.run, t.Risk))
	}
	if n := t.ServerErrors["error"] + t.ServerErrors["fatal"]; n > 0 {
		why = append(why, reason("server-errors", "The server reported %d errors of its own export; its words are in the raw account under %s.", n, serverDir(b.run.ID)))
	}
	return why
}

func countList(counts map[string]int64) string {
	parts := make([]string, 0, len(counts))
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, counts[k]))
	}
	return strings.Join(parts, ", ")
}
