package verify_test

import (
	"strings"
	"testing"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/verify"
)

// TestLoosenings: what a policy lets pass with a reason does not break the claim,
// and what lies beside it does.
func TestLoosenings(t *testing.T) {
	p, err := policy.Parse([]byte(`{
		"extends": "safe-harbor",
		"fhirPathRules": [{"path": "Condition.code.text", "method": "keep", "reason": "a closed list"}],
		"codeSystems": [{"url": "http://hospital.example.org/lab", "reason": "the same for everyone"}],
		"extensions": [{"url": "http://hospital.example.org/ward", "reason": "a kind of ward, not its name"}]
	}`))
	if err != nil {
		t.Fatal(err)
	}
	e, err := anonymize.Compile(p, anonymize.Options{AsOf: asOf, Keys: anonymize.Keys{Pseudonym: []byte("a key of good length for tests")}})
	if err != nil {
		t.Fatal(err)
	}
	paths, systems, extensions := p.Loosened()
	loose, err := verify.New(verify.SafeHarbor, verify.Options{AsOf: asOf, Loosened: paths, CodeSystems: systems, Extensions: extensions})
	if err != nil {
		t.Fatal(err)
	}
	in := []byte(`{"resourceType":"Condition","id":"c1",
		"extension":[{"url":"http://hospital.example.org/ward","valueCoding":{"system":"http://hospital.example.org/lab","code":"icu"}}],
		"code":{"coding":[{"system":"http://hospital.example.org/lab","code":"K7"}],"text":"Sprain of ankle"},
		"subject":{"reference":"Patient/1"}}`)
	out, err := e.Resource(nil, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, kept := range []string{"Sprain", `"K7"`, `"icu"`} {
		if !strings.Contains(string(out), kept) {
			t.Errorf("%s is not kept: %s", kept, out)
		}
	}
	if hard := hardFindings(loose.Check(1, in, out)); len(hard) > 0 {
		t.Errorf("%v in %s", hard, out)
	}
	if hard := hardFindings(checker(t).Check(1, in, out)); len(hard) < 3 {
		t.Errorf("without the loosenings only %v", hard)
	}
	beside := strings.Replace(string(out), `"text":"Sprain`, `"display":"Smith","text":"Sprain`, 1)
	if len(hardFindings(loose.Check(1, in, []byte(beside)))) == 0 {
		t.Error("an unknown member beside it is not found")
	}
}

func hardFindings(all []verify.Finding) (hard []verify.Finding) {
	for _, f := range all {
		if f.Severity == verify.Hard {
			hard = append(hard, f)
		}
	}
	return hard
}
