// Package pipeline says what happens next in a run. A run is one pass from the
// kick-off of a bulk export to the release of a de-identified data set; its
// steps are called by the triggers of the function app, and by the operator's
// command line:
//
//	Start      the timer: take the scope, write the run, ask the server to export
//	Check      the heartbeat: one idempotent step, then a message to itself
//	Fetch      one output of the server's manifest into files of bounded size
//	Anonymize  one file: raw → engine → verifier → staging
//	Order      a person: cancel, release, retry, discard
//
// Read start.go, check.go, export.go, fetching.go, fetch.go, anonymize.go,
// complete.go and release.go in this order to follow a night.
//
// # Rules
//
// Every call may happen twice, at the same time, late, or again after a crash
// at any line. So nothing is kept in memory between calls; what must not be
// repeated is settled by a conditional write in the ledger; and a blob is
// written whole or not at all.
//
// A fault that may pass is returned as an error, and the host delivers the
// message again, or is noted while the heartbeat goes on. A fault that another
// try cannot mend is written down as the result, and the message is
// acknowledged.
//
// Nothing here writes a value from the data to a log, an error, a message, a
// name or a record.
package pipeline
