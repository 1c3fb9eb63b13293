package progress

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/ledger"
)

// TestNoTerminal: where nobody sees a line change, each change is a line of its
// own, once, and notes are told as they come.
func TestNoTerminal(t *testing.T) {
	at := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	r := &ledger.Run{ID: "20261122T010000Z", CreatedAt: at}
	var out bytes.Buffer
	v := New(&out)
	show := func() { v.Show(r); v.Show(r) }
	r.Enter(ledger.Exporting, at)
	show()
	r.Kickoff.StatusURL, r.Poll.Count = "x", 3
	show()
	r.Note(at, "poll-failed", "The server did not answer.")
	show()
	r.Enter(ledger.Fetching, at)
	r.Manifest = &ledger.Manifest{Outputs: 4}
	r.Fetch.Progress = ledger.Progress{Fetched: 1, Files: 2, Results: 1, Lines: 10, Bytes: 2e6}
	r.Fetch.ProgressAt = at.Add(time.Second)
	show()
	r.Enter(ledger.Releasing, at)
	r.Release.Files = 2
	show()
	v.End()
	want := []string{
		"20261122T010000Z  exporting  asking the FHIR server for an export",
		"20261122T010000Z  exporting  the server is exporting (polls: 3)",
		"20261122T010000Z  note: The server did not answer.",
		"20261122T010000Z  exporting  the server is exporting (polls: 3)",
		"20261122T010000Z  fetching   outputs 1/4  files 1/2  lines 10  2.0 MB/s",
		"20261122T010000Z  releasing  outputs 1/4  files 1/2  lines 10  2.0 MB/s  copied 0/2",
	}
	if got := strings.TrimSpace(out.String()); got != strings.Join(want, "\n") {
		t.Errorf("shown is\n%s", got)
	}
}
