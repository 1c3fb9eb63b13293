package pipeline

import (
	"context"
	"errors"
	"time"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/ledger"
)

const (
	// kickoffPatience is how long a recorded kick-off may be under way in
	// another invocation before it is taken for lost. The client's own time-out
	// is shorter.
	kickoffPatience = 2 * time.Minute
	// oldJob is how much older than the kick-off a manifest's instant may be,
	// by the server's own clock. A server may hand back an old job.
	oldJob = time.Hour
	// maxPollFailures is how many polls in a row may fail for good reasons of
	// the server before the job is given up.
	maxPollFailures = 50
)

// export is the step of the exporting stage: kick off, or ask how it goes.
func (b *beat) export(ctx context.Context) error {
	if b.run.Kickoff.StatusURL == "" {
		return b.kickOff(ctx)
	}
	if b.now.Before(b.run.Poll.Next) {
		b.pause = b.run.Poll.Next.Sub(b.now)
		return nil
	}
	return b.poll(ctx)
}

// kickOff asks the server to export. The attempt is recorded before the request
// is sent, and the request is fixed in the run: should the answer be lost, the
// repeat is identical and a server can recognise it.
func (b *beat) kickOff(ctx context.Context) error {
	k := &b.run.Kickoff
	wait := k.Again
	if wait.IsZero() && k.Attempts > 0 {
		wait = k.AttemptedAt.Add(kickoffPatience)
	}
	if b.now.Before(wait) {
		b.pause = min(wait.Sub(b.now), maxPause)
		return nil
	}
	k.Attempts++
	k.AttemptedAt, k.Again = b.now, time.Time{}
	if err := b.save(ctx); err != nil {
		return err
	}
	accepted, err := b.Exporter.KickOff(ctx, b.run.Request)
	if err != nil {
		return b.kickOffFailed(ctx, err)
	}
	k.StatusURL = accepted.StatusURL
	k.ServerTime = accepted.ServerTime
	k.AcceptedAt = b.now
	b.run.Poll = ledger.Poll{Interval: b.run.Settings.PollInterval, Next: b.now.Add(b.run.Settings.PollInterval)}
	b.pause = b.run.Settings.PollInterval
	// The status URL before anything else: without it the job is lost.
	err = b.save(ctx)
	if errors.Is(err, errLostSwap) {
		return b.saveAccepted(ctx)
	}
	if err != nil {
		return err
	}
	b.Log.InfoContext(ctx, EventExportAccepted, "run", b.run.ID)
	return nil
}

// saveAccepted saves the status URL of a job that the server has just accepted,
// into a run that somebody else has written meanwhile. If that other has a job
// of its own, or has ended the run, ours is not wanted.
func (b *beat) saveAccepted(ctx context.Context) error {
	ours, poll := b.run.Kickoff, b.run.Poll
	wanted := false
	_, err := b.ledger().UpdateRun(ctx, b.run.ID, func(r *ledger.Run) (bool, error) {
		wanted = !r.State.Over() && (r.Kickoff.StatusURL == "" || r.Kickoff.StatusURL == ours.StatusURL)
		if !wanted {
			return false, nil
		}
		r.Kickoff.StatusURL, r.Kickoff.ServerTime, r.Kickoff.AcceptedAt = ours.StatusURL, ours.ServerTime, ours.AcceptedAt
		r.Poll = poll
		return true, nil
	})
	if err != nil {
		return err
	}
	if !wanted {
		if err := b.Exporter.Cancel(ctx, ours.StatusURL); err != nil {
			b.Log.WarnContext(ctx, EventSecondJob, "run", b.run.ID)
		}
	}
	return errLostSwap
}

func (b *beat) kickOffFailed(ctx context.Context, err error) error {
	if lasting(err) {
		b.keepOutcome(ctx, "kickoff", err)
		fail(b.run, b.now, reason("kickoff-refused", "The server refused the export: %s", err))
		return b.writeReport(ctx)
	}
	b.run.Kickoff.Again = b.now.Add(b.backOff(b.run.Kickoff.Attempts, err))
	b.pause = b.run.Kickoff.Again.Sub(b.now)
	b.note(ctx, "kickoff-retried", "The export could not be started yet: "+err.Error())
	return nil
}

// poll asks the server how the job goes.
func (b *beat) poll(ctx context.Context) error {
	b.run.Poll.Count++
	status, err := b.Exporter.Status(ctx, b.run.Kickoff.StatusURL)
	if err != nil {
		return b.pollFailed(ctx, err)
	}
	b.run.Poll.Failures = 0
	if status.Done {
		return b.exported(ctx, status)
	}
	b.nextPoll(status.RetryAfter)
	return nil
}

// nextPoll sets the instant of the next poll: what the server asks for, or else
// an interval that doubles from poll to poll.
func (b *beat) nextPoll(asked time.Duration) {
	interval := asked
	if interval <= 0 {
		interval = b.run.Poll.Interval
		b.run.Poll.Interval = min(2*interval, b.run.Settings.PollIntervalMax)
	}
	b.run.Poll.Next = b.now.Add(interval)
	b.pause = interval
}

func (b *beat) pollFailed(ctx context.Context, err error) error {
	var e *bulkdata.Error
	if errors.As(err, &e) && e.Kind == bulkdata.Gone {
		fail(b.run, b.now, reason("job-gone", "The server no longer knows its export job: %s. It was cancelled or has expired; the next run starts a new one.", err))
		return b.writeReport(ctx)
	}
	if lasting(err) {
		b.keepOutcome(ctx, "status", err)
		fail(b.run, b.now, reason("export-failed", "The server's export job failed: %s", err))
		return b.writeReport(ctx)
	}
	b.run.Poll.Failures++
	if b.run.Poll.Failures >= maxPollFailures {
		b.giveUpExport(ctx)
		fail(b.run, b.now, reason("server-unreachable", "The server did not answer %d polls in a row; the last time: %s", b.run.Poll.Failures, err))
		return b.writeReport(ctx)
	}
	wait := b.backOff(b.run.Poll.Failures, err)
	b.run.Poll.Next = b.now.Add(wait)
	b.pause = wait
	b.note(ctx, "poll-failed", "The server could not be asked how its export goes: "+err.Error())
	return nil
}

// exported takes the manifest and moves on to fetching.
func (b *beat) exported(ctx context.Context, status bulkdata.Status) error {
	if b.run.Kickoff.Deleted {
		fail(b.run, b.now, reason("job-deleted", "The export job was cancelled, so its manifest may be partial and is not used."))
		return b.writeReport(ctx)
	}
	manifest, bad := b.keepManifest(ctx, status.Manifest)
	if bad != nil {
		return bad
	}
	if manifest == nil {
		return b.writeReport(ctx) // refused, the reason is set
	}
	b.run.Manifest = manifest
	if why := oldJobReasons(b.run); len(why) > 0 {
		hold(b.run, b.now, why...)
		return b.writeReport(ctx)
	}
	if manifest.Outputs == 0 {
		hold(b.run, b.now, reason("nothing-exported", "The server exported nothing. Look whether its resource types, group and permissions are as you think; then discard the run."))
		return b.writeReport(ctx)
	}
	b.run.Enter(ledger.Fetching, b.now)
	b.run.Fetch = ledger.Fetch{ProgressAt: b.now, Chains: firstChains(b.run)}
	b.pause = 0 // the next tick starts the chains, once this state is saved
	return nil
}

// oldJobReasons object to a manifest that is older than the run's own request.
func oldJobReasons(run *ledger.Run) []ledger.Reason {
	age := run.Kickoff.ServerTime.Sub(run.Manifest.TransactionTime)
	if run.Kickoff.ServerTime.IsZero() || age <= oldJob {
		return nil
	}
	return []ledger.Reason{reason("old-job", "The server's manifest is of %s, %s before this run asked for an export: it handed back an old job. Discard the run, or release it knowing that.",
		run.Manifest.TransactionTime.UTC().Format(time.RFC3339), age.Round(time.Minute))}
}

// backOff is how long to wait after the n-th fault in a row: what the server
// asks for, or a time that doubles from the poll interval, with jitter.
func (b *beat) backOff(n int, err error) time.Duration {
	var e *bulkdata.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	wait := b.run.Settings.PollInterval
	for range min(n-1, 20) {
		wait = min(2*wait, b.run.Settings.PollIntervalMax)
	}
	return b.jitter(wait)
}

// jitter spreads a pause over three quarters to five quarters of itself, so
// that many clients of a server that was down do not come back at once.
func (p *Pipeline) jitter(d time.Duration) time.Duration {
	var r [2]byte
	p.Random(r[:])
	fraction := float64(uint16(r[0])<<8|uint16(r[1])) / (1 << 16)
	return time.Duration(float64(d) * (0.75 + fraction/2))
}

// lasting reports whether another try of the same request cannot mend the
// fault.
func lasting(err error) bool {
	var e *bulkdata.Error
	return errors.As(err, &e) && e.Kind != bulkdata.Transient
}
