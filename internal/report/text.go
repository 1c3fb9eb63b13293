package report

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"
)

// textFindings is how many findings the summary lists.
const textFindings = 20

// textDropped is how many paths it lists of what was dropped.
const textDropped = 10

// Text returns the summary for a terminal: plain text, no colours, at most some
// dozen lines for a clean run. The released files are in the other forms.
func (r *Run) Text() []byte {
	r = r.clean()
	var b bytes.Buffer
	for i, s := range r.sentences() {
		if i == 0 {
			s = mark(r) + "  " + s
		}
		fmt.Fprintln(&b, s)
	}
	for _, why := range r.Reasons {
		fmt.Fprintf(&b, "  %s: %s\n", why.Code, why.Text)
	}
	for _, step := range r.steps() {
		fmt.Fprintf(&b, "  → %s\n", step)
	}
	for _, o := range r.Orders {
		fmt.Fprintf(&b, "  %s: order to %s%s%s\n", instant(o.At), o.Kind, after(" by ", o.By), after(", because: ", o.Reason))
	}
	r.textTypes(&b)
	r.textFindings(&b)
	if lines := r.riskSentences(); len(lines) > 0 {
		fmt.Fprintf(&b, "\nRisk, by %s:\n", strings.Join(r.Risk.QuasiIdentifiers, ", "))
		for _, s := range lines {
			fmt.Fprintf(&b, "  %s\n", s)
		}
	}
	for i, s := range r.linkSentences() {
		if i == 0 {
			fmt.Fprintln(&b)
		}
		fmt.Fprintln(&b, s)
	}
	for _, l := range r.Policy.Loosened {
		fmt.Fprintf(&b, "\nLoosened: %s %s, because: %s\n", l.Path, l.Method, l.Reason)
	}
	textCounts(&b, "In quarantine", byCount(r.Quarantine))
	textCounts(&b, "Files that failed", byCount(r.FailedFiles))
	textCounts(&b, "The server's own errors", byCount(r.ServerErrors))
	textCounts(&b, "Methods", byCount(r.Methods))
	textCounts(&b, "Dropped most", byCount(r.DroppedPaths)[:min(len(r.DroppedPaths), textDropped)])
	r.textRecord(&b)
	return b.Bytes()
}

func after(lead, s string) string {
	if s == "" {
		return ""
	}
	return lead + s
}

// mark is the outcome as a word that is found at a glance.
func mark(r *Run) string {
	switch {
	case r.Outcome == Released && !r.Policy.Verified():
		return "RELEASED, NOT VERIFIED"
	case r.Outcome == "":
		return "NOT OVER"
	}
	return strings.ToUpper(string(r.Outcome))
}

func (r *Run) textTypes(b *bytes.Buffer) {
	if len(r.Types) == 0 {
		return
	}
	fmt.Fprintln(b)
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "type\toutputs\tfiles\tlines in\twritten\tdropped\tquarantined\t")
	row := func(name string, c Counts) {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", name, known(c.Outputs), known(c.Files), number(c.Lines), number(c.Written), number(c.Dropped), number(c.Quarantined))
	}
	for _, t := range r.Types {
		row(t.Name, t.Counts)
	}
	row("all", r.Totals)
	w.Flush()
}

func (r *Run) textFindings(b *bytes.Buffer) {
	if len(r.Findings) == 0 {
		return
	}
	fmt.Fprintln(b, "\nFindings of the verifier:")
	list := bySeverity(r.Findings)
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, f := range list[:min(len(list), textFindings)] {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", f.Severity, f.Class, f.Path, number(f.Count))
	}
	w.Flush()
	if more := len(list) - textFindings; more > 0 {
		fmt.Fprintf(b, "  and %d more in the report\n", more)
	}
}

func textCounts(b *bytes.Buffer, title string, list []counted) {
	if len(list) == 0 {
		return
	}
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = c.Name + " " + number(c.Count)
	}
	fmt.Fprintf(b, "\n%s: %s\n", title, strings.Join(parts, ", "))
}

// textRecord says what made the data and how long it took.
func (r *Run) textRecord(b *bytes.Buffer) {
	fmt.Fprintln(b)
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	row("policy", strings.TrimSpace(r.Policy.Name+"  "+short(r.Policy.Hash)))
	row("claim", r.Policy.Claim)
	for _, k := range r.Keys {
		row("key", k.Purpose+"  "+k.ID)
	}
	row("generation", r.Generation)
	row("engine", r.Engine)
	if !r.AsOf.IsZero() {
		row("as of", instant(r.AsOf))
	}
	row("server", r.Server)
	if !r.Started.IsZero() && !r.Ended.IsZero() {
		stages := make([]string, len(r.Stages))
		for i, s := range r.Stages {
			stages[i] = s.Name + " " + seconds(s.Seconds)
		}
		took := span(r.Ended.Sub(r.Started))
		if len(stages) > 0 {
			took += " (" + strings.Join(stages, ", ") + ")"
		}
		row("took", took)
	}
	w.Flush()
}

// short is as much of a hash as a person compares.
func short(hash string) string { return hash[:min(len(hash), 12)] }
