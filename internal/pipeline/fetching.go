package pipeline

import (
	"context"
	"fmt"

	"fhirdeid/internal/ledger"
)

// firstChains are the chains of a run before any is started. Chain k fetches
// the entries k, k+n, k+2n …
func firstChains(run *ledger.Run) []ledger.Chain {
	n := min(run.Settings.FetchParallel, run.Manifest.Entries())
	chains := make([]ledger.Chain, n)
	for k := range chains {
		chains[k].Next = k
	}
	return chains
}

// fetching is the step of the fetching stage: see how far things are, start
// chains that stand still, ask again for files without a result, and when all
// is there, close the books.
func (b *beat) fetching(ctx context.Context) error {
	if b.run.Manifest.Refresh {
		if err := b.refreshManifest(ctx); err != nil || b.run.State.Over() {
			return err
		}
	}
	v, err := b.survey(ctx, b.run)
	if err != nil {
		return err
	}
	b.progress(v)
	if b.now.Sub(b.run.Fetch.ProgressAt) > b.run.Settings.StallDeadline {
		b.giveUpExport(ctx)
		fail(b.run, b.now, reasonStalled(b.run, b.run.Fetch.ProgressAt))
		return b.writeReport(ctx)
	}
	if err := b.driveChains(ctx, v); err != nil {
		return err
	}
	if err := b.redrive(ctx, v); err != nil {
		return err
	}
	if v.complete() {
		return b.closeBooks(ctx, v)
	}
	// The first chains have just been started after a pause of nothing.
	b.pause = b.run.Settings.TickInterval
	return nil
}

// progress writes down how far things are, and when that last changed.
func (b *beat) progress(v *survey) {
	now := v.progress
	now.Copied = b.run.Fetch.Progress.Copied
	if now != b.run.Fetch.Progress {
		b.run.Fetch.Progress, b.run.Fetch.ProgressAt = now, b.now
	}
}

// driveChains starts each chain that stands still at its first entry that is
// not fetched. A chain moves when that entry changes, or gets results of files
// while a long one is being fetched.
func (b *beat) driveChains(ctx context.Context, v *survey) error {
	n := len(b.run.Fetch.Chains)
	total := b.run.Manifest.Entries()
	for k := range b.run.Fetch.Chains {
		c := &b.run.Fetch.Chains[k]
		next := c.Next
		for next < total && v.fetched[next].there {
			next += n
		}
		if next >= total {
			c.Next = next
			continue
		}
		pieces := v.strayResults[next]
		if next != c.Next || pieces != c.Pieces {
			c.Next, c.Pieces = next, pieces
			if !c.SentAt.IsZero() {
				c.SentAt = b.now
				continue
			}
		}
		if !c.SentAt.IsZero() && b.now.Sub(c.SentAt) < b.run.Settings.RedriveAfter {
			continue
		}
		if !c.SentAt.IsZero() {
			b.note(ctx, "chain-restarted", fmt.Sprintf("The fetch of output %d stood still and was started again.", next))
		}
		if err := send(ctx, b.Queues.Fetch, FetchOutput{Run: b.run.ID, Output: next}, 0); err != nil {
			return err
		}
		c.SentAt = b.now
	}
	return nil
}

// maxRedrive is after how many files one tick leaves the rest to the next.
const maxRedrive = 500

// redrive asks again for files that have been without a result for long, once
// for each time RedriveAfter has gone by. The run is right without any event of
// the storage, however many are lost: a sweep takes as many ticks as it needs.
func (b *beat) redrive(ctx context.Context, v *survey) error {
	after := b.run.Settings.RedriveAfter
	sweep := &b.run.Fetch.Sweep
	if sweep.Next == 0 {
		sweep.Began = b.now
	}
	sent := 0
	for index := sweep.Next; index < len(v.fetched); index++ {
		f := &v.fetched[index]
		if !f.there || f.done || f.summary.Failure != "" {
			continue
		}
		age, before := sweep.Began.Sub(f.summary.At), max(sweep.Swept.Sub(f.summary.At), 0)
		if age/after <= before/after {
			continue
		}
		if sent >= maxRedrive {
			sweep.Next = index
			b.noteRedriven(ctx, sent)
			return nil
		}
		for piece := range f.summary.Files {
			if f.has(piece) {
				continue
			}
			name := rawFile{Run: b.run.ID, Type: f.summary.Type, Output: index, Attempt: f.summary.Attempt, Piece: piece}
			if err := send(ctx, b.Queues.Retry, RetryFile{Run: b.run.ID, File: name.String()}, 0); err != nil {
				return err
			}
			sent++
		}
	}
	sweep.Next, sweep.Swept = 0, sweep.Began
	b.noteRedriven(ctx, sent)
	return nil
}

func (b *beat) noteRedriven(ctx context.Context, sent int) {
	if sent > 0 {
		b.note(ctx, "files-redriven", fmt.Sprintf("%d files had no result and were asked for again; their storage events may be lost.", sent))
	}
}
