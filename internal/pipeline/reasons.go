package pipeline

import (
	"fmt"
	"time"

	"fhirdeid/internal/ledger"
)

// fail ends the run for a reason that no waiting mends.
func fail(run *ledger.Run, at time.Time, why ...ledger.Reason) {
	run.Reasons = why
	run.Enter(ledger.Failed, at)
}

// hold ends the run's own work; a person decides what becomes of it.
func hold(run *ledger.Run, at time.Time, why ...ledger.Reason) {
	run.Reasons = why
	run.Enter(ledger.Held, at)
}

func reason(code, format string, args ...any) ledger.Reason {
	return ledger.Reason{Code: code, Text: fmt.Sprintf(format, args...)}
}

func hardReason(code, format string, args ...any) ledger.Reason {
	r := reason(code, format, args...)
	r.Hard = true
	return r
}

func reasonDeadline(run *ledger.Run) ledger.Reason {
	return reason("deadline", "The run was not complete by its deadline, %s, while %s. Raise RUN_DEADLINE if the data has grown, or look at the notes of the run for what held it up.",
		run.Deadline.UTC().Format(time.RFC3339), run.State)
}

func reasonStalled(run *ledger.Run, since time.Time) ledger.Reason {
	return reason("stalled", "Nothing has moved since %s, while %s. Look at the notes of the run and at the poison queues.",
		since.UTC().Format(time.RFC3339), run.State)
}

func reasonCodes(reasons []ledger.Reason) []string {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.Code
	}
	return codes
}
