package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"fhirdeid/internal/verify"
)

// claimNames are the claims in the law's words.
var claimNames = map[string]string{
	verify.SafeHarbor:     "Safe Harbor, 45 CFR 164.514(b)(2)",
	verify.LimitedDataSet: "limited data set, 45 CFR 164.514(e)(2)",
}

// classWords say what a class of findings means to somebody who does not know the
// program, in the order in which they are told.
var classWords = []struct{ class, text string }{
	{verify.ClassInput, "a name, number or address of the input has come through"},
	{verify.ClassPattern, "looks like an e-mail address, telephone number, social security number, IP address, URL or date"},
	{verify.ClassUnlisted, "nothing of this element may be there: names, numbers, addresses, pictures, free text"},
	{verify.ClassText, "a text; only codes, dates, numbers and pseudonyms may be there"},
	{verify.ClassPseudonym, "an id or a reference that is no pseudonym"},
	{verify.ClassDate, "more of a date than the claim allows, or no date at all"},
	{verify.ClassOldDate, "a year that tells an age over 89, or one far in the future"},
	{verify.ClassAge, "an age over 89; all of them must be told as 90"},
	{verify.ClassZIP, "more of a ZIP code than the claim allows, or of an area with too few people"},
	{verify.ClassCode, "a code of no public code system or value set: it may be of one hospital, or no code"},
	{verify.ClassNumber, "a number or yes and no where something else belongs"},
	{verify.ClassUnknown, "an element that this FHIR version does not have"},
	{verify.ClassNotJSON, "no valid JSON, or no FHIR"},
	{verify.ClassNoInput, "the input could not be read"},
	{verify.ClassLong, "a number as long as an identifier's"},
	{verify.ClassDangling, "a reference to a contained resource that is not there"},
}

// text tells the findings by class, the most frequent paths first.
func (v *verification) text(out io.Writer) {
	fmt.Fprintf(out, "Held against the claim %s (%s), FHIR %s, ages as of %s.\n", v.Claim, claimNames[v.Claim], v.FHIRVersion, v.AsOf)
	for _, severity := range []string{"hard", "soft"} {
		for _, c := range classWords {
			var list []*findingKind
			for _, f := range v.Findings {
				if f.Severity == severity && f.Class == c.class {
					list = append(list, f)
				}
			}
			if len(list) == 0 {
				continue
			}
			slices.SortStableFunc(list, func(a, b *findingKind) int {
				return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Path, b.Path))
			})
			fmt.Fprintf(out, "\n%s  %s: %s\n", severity, c.class, c.text)
			for _, f := range list {
				fmt.Fprintf(out, "  %8d  %s  (first in %s, line %d)\n", f.Count, cmp.Or(f.Path, "the line"), f.File, f.Line)
			}
		}
	}
	verdict := "The data does not hold the claim: hard findings break it."
	switch {
	case v.Holds && len(v.Findings) > 0:
		verdict = "No line breaks the claim. Soft findings are for a person to look at."
	case v.Holds:
		verdict = "No line breaks the claim."
	}
	fmt.Fprintf(out, "\n%d files, %d lines, %d with a hard finding, %d kinds of findings.\n%s\n", v.Files, v.Lines, v.Bad, len(v.Findings), verdict)
}
