package verify_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/verify"
)

// unnoticed are the rules whose replacement by keep the verifier cannot see in
// the corpus, and why.
var unnoticed = map[string]string{
	`"nodesByType('Address').country"`: "a country's code says less than a state, and the claim allows it",
	`"Group.quantity"`:                 "a number of members is a number like any other",
}

// TestMutations replaces each rule of the profile by keep, and puts a keep for
// each type of text before all rules: what comes out differently must have a hard
// finding.
func TestMutations(t *testing.T) {
	// Under its claim a mutant would be refused before it reads anything.
	source := bytes.Replace(profile(t), []byte(`"claim": "safe-harbor"`), []byte(`"claim": "none"`), 1)
	type line struct{ in, clean []byte }
	var lines []line
	right := safeHarbor(t, source)
	most := 60
	if testing.Short() {
		most = 20
	}
	for _, set := range []string{"hl7-r4-examples", "synthea-r4"} {
		corpus(t, set, most, func(_ string, in []byte) {
			clean, err := right.Resource(nil, in)
			if err == nil {
				lines = append(lines, line{in, clean})
			}
		})
	}
	c := checker(t)
	notice := func(t *testing.T, what string, mutant []byte) {
		p, err := policy.Parse(mutant)
		if err != nil {
			t.Fatal(err)
		}
		e, err := anonymize.Compile(p, anonymize.Options{AsOf: asOf, Keys: anonymize.Keys{Pseudonym: []byte("a key of good length for tests")}})
		if err != nil {
			t.Fatal(err)
		}
		changed := 0
		for _, l := range lines {
			out, err := e.Resource(nil, l.in)
			if err != nil || len(out) == 0 || bytes.Equal(out, l.clean) {
				continue
			}
			changed++
			for _, f := range c.Check(1, l.in, out) {
				if f.Severity == verify.Hard {
					return
				}
			}
		}
		if changed == 0 {
			t.Skip("nothing in the corpus comes out differently")
		}
		if why := unnoticed[what]; why != "" {
			t.Skip(why)
		}
		t.Errorf("%d lines come out differently, and none has a finding", changed)
	}
	rule := regexp.MustCompile(`\{"path": ("[^"]*"), "method": "([^"]*)"`)
	for _, m := range rule.FindAllSubmatchIndex(source, -1) {
		path, method := string(source[m[2]:m[3]]), string(source[m[4]:m[5]])
		if method == "keep" {
			continue
		}
		mutant := string(source[:m[4]]) + "keep" + string(source[m[5]:])
		t.Run(path, func(t *testing.T) { notice(t, path, []byte(mutant)) })
	}
	for _, typ := range []string{"string", "uri", "canonical", "code", "instant", "id", "Extension", "Narrative", "Attachment"} {
		mutant := strings.Replace(string(source), `"fhirPathRules": [`, `"fhirPathRules": [{"path": "nodesByType('`+typ+`')", "method": "keep"},`, 1)
		t.Run("keep every "+typ, func(t *testing.T) { notice(t, typ, []byte(mutant)) })
	}
}
