// Package ledger keeps the records that say what has happened in a run. They
// are the only state there is: every function of the app may run on another
// instance, twice, late, or again after a crash, and finds out where things
// stand by reading here.
//
// A record is a small JSON blob in the container "ledger". It is changed by
// compare-and-swap on its ETag, or created once and never changed:
//
//	scopes/<scope>.json              who holds the scope, and its history    (swapped)
//	runs/<run>/run.json              the run and its heartbeat               (swapped)
//	runs/<run>/fetched/<output>.json which attempt at an output counts       (created once)
//	runs/<run>/details/<file>.json   counts of one file too long for metadata
//	runs/<run>/rows/<kind>/<file>    what is counted over all files; deleted with the data
//	runs/<run>/small-cells.json      combinations that few patients have
//	runs/<run>/report.json, .html    what the run tells people
//	shares/<run>/<id>.json           who was given a link to a release, and how long it holds
//
// The result of de-identifying one file is not here but in the metadata of the
// file's output blob, written in the same commit as its bytes.
//
// No record holds a value from the data as the server sent it, a key, or prose of
// a server; those of cells hold values of the de-identified data.
package ledger
