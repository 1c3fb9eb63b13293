package anonymize

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// tokensOf are the tokens of a JSON text, or the error of one that is none.
func tokensOf(data []byte, lenient bool) ([]string, error) {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(lenient), jsontext.AllowInvalidUTF8(lenient))
	var tokens []string
	for {
		t, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return tokens, nil
		}
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, string(t.Kind())+t.String())
	}
}

// TestValidValues: what FHIR allows is taken, and given as it came.
func TestValidValues(t *testing.T) {
	engines := []*Engine{
		compileText(t, `{"fhirPathRules":[]}`),
		compileText(t, `{"mode":"strict","fhirVersion":"R4","fhirPathRules":[{"path":"Observation","method":"keep"}]}`),
	}
	for _, member := range []string{
		`"valueQuantity":{"value":-1.0E+245}`, `"valueQuantity":{"value":1e-400}`, `"valueQuantity":{"value":123456789012345678901234567890123456789012345678901234567890.5}`,
		`"valueTime":"23:59:60"`, `"effectiveDateTime":"2016-12-31T23:59:60Z"`, `"issued":"2016-12-31T23:59:60.5+00:00"`,
	} {
		line := `{"resourceType":"Observation",` + member + `}`
		for i, e := range engines {
			out, err := e.Resource(nil, []byte(line))
			if err != nil || i == 0 && string(out) != line && !strings.Contains(member, "e-400") {
				t.Errorf("%s becomes %s: %v", line, out, err)
			}
		}
	}
	for _, member := range []string{`"valueTime":"23:59:61"`, `"valueQuantity":{"value":1.}`, `"valueInteger":1e400`, `"valueInteger":2147483648`} {
		for _, e := range engines {
			if out, err := e.Resource(nil, []byte(`{"resourceType":"Observation",`+member+`}`)); err == nil {
				t.Errorf("%s becomes %s", member, out)
			}
		}
	}
}

// leadingZero is the one thing that a plain rule file takes and jsontext does not.
var leadingZero = regexp.MustCompile(`[\[:,\s]-?0[0-9]`)

// FuzzScan: what jsontext refuses is refused here too; and where a policy keeps
// everything, the output is in canonical form: it is what it becomes again, and
// the same tokens come out where the input was in canonical form already.
func FuzzScan(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	for _, s := range []string{
		`{"resourceType":"Patient","id":"a","active":true,"multipleBirthInteger":2}`,
		`{"resourceType":"Patient","id":"a"}}`, `{"resourceType":"Patient","id":"a",}`, `{"resourceType":"Patient" "id":"a"}`,
		`{"resourceType":"Patient","id":'a'}`, `{"resourceType":"Patient","active":tru}`, `{"resourceType":"Patient","multipleBirthInteger":01}`,
		`{"resourceType":"Patient","name":[{"given":["a",]}]}`, `{"resourceType":"Patient","name":[,]}`, `{"resourceType":"Patient","id":"\x"}`,
		`{"resourceType":"Patient","name":[{"family":"a]}`, `{"resourceType":"Patient","resourceType":"Patient"}`, `{"resourceType":"Patient","id":"a"} x`,
		`{"resourceType":"Patient","fhir_comments":["a",,]}`, `{"fhir_comments":{"a" "b"},"resourceType":"Patient"}`, `{"resourceType":"Patient","gender":["male",}]}`,
		`{"resourceType":"Patient","active":true,"_active":{"id":"a" "b":1}}`, `{"resourceType":"Patient","fhir_comments":-}`, "{\"resourceType\":\"Patient\",\"id\":\"a\tb\"}",
		`{"resourceType":"Patient","gender":"\ud83d\ude00"}`, `{"resourceType":"Patient","gender":"\ud83d"}`, `{"resourceType":"Patient","gender":"\\ud83d\ude00"}`,
		`{"resourceType":"Patient","language":"\ude00","_language":{"id":"\ud83d\ud83d"}}`,
	} {
		f.Add([]byte(s))
	}
	lenient := compileText(f, `{"fhirPathRules":[]}`)
	strict := compileText(f, `{"mode":"strict","fhirVersion":"R4","fhirPathRules":[{"path":"Patient","method":"keep"},{"path":"Observation","method":"keep"}]}`)
	f.Fuzz(func(t *testing.T, line []byte) {
		valid := line
		if !utf8.Valid(valid) { // as a plain rule file takes it
			valid = bytes.ToValidUTF8(line, []byte("\ufffd"))
		}
		out, err := lenient.Resource(nil, line)
		if err == nil {
			if _, invalid := tokensOf(valid, true); invalid != nil && !leadingZero.Match(valid) {
				t.Fatalf("it is no JSON, but taken: %v", invalid)
			}
			if !json.Valid(out) {
				t.Fatalf("the result is no JSON: %s", out)
			}
			if again, err := lenient.Resource(nil, out); err != nil || !bytes.Equal(again, out) {
				t.Fatalf("%s\nbecomes %s: %v", out, again, err)
			}
			if bytes.Equal(out, line) {
				if _, err := tokensOf(line, false); err != nil {
					t.Fatalf("what goes through as it came is not canonical: %v", err)
				}
			}
			w := newWorker(lenient)
			if _, err := w.resource(nil, line); err != nil {
				t.Fatal(err)
			}
			if spliced, anew := bothWays(w); !bytes.Equal(spliced, anew) {
				t.Fatalf("it is spliced to\n%s\nand written anew to\n%s", spliced, anew)
			}
		}
		if _, err := strict.Resource(nil, line); err == nil {
			if _, invalid := tokensOf(line, false); invalid != nil {
				t.Fatalf("a strict policy takes what is no JSON: %v", invalid)
			}
		}
	})
}
