package report

import (
	"fmt"
	"slices"
)

// Sentences say how the run ended, in the order of what matters. The first one
// of a release that nobody has verified says so.
func (r *Run) Sentences() []string { return r.clean().sentences() }

func (r *Run) sentences() []string {
	var s []string
	say := func(format string, args ...any) { s = append(s, fmt.Sprintf(format, args...)) }
	t := r.Totals
	switch r.Outcome {
	case Released:
		if !r.Policy.Verified() {
			say("This data set is not verified: the policy %s claims nothing, so nothing was checked.", r.Policy.Name)
		}
		say("Run %s is released: %s in %s.", r.ID, count(t.Written, "line"), count(int64(len(r.Files)), "file"))
		if r.Policy.Verified() {
			say("Every line of it was checked against the claim %s of the policy %s.", r.Policy.Claim, r.Policy.Name)
		}
		if r.NewGeneration {
			say("It begins a new generation, %s: its ids do not join with those of earlier releases.", r.Generation)
		}
		if n := len(r.Policy.Loosened); n > 0 {
			say("The policy keeps more than its profile does, in %s: see the reasons given.", count(int64(n), "place"))
		}
		if i := slices.IndexFunc(r.Orders, func(o Order) bool { return o.Kind == "release" }); i >= 0 {
			say("A person ordered the release: see the orders.")
		}
	case Held:
		say("Run %s is held: it is complete, but not released, and waits for a person.", r.ID)
	case Failed:
		say("Run %s has failed: it could not be completed, and nothing of it was released.", r.ID)
	case Cancelled:
		say("Run %s was cancelled by a person, and nothing of it was released.", r.ID)
	default:
		say("Run %s is not over.", r.ID)
	}
	if t.Lines > 0 && r.Outcome != Released || t.Dropped+t.Quarantined > 0 || !t.Balanced() {
		s = append(s, r.balance())
	}
	if t.Lines > 0 && t.Counted && t.Expected != t.Lines {
		say("The server's manifest says %s.", count(t.Expected, "line"))
	}
	if n := r.findings("hard"); n > 0 {
		say("The verifier found %s where the result would break the claim.", count(n, "place"))
	}
	return s
}

// linkSentences say which references lead nowhere.
func (r *Run) linkSentences() []string {
	l := r.Links
	if l == nil || l.References+l.Contained == 0 {
		return nil
	}
	s := fmt.Sprintf("%s to resources of the data, of which %s nowhere", count(l.References, "reference"), lead(l.Dangling))
	if l.Dangling > 0 {
		s += fmt.Sprintf(" (%s): what they name was not exported, dropped, or kept back", percent(l.Dangling, l.References))
	}
	list := []string{s + "."}
	if l.Contained > 0 {
		list = append(list, fmt.Sprintf("%s within a resource, of which %s nowhere.", count(l.Contained, "reference"), lead(l.ContainedDangling)))
	}
	if l.Other > 0 {
		list = append(list, fmt.Sprintf("%s of other forms were not followed.", count(l.Other, "reference")))
	}
	return list
}

// lead writes how many lead somewhere.
func lead(n int64) string {
	switch n {
	case 0:
		return "none leads"
	case 1:
		return "1 leads"
	}
	return number(n) + " lead"
}

// balance is the account of all lines.
func (r *Run) balance() string {
	t := r.Totals
	account := fmt.Sprintf("%s fetched = %s written + %s dropped by the policy + %s in quarantine.",
		count(t.Lines, "line"), number(t.Written), number(t.Dropped), number(t.Quarantined))
	if !t.Balanced() {
		return "The account does not add up, which is a fault of the program: " + account
	}
	return account
}

// steps say what a person can do about a run that waits or has failed: what
// would be refused is not offered.
func (r *Run) steps() []string {
	if r.Outcome != Held && r.Outcome != Failed {
		return nil
	}
	var steps []string
	hard := slices.ContainsFunc(r.Reasons, func(x Reason) bool { return x.Hard })
	if r.Totals.Outputs == 0 { // nothing was exported
		steps = append(steps, "Mend the cause, then start a new run: fhirdeid runs start")
	} else {
		steps = append(steps, "Mend the cause, then do again what was not clean: fhirdeid runs retry "+r.ID)
	}
	if r.Outcome == Held && !hard {
		steps = append(steps, "Or release it as it is: fhirdeid runs release "+r.ID+` --reason "…"`)
	}
	steps = append(steps, "Or give it up and delete its data: fhirdeid runs discard "+r.ID+` --reason "…"`)
	if r.Outcome == Held && hard {
		steps = append(steps, "It cannot be released as it is: nobody may overrule a broken claim or account.")
	}
	return steps
}

func (r *Run) findings(severity string) int64 {
	var n int64
	for _, f := range r.Findings {
		if f.Severity == severity {
			n += f.Count
		}
	}
	return n
}
