package pipeline

import (
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/report"
)

// clockSlack is how far the storage's clock, which shows whole seconds, may be
// behind.
const clockSlack = 2 * time.Second

// timings say how long each part of the run's work took. Fetching and
// de-identifying go on at the same time: each is from the first byte to its last
// file. They are read from the run's record, so a part that was not reached is not
// there.
func timings(run *ledger.Run) []report.Timing {
	var list []report.Timing
	add := func(name string, from, to time.Time, bytes int64) {
		if from.IsZero() || to.Before(from.Add(-clockSlack)) {
			return
		}
		list = append(list, timing(name, max(0, to.Sub(from)), bytes))
	}
	var in, out, work int64
	if run.Totals != nil {
		in, out, work = run.Totals.BytesIn, run.Totals.BytesOut, run.Totals.Work
	}
	fetching, releasing := run.Stages[ledger.Fetching], run.Stages[ledger.Releasing]
	add("kick-off", run.CreatedAt, run.Kickoff.AcceptedAt, 0)
	add("export", run.Kickoff.AcceptedAt, fetching, 0)
	add("fetch", fetching, run.Fetch.FetchedAt, in)
	add("de-identify", fetching, run.Fetch.DoneAt, in)
	if work > 0 {
		list = append(list, timing("work", time.Duration(work)*time.Millisecond, in))
	}
	add("release", releasing, run.Release.PublishedAt, out)
	add("clean-up", run.Release.PublishedAt, run.EndedAt, 0)
	return list
}

func timing(name string, took time.Duration, bytes int64) report.Timing {
	t := report.Timing{Name: name, Seconds: took.Seconds(), Bytes: bytes}
	if bytes > 0 && took > 0 {
		t.BytesPerSecond = int64(float64(bytes) / took.Seconds())
	}
	return t
}
