package pipeline

import (
	"context"
	"fmt"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// survey is what one look at the ledger and at staging tells of a run.
type survey struct {
	// fetched has an element for each entry of the manifest.
	fetched []fetchedEntry
	// strayResults counts results for entries not yet recorded as fetched, by
	// entry: a sign of life of a long fetch.
	strayResults map[int]int
	progress     ledger.Progress
	// bad are results that cannot be read, or are of another policy, by name.
	bad []string
}

// fetchedEntry is one entry of the manifest and the results of its files.
type fetchedEntry struct {
	summary ledger.FetchedSummary
	there   bool
	// results has an element for each file.
	results []result
	// done means that every file has a result for exactly the bytes that the
	// record names, under the run's policy.
	done bool
}

func (f *fetchedEntry) has(piece int) bool {
	return piece < len(f.results) && f.results[piece].SourceETag != ""
}

// complete reports whether every entry is fetched and every file has a result.
func (v *survey) complete() bool {
	for i := range v.fetched {
		if !v.fetched[i].there || !v.fetched[i].done {
			return false
		}
	}
	return true
}

// survey lists the records and the results. Both listings carry their counts in
// metadata, so that nothing is read one by one.
func (p *Pipeline) survey(ctx context.Context, run *ledger.Run) (*survey, error) {
	v := &survey{fetched: make([]fetchedEntry, run.Manifest.Entries()), strayResults: make(map[int]int)}
	for s, err := range p.ledger().FetchedSummaries(ctx, run.ID) {
		if err != nil {
			return nil, err
		}
		if s.Output >= len(v.fetched) {
			return nil, fmt.Errorf("run %s has a record of output %d, which its manifest has not", run.ID, s.Output)
		}
		f := &v.fetched[s.Output]
		f.summary, f.there = s, true
		f.results = make([]result, s.Files)
		v.progress.Fetched++
		v.progress.Files += s.Files
	}
	for info, err := range p.Stores.Staging.List(ctx, run.ID+"/") {
		if err != nil {
			return nil, fmt.Errorf("listing the results of run %s: %w", run.ID, err)
		}
		v.addResult(run, info)
	}
	for i := range v.fetched {
		v.fetched[i].settle()
	}
	return v, nil
}

// lastTimes are when the last output was fetched, and the last file done.
func (v *survey) lastTimes() (fetched, done time.Time) {
	for i := range v.fetched {
		f := &v.fetched[i]
		fetched = maxTime(fetched, f.summary.At)
		for piece := range f.results {
			done = maxTime(done, f.results[piece].At)
		}
	}
	return fetched, done
}

func (v *survey) addResult(run *ledger.Run, info storage.Info) {
	name, ok := parseRawFile(info.Name)
	if !ok || name.Output >= len(v.fetched) {
		return
	}
	r, err := parseResult(info)
	if err != nil {
		v.bad = append(v.bad, info.Name)
		return
	}
	if r.PolicyHash != run.Policy.Hash {
		v.bad = append(v.bad, info.Name)
		return
	}
	v.progress.Results++
	v.progress.Lines += r.Counts.Lines
	v.progress.Bytes += r.Counts.BytesIn
	f := &v.fetched[name.Output]
	switch {
	case !f.there:
		v.strayResults[name.Output]++
	case name.Attempt == f.summary.Attempt && name.Piece < len(f.results):
		f.results[name.Piece] = r
	}
}

// settle finds out whether the entry is done.
func (f *fetchedEntry) settle() {
	if !f.there {
		return
	}
	for i := range f.results {
		if f.results[i].SourceETag == "" {
			return
		}
	}
	f.done = f.summary.ETags == ledger.ETagsDigest(func(yield func(storage.ETag) bool) {
		for i := range f.results {
			if !yield(f.results[i].SourceETag) {
				return
			}
		}
	})
}
