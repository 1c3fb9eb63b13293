package pipeline

import "slices"

// Events are the messages of the log lines, word for word. Alerts and workbooks
// find the lines by them, so a change here is a change there; what a line says
// beyond that is on the list of package telemetry. A log line has no other
// message.
const (
	// The run.
	EventRunStarted  = "run started"       // run, outcome
	EventRunRevived  = "run revived"       // run: its heartbeat was lost
	EventRunSkipped  = "run skipped"       // run, active: another run holds the scope
	EventRunRefused  = "run refused"       // run, reasons: the preflight found a lasting fault
	EventRunReleased = "run released"      // run, files, lines: visible to researchers
	EventRunOver     = "run over"          // run, state (released, held, failed, cancelled), reasons, seconds
	EventStage       = "run entered stage" // run, stage
	EventFault       = "fault noted"       // run, code: a foreseen fault, the run goes on

	// The heartbeat.
	EventHeartbeat        = "heartbeat"         // run, tick, state, age in seconds; level debug
	EventHeartbeatFailed  = "heartbeat failed"  // run, tick, try, error: it beats again
	EventHeartbeatUnknown = "heartbeat unknown" // run: it is not in the ledger; dropped

	// The export and its outputs.
	EventExportAccepted = "export accepted"           // run
	EventSecondJob      = "second export job"         // run: it could not be cancelled
	EventOutcomeLost    = "server's answer not kept"  // run
	EventOutputFetched  = "output fetched"            // run, output, type, files, lines, bytes, seconds
	EventOutputRefused  = "output refused"            // run, output, error: a lasting fault
	EventFetchRetried   = "fetch met a passing fault" // run, output, try, error
	EventFetchUnknown   = "fetch of an unknown run"   // run: dropped
	EventForeignBlob    = "foreign blob passed over"  // in another account or container, or no raw file
	EventFileUnknown    = "file of an unknown run"    // run: passed over
	EventFileDone       = "file de-identified"        // run, output, piece, type, lines, written, dropped, quarantined, duplicates, hard, soft, bytes, seconds
	EventFileFailed     = "file failed for good"      // run, output, piece, type, code, error
	EventFindings       = "verifier findings"         // run, output, piece, type, hard, soft
	EventSmokeLeft      = "smoke test not cleaned up" // run: what it wrote is left to the lifecycle rules

	// The function app.
	EventTimer             = "timer answered"      // run, outcome
	EventInvocationFailed  = "invocation failed"   // function, invocation, error: the host tries again, then the message is poison
	EventInvocationStopped = "invocation stopped"  // function, invocation, limit, error: at its own limit
	EventInvocationPanic   = "invocation panicked" // function, invocation, panic, stack
	EventInterrupted       = "interrupted"         // it answers what is open
	EventHostGone          = "host gone"           // it leaves
	EventTelemetryLost     = "telemetry not sent"  // traces or metrics could not be delivered
)

// Events lists them all.
func Events() []string {
	return slices.Clone(events[:])
}

var events = [...]string{
	EventRunStarted, EventRunRevived, EventRunSkipped, EventRunRefused, EventRunReleased, EventRunOver, EventStage, EventFault,
	EventHeartbeat, EventHeartbeatFailed, EventHeartbeatUnknown,
	EventExportAccepted, EventSecondJob, EventOutcomeLost, EventOutputFetched, EventOutputRefused, EventFetchRetried, EventFetchUnknown,
	EventForeignBlob, EventFileUnknown, EventFileDone, EventFileFailed, EventFindings, EventSmokeLeft,
	EventTimer, EventInvocationFailed, EventInvocationStopped, EventInvocationPanic, EventInterrupted, EventHostGone, EventTelemetryLost,
}
