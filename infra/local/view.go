package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"fhirdeid/internal/ledger"
)

// view shows how a run goes: one line that is written again and again on a
// terminal, a new line at each change elsewhere.
type view struct {
	out   io.Writer
	live  bool
	width int
	last  string
	shown bool
	noted int // notes shown, by their times
}

func newView(out io.Writer) *view {
	v := &view{out: out, width: 100}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		v.live = true
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 20 {
			v.width = w
		}
	}
	return v
}

func (v *view) show(r *ledger.Run) {
	v.notes(r)
	line := progressLine(r)
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
func (v *view) notes(r *ledger.Run) {
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

func (v *view) end() {
	if v.live && v.shown {
		fmt.Fprintln(v.out)
	}
}

// progressLine says how far a run is: stage, outputs, files, lines, MB/s.
func progressLine(r *ledger.Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-9s", r.ID, r.State)
	switch {
	case r.State == ledger.Exporting && r.Kickoff.StatusURL == "":
		b.WriteString("  asking the FHIR server for an export")
	case r.State == ledger.Exporting:
		fmt.Fprintf(&b, "  the server is exporting (%d polls)", r.Poll.Count)
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

// summary says what has come of the run.
func (s *system) summary(r *ledger.Run, released int, dir, report string) {
	fmt.Fprintf(s.out, "\nRun %s is %s after %s.\n", r.ID, r.State, r.EndedAt.Sub(r.CreatedAt).Round(time.Second))
	if r.State == ledger.Released {
		if r.Policy.Claim == "none" {
			fmt.Fprintf(s.out, "The policy %s claims nothing, so the data set is NOT verified.\n", r.Policy.Name)
		} else {
			fmt.Fprintf(s.out, "Every line was verified against the claim %q of the policy %s.\n", r.Policy.Claim, r.Policy.Name)
		}
	}
	for _, why := range r.Reasons {
		fmt.Fprintf(s.out, "  %s: %s\n", why.Code, why.Text)
	}
	if t := r.Totals; t != nil {
		w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "\ntype\tin\tout\tdropped\tquarantined\t")
		for _, name := range slices.Sorted(maps.Keys(t.Types)) {
			c := t.Types[name]
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", name, c.Lines, c.Written, c.Dropped, c.Quarantined)
		}
		fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\t\n", t.Lines, t.Written, t.Dropped, t.Quarantined)
		w.Flush()
	}
	fmt.Fprintln(s.out)
	if r.State == ledger.Released {
		fmt.Fprintf(s.out, "Released data, %d files: %s\n", released, dir)
	} else {
		fmt.Fprintf(s.out, "Nothing was released. The run's log: %s\n", s.logFile.Name())
	}
	fmt.Fprintf(s.out, "Report: %s\n", report)
}
