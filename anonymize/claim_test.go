package anonymize

import (
	"strings"
	"testing"

	"fhirdeid/anonymize/policy"
)

// TestClaims: what keeps more than the claim's profile is refused, unless it gives
// a reason for just that element.
func TestClaims(t *testing.T) {
	key := []byte("a key of good length for tests")
	for name, c := range map[string]struct{ file, says string }{
		"nothing more":                 {`{"extends":"safe-harbor","fhirPathRules":[]}`, ""},
		"tighter":                      {`{"extends":"safe-harbor","fhirPathRules":[{"path":"Patient.birthDate","method":"redact"},{"path":"nodesByType('Quantity')","method":"redact"}]}`, ""},
		"another class":                {`{"extends":"safe-harbor","fhirPathRules":[{"path":"nodesByType('code')","method":"redact"},{"path":"Patient.gender","method":"code"}]}`, ""},
		"looser":                       {`{"extends":"safe-harbor","fhirPathRules":[{"path":"Patient.name","method":"keep"}]}`, "Patient.name"},
		"looser with a reason":         {`{"extends":"safe-harbor","fhirPathRules":[{"path":"Condition.code.text","method":"keep","reason":"Texts of a fixed list, seen by the board on 2026-03-01."}]}`, ""},
		"looser by a look-up":          {`{"extends":"safe-harbor","fhirPathRules":[{"path":"nodesByType('HumanName')","method":"keep"}]}`, "HumanName"},
		"looser in some cases":         {`{"extends":"safe-harbor","fhirPathRules":[{"path":"Patient.name.where(use='anonymous')","method":"keep"}]}`, "Patient.name"},
		"a hash":                       {`{"extends":"safe-harbor","fhirPathRules":[{"path":"Patient.identifier.value","method":"cryptoHash"}]}`, "Patient.identifier.value"},
		"a full date":                  {`{"extends":"safe-harbor","fhirPathRules":[{"path":"Encounter.period","method":"shift"}]}`, "Encounter.period"},
		"everything":                   {`{"extends":"safe-harbor","fhirPathRules":[{"path":"Resource","method":"keep"}]}`, "more"},
		"a reason for a kind":          {`{"extends":"safe-harbor","fhirPathRules":[{"path":"nodesByType('string')","method":"keep","reason":"why not"}]}`, "names one element"},
		"a blank reason":               {`{"extends":"safe-harbor","fhirPathRules":[{"path":"Condition.code.text","method":"keep","reason":" "}]}`, "reason"},
		"an unknown profile":           {`{"extends":"safe-habor","fhirPathRules":[]}`, "safe-harbor"},
		"another claim":                {`{"extends":"safe-harbor","claim":"none","fhirPathRules":[]}`, "claim"},
		"a code system":                {`{"extends":"safe-harbor","codeSystems":["http://example.org/local"],"fhirPathRules":[]}`, "reason"},
		"a code system with a reason":  {`{"extends":"safe-harbor","codeSystems":[{"url":"http://example.org/local","reason":"Codes of our laboratory, the same for everyone."}],"fhirPathRules":[]}`, ""},
		"a claim of its own, met":      {`{"mode":"strict","claim":"safe-harbor","fhirPathRules":[{"path":"Patient.gender","method":"keep"}]}`, "Patient.gender"},
		"a claim of its own, by class": {`{"mode":"strict","claim":"safe-harbor","fhirPathRules":[{"path":"Patient.gender","method":"code"},{"path":"Patient.birthDate","method":"year"}]}`, ""},
		"a claim of its own, not met":  {`{"mode":"strict","claim":"limited-data-set","fhirPathRules":[{"path":"Patient.name.family","method":"keep"}]}`, "Patient.name.family"},
		"a claim on a plain file":      {`{"claim":"safe-harbor","fhirPathRules":[]}`, "strict"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := policy.Parse([]byte(c.file))
			if err == nil {
				_, err = Compile(p, Options{AsOf: goldenDate, Keys: Keys{Pseudonym: key, DateShift: key, CryptoHash: key}})
			}
			switch {
			case c.says == "" && err != nil:
				t.Error(err)
			case c.says != "" && err == nil:
				t.Error("it is not refused")
			case c.says != "" && !strings.Contains(err.Error(), c.says):
				t.Errorf("it says %q, not %q", err, c.says)
			}
		})
	}
}

// TestExtends: the file's rules come before the profile's.
func TestExtends(t *testing.T) {
	key := []byte("a key of good length for tests")
	p, err := policy.Parse([]byte(`{"extends":"safe-harbor","fhirPathRules":[
		{"path":"Patient.birthDate","method":"redact"},
		{"path":"Condition.code.text","method":"keep","reason":"a fixed list"}],
		"parameters":{"restrictedZipCodeTabulationAreas":["627"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	e, err := Compile(p, Options{AsOf: goldenDate, Keys: Keys{Pseudonym: key}})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`{"resourceType":"Patient","birthDate":"1980-02-03","gender":"male"}`:                                              `"gender":"male"`,
		`{"resourceType":"Condition","code":{"text":"Sprain"},"subject":{"reference":"Patient/1"}}`:                        `"text":"Sprain"`,
		`{"resourceType":"Patient","address":[{"postalCode":"62701"}]}`:                                                    `"postalCode":"000"`,
		`{"resourceType":"Patient","address":[{"postalCode":"60601"}]}`:                                                    `"postalCode":"606"`,
		`{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"718-7"}]}}`: `"code":"718-7"`,
	} {
		out, err := e.Resource(nil, []byte(in))
		if err != nil || !strings.Contains(string(out), want) || strings.Contains(string(out), "birthDate") {
			t.Errorf("%s becomes %s, %v", in, out, err)
		}
	}
	if l := p.Loosenings(); len(l) != 1 || l[0].Path != "Condition.code.text" || l[0].Reason != "a fixed list" || p.Extends() != "safe-harbor" {
		t.Errorf("loosenings %v of %q", l, p.Extends())
	}
	base, err := policy.Builtin("safe-harbor")
	if err != nil || base.Hash() == p.Hash() || len(p.Rules) != len(base.Rules)+2 {
		t.Error("the policy is not its own rules and the profile's")
	}
}
