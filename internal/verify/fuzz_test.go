package verify_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"fhirdeid/internal/verify"
)

func checkers(t testing.TB) []*verify.Checker {
	t.Helper()
	var list []*verify.Checker
	for _, claim := range []string{verify.SafeHarbor, verify.LimitedDataSet} {
		for _, o := range []verify.Options{{AsOf: asOf}, {AsOf: asOf, FHIRVersion: "R5", Loosened: []string{"Observation.note.text", "Patient", "Coding.display"}}} {
			c, err := verify.New(claim, o)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, c)
		}
	}
	return list
}

// FuzzCheck: foreign bytes make no panic, and no value of them is in a finding.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Patient","name":[{"family":"Doe"}]}`), []byte(`{"resourceType":"Patient","id":"x","_birthDate":{"extension":[null]}}`))
	f.Add([]byte(`[`), []byte(`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":1}}]}`))
	f.Add([]byte(`{"resourceType":"Patient","name":[{"family":"D\u00f6\ud83d"}]}`), []byte(`{"resourceType":"Observation","component":[{"code":{"coding":[{"system":"http://loinc.org","code":"30525-0"}]},"valueInteger":1e2}]}`))
	f.Add([]byte(`{}`), []byte(`{"resourceType":"Observation","note":[{"text":"x","authorReference":{"reference":"#"}}],"subject":{"reference":"urn:uuid:-"}}`))
	list := checkers(f)
	f.Fuzz(func(t *testing.T, in, out []byte) {
		for _, c := range list {
			for _, finding := range c.Check(1, in, out) {
				if strings.ContainsAny(finding.Path, "\" \n") {
					t.Errorf("a path is %q", finding.Path)
				}
			}
		}
		if json.Valid(out) {
			return
		}
		for _, c := range list {
			if len(c.Check(1, nil, out)) == 0 {
				t.Error("what is no JSON has no finding")
			}
		}
	})
}

// FuzzHarmless: a hard finding is there still when harmless members are put into
// every object.
func FuzzHarmless(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Patient","name":[{"family":"Doe"}]}`))
	f.Add([]byte(`{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"30525-0"}]},"valueInteger":97}`))
	f.Add([]byte(`{"resourceType":"Observation","valueQuantity":{"value":97,"code":"a","system":"http://unitsofmeasure.org"}}`))
	f.Add([]byte(`{"resourceType":"DeviceMetric","identifier":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}}`))
	f.Add([]byte(`{"resourceType":"Patient","extension":[{"url":"http://x","valueString":"{\"y\":1}"}],"meta":{"security":[{"code":"REDACTED","display":"x"}]}}`))
	list := checkers(f)
	f.Fuzz(func(t *testing.T, out []byte) {
		if !json.Valid(out) {
			return
		}
		more := withMembers(out)
		for _, c := range list {
			before := c.Check(1, nil, out)
			if len(before) >= 50 {
				continue // only so many are told
			}
			after := make(map[verify.Finding]bool)
			for _, finding := range c.Check(1, nil, more) {
				after[finding] = true
			}
			for _, finding := range before {
				if finding.Severity == verify.Hard && !after[finding] {
					t.Errorf("%s at %s is lost in %s", finding.Class, finding.Path, more)
				}
			}
		}
	})
}

// withMembers puts a member at the beginning of every object.
func withMembers(text []byte) []byte {
	var b bytes.Buffer
	inString := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		b.WriteByte(c)
		switch {
		case inString && c == '\\':
			i++
			b.WriteByte(text[i])
		case c == '"':
			inString = !inString
		case !inString && c == '{':
			b.WriteString(`"id":null`)
			if rest := bytes.TrimSpace(text[i+1:]); rest[0] != '}' {
				b.WriteByte(',')
			}
		}
	}
	return b.Bytes()
}
