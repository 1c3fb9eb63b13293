// Package progress shows on a terminal, or in a log, how a run goes.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"fhirdeid/internal/ledger"
)

// View shows how a run goes: one line that is written again and again on a
// terminal, a new line at each change elsewhere.
type View struct {
	out   io.Writer
	live  bool
	width int
	last  string
	shown bool
	noted int // notes shown, by their times
}

// New returns a view that writes to out.
func New(out io.Writer) *View {
	v := &View{out: out, width: 100}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		v.live = true
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 20 {
			v.width = w
		}
	}
	return v
}

// Show shows the run as it is now, if that has changed.
func (v *View) Show(r *ledger.Run) {
	v.notes(r)
	line := Line(r)
	if line == v.last {
		return
	}
	v.last = line
	if !v.live {
		fmt.Fprintln(v.out, line)
		return
	}
	v.shown = true
	if len(line) > v.width-1 {
		line = line[:v.width-1]
	}
	fmt.Fprintf(v.out, "\r\x1b[K%s", line)
}

// notes shows what the run has lived through since the last look: a server that
// does not answer is no secret.
func (v *View) notes(r *ledger.Run) {
	times := 0
	for _, n := range r.Notes {
		times += max(n.Times, 1)
	}
	if times <= v.noted || len(r.Notes) == 0 {
		return
	}
	v.noted = times
	if v.live && v.shown {
		fmt.Fprint(v.out, "\r\x1b[K")
	}
	newest := r.Notes[len(r.Notes)-1]
	fmt.Fprintf(v.out, "%s  note: %s\n", r.ID, newest.Text)
	v.last = ""
}

// End leaves the line, so that others can write.
func (v *View) End() {
	if v.live && v.shown {
		fmt.Fprintln(v.out)
	}
}

// Line says how far a run is: stage, outputs, files, lines, MB/s.
func Line(r *ledger.Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-9s", r.ID, r.State)
	switch {
	case r.State == ledger.Exporting && r.Kickoff.StatusURL == "":
		b.WriteString("  asking the FHIR server for an export")
	case r.State == ledger.Exporting:
		fmt.Fprintf(&b, "  the server is exporting (polls: %d)", r.Poll.Count)
	case r.Manifest != nil:
		p := r.Fetch.Progress
		fmt.Fprintf(&b, "  outputs %d/%d  files %d/%d  lines %d", p.Fetched, r.Manifest.Entries(), p.Results, max(p.Files, p.Results), p.Lines)
		if speed := megabytesPerSecond(r); speed > 0 {
			fmt.Fprintf(&b, "  %.1f MB/s", speed)
		}
		if r.State == ledger.Releasing {
			fmt.Fprintf(&b, "  copied %d/%d", p.Copied, r.Release.Files)
		}
	}
	return b.String()
}

// megabytesPerSecond is the raw bytes de-identified by the time they took, as
// the heartbeat has seen it.
func megabytesPerSecond(r *ledger.Run) float64 {
	took := r.Fetch.ProgressAt.Sub(r.Stages[ledger.Fetching])
	if took <= 0 {
		return 0
	}
	return float64(r.Fetch.Progress.Bytes) / 1e6 / took.Seconds()
}
