package verify_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/planted"
	"fhirdeid/internal/verify"
)

// unnoticed are the decisions of a profile whose loss the verifier cannot see,
// and why. Of safe-harbor there are none.
var unnoticed = map[string]map[string]string{
	verify.LimitedDataSet: {
		"dates as they are": "the claim allows them; the profile moves them, beyond what the law asks",
		"months of dates":   "likewise",
		"ages":              "the claim allows them",
	},
}

// unreached are rules that decide nothing in the corpus, and why.
var unreached = map[string]string{
	"nodesByType('xhtml')":    "it is in a Narrative, of which another rule leaves nothing",
	"nodesByType('Count')":    "no element has this type but the values of extensions, and resources that are dropped whole",
	"nodesByType('Distance')": "likewise",
}

// bypasses are rules put before all others, which let past what a list or a
// grammar of the engine would stop.
var bypasses = map[string][]string{
	"every code system and code": {`{"path":"nodesByType('Coding').display","method":"redact"}`, `{"path":"nodesByType('Coding').version","method":"redact"}`,
		`{"path":"nodesByType('Coding').extension","method":"redact"}`, `{"path":"nodesByType('Coding').id","method":"redact"}`, `{"path":"nodesByType('Coding')","method":"keep"}`},
	"every unit":                      {`{"path":"nodesByType('Quantity').code","method":"keep"}`, `{"path":"nodesByType('Quantity').system","method":"keep"}`},
	"ages":                            {`{"path":"nodesByType('Quantity').value","method":"keep"}`, `{"path":"nodesByType('Age').value","method":"keep"}`},
	"every extension's URL":           {`{"path":"nodesByType('Extension').url","method":"keep"}`},
	"every extension's code":          {`{"path":"nodesByType('Extension').value.ofType(code)","method":"keep"}`, `{"path":"nodesByType('Extension').url","method":"keep"}`},
	"dates as they are":               {`{"path":"nodesByType('date')","method":"generalize","cases":{"true":"$this.toString()"}}`, `{"path":"nodesByType('dateTime')","method":"generalize","cases":{"true":"$this.toString()"}}`},
	"months of dates":                 {`{"path":"nodesByType('date')","method":"generalize","cases":{"true":"$this.toString().substring(0,7)"}}`, `{"path":"nodesByType('dateTime')","method":"generalize","cases":{"true":"$this.toString().substring(0,7)"}}`},
	"three digits of every ZIP code":  {`{"path":"nodesByType('Address').postalCode","method":"generalize","cases":{"true":"$this.substring(0,3)"}}`},
	"ids of elements":                 {`{"path":"nodesByType('CodeableConcept').id","method":"keep"}`},
	"words beside codes":              {`{"path":"nodesByType('CodeableConcept').text","method":"keep"}`},
	"labels":                          {`{"path":"Resource.meta.tag","method":"keep"}`},
	"every string":                    {`{"path":"nodesByType('string')","method":"keep"}`},
	"every URI":                       {`{"path":"nodesByType('uri')","method":"keep"}`},
	"the patient's id in a reference": {`{"path":"Observation.subject.reference","method":"keep"}`},
	"the birth date":                  {`{"path":"Patient.birthDate","method":"keep"}`},
	"a device's serial number":        {`{"path":"Device.serialNumber","method":"keep"}`},
	"a device's lot number":           {`{"path":"Device.lotNumber","method":"keep"}`},
}

// mutationLines are the inputs of a version, each with what the profile makes of
// it.
type mutationLine struct{ in, clean []byte }

// TestMutations takes away one decision of a profile after the other: each rule
// becomes keep, each list is bypassed. Where a planted or a real resource comes
// out differently, the verifier must find something hard.
func TestMutations(t *testing.T) {
	for _, claim := range []string{verify.SafeHarbor, verify.LimitedDataSet} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			changes := make(map[string]int)
			for _, version := range []fhirmodel.Version{fhirmodel.R4, fhirmodel.R5, fhirmodel.STU3} {
				if testing.Short() && version != fhirmodel.R4 {
					continue
				}
				mutate(t, claim, version, changes)
			}
			for what, n := range changes {
				if n == 0 && unreached[what] == "" && !testing.Short() {
					t.Errorf("%s: nothing comes out differently in any version", what)
				}
			}
		})
	}
}

func mutate(t *testing.T, claim string, version fhirmodel.Version, changes map[string]int) {
	built, err := policy.Builtin(claim)
	if err != nil {
		t.Fatal(err)
	}
	// Under a claim the engine would refuse the mutants.
	source := strings.Replace(string(built.Source()), `"claim": "`+claim+`"`, `"claim": "none"`, 1)
	c, err := verify.New(claim, verify.Options{AsOf: asOf, FHIRVersion: string(version)})
	if err != nil {
		t.Fatal(err)
	}
	right := mutant(t, source, version)
	if right == nil {
		t.Fatal("the profile cannot be compiled without its claim")
	}
	var lines []mutationLine
	add := func(in []byte) {
		if clean, err := right.Resource(nil, in); err == nil {
			lines = append(lines, mutationLine{in, clean})
		}
	}
	types, every := make(map[string]int), 3
	if version != fhirmodel.R4 {
		every = 8
	}
	for r := range planted.Corpus(version, 2) {
		if types[r.Type]%every == 0 {
			add(r.JSON)
		}
		types[r.Type]++
	}
	if files, _ := filepath.Glob("../../../shared/data/hl7-r4-examples/*.gz"); version == fhirmodel.R4 && len(files) > 0 {
		corpus(t, "hl7-r4-examples", 3, func(_ string, in []byte) { add(bytes.Clone(in)) })
	}
	try := func(what, mutated string) {
		if version == fhirmodel.STU3 && changes[what] > 0 {
			return // only what the others have nothing for
		}
		e := mutant(t, mutated, version)
		if e == nil {
			return
		}
		changed := notice(c, e, lines)
		if changed < 0 {
			changes[what]++
			return
		}
		changes[what] += changed
		if changed > 0 && unnoticed[claim][what] == "" {
			t.Errorf("%s, %s: %d lines come out differently, and none has a finding", version, what, changed)
		}
	}
	rule := regexp.MustCompile(`\{"path": "([^"]*)", "method": "([^"]*)"`)
	for _, m := range rule.FindAllStringSubmatchIndex(source, -1) {
		if source[m[4]:m[5]] != "keep" {
			try(source[m[2]:m[3]], source[:m[4]]+"keep"+source[m[5]:])
		}
	}
	for what, rules := range bypasses {
		try(what, strings.Replace(source, `"fhirPathRules": [`, `"fhirPathRules": [`+strings.Join(rules, ",")+",", 1))
	}
}

// notice is -1 if a line that comes out differently has a hard finding, or a soft
// one that a number is too long, else how many come out differently.
func notice(c *verify.Checker, e *anonymize.Engine, lines []mutationLine) (changed int) {
	var out []byte
	var err error
	for _, l := range lines {
		out, err = e.Resource(out[:0], l.in)
		if err != nil || len(out) == 0 || bytes.Equal(out, l.clean) {
			continue
		}
		changed++
		for _, f := range c.Check(1, l.in, out) {
			if f.Severity == verify.Hard || f.Class == verify.ClassLong {
				return -1
			}
		}
	}
	return changed
}

// mutant compiles a policy, with a fault in it or none; nil if an element of it is
// not in this version.
func mutant(t *testing.T, source string, version fhirmodel.Version) *anonymize.Engine {
	t.Helper()
	p, err := policy.Parse([]byte(source))
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("a key of good length for tests")
	e, err := anonymize.Compile(p, anonymize.Options{AsOf: asOf, FHIRVersion: string(version), Keys: anonymize.Keys{Pseudonym: key, DateShift: key}})
	if err != nil {
		if version == fhirmodel.R4 {
			t.Fatal(fmt.Errorf("%s: %w", version, err))
		}
		return nil
	}
	return e
}
