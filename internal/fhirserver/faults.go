package fhirserver

import "time"

// Faults are the wrong things the server does on request.
type Faults struct {
	// KickOff, Poll and File are statuses to answer the first requests with,
	// such as 429 or 503; 0 is none.
	KickOff, Poll, File []int
	// RetryAfter goes with those answers: seconds, or a date.
	RetryAfter string
	// Outcome is an OperationOutcome issue code that goes with them, such as
	// "transient" or "invalid".
	Outcome string
	// Fatal ends every job with a fatal OperationOutcome.
	Fatal bool
	// CutFile is an output that breaks off half way the first time; -1 is none.
	// CutAlways makes it break off each time.
	CutFile   int
	CutAlways bool
	// ChangedFile is an output that is another after it has broken off.
	ChangedFile bool
	// WrongCount is an output whose count in the manifest is one too many.
	WrongCount int
	// BadLine is an output that ends with a line that is no JSON.
	BadLine int
	// Duplicates is an output whose first resource comes twice.
	Duplicates int
	// ExpireAfter is how many files may be read before links expire (403); a new
	// manifest has new links. 0 is never.
	ExpireAfter int
	// Forged is a URL that the first output is said to be at.
	Forged string
	// Old is how much older than the kick-off the manifest says it is.
	Old time.Duration
	// CancelledIs200 answers 200 with a part of the manifest for a cancelled job.
	CancelledIs200 bool
	// RestartAfterPolls loses the job's work after so many polls, once: it runs
	// again from the start.
	RestartAfterPolls int
	// Errors adds an error file with issues of these severities.
	Errors []string
	// Slow delays every answer.
	Slow time.Duration
}

// NoFaults is a server that does everything right.
func NoFaults() Faults {
	return Faults{CutFile: -1, WrongCount: -1, BadLine: -1, Duplicates: -1}
}
