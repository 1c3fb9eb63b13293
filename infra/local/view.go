package main

import (
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"fhirdeid/internal/ledger"
)

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
