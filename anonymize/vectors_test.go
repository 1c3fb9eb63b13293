package anonymize

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"fhirdeid/anonymize/policy"
)

// vector is a case recorded from Microsoft's tool.
type vector struct {
	Name, Kind, InputType string
	Config                json.RawMessage
	Rule                  map[string]any
	Parameters            map[string]any
	Input, Expected       any
	MeasuredText          string
}

func vectors(t *testing.T, folder string, each func(t *testing.T, v vector)) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "vectors", folder), "*.json"))
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if json.Unmarshal(data, &v) != nil {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) { each(t, v) })
	}
}

// elements are where a value of a type can stand in a resource, and at what path.
var elements = map[string]struct{ resource, key, path string }{
	"date":                {"Patient", "birthDate", "Patient.birthDate"},
	"dateTime":            {"Patient", "deceasedDateTime", "Patient.deceased"},
	"instant":             {"Observation", "issued", "Observation.issued"},
	"postalCode (string)": {"Patient", "address.postalCode", "Patient.address"},
	"Age.value (decimal)": {"Condition", "onsetAge.value", "Condition.onset"},
	"string":              {"Patient", "name.family", "Patient.name"},
}

// TestValueVectors runs the recorded values of the methods that change one value.
func TestValueVectors(t *testing.T) {
	for _, folder := range []string{"redact", "dateShift", "cryptoHash"} {
		t.Run(folder, func(t *testing.T) {
			vectors(t, folder, func(t *testing.T, v vector) {
				at, known := elements[v.InputType]
				input, text := v.Input.(string)
				if v.Kind != "value" || !known || v.Input == nil || text && input == "" || v.Rule["method"] == nil {
					t.Skip("not a single value of a type that stands in a resource here")
				}
				if key, there := v.Parameters["dateShiftKey"]; there && key == "" {
					t.Skip("a blank key is refused here")
				}
				if prefix, _ := v.Parameters["dateShiftKeyPrefix"].(string); prefix != "" {
					delete(v.Parameters, "dateShiftKeyPrefix")
					v.Parameters["dateShiftScope"] = "file"
					runValue(t, v, at, Place{File: prefix})
					return
				}
				runValue(t, v, at, Place{})
			})
		})
	}
}

func runValue(t *testing.T, v vector, at struct{ resource, key, path string }, place Place) {
	config, err := json.Marshal(map[string]any{"fhirPathRules": []any{map[string]any{"path": at.path, "method": v.Rule["method"]}}, "parameters": v.Parameters})
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(config)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Compile(p, Options{AsOf: goldenDate, Keys: Keys{DateShift: []byte("0123456789abcdef"), CryptoHash: []byte("0123456789abcdef")}})
	if err != nil {
		t.Fatal(err)
	}
	value, err := json.Marshal(v.Input)
	if err != nil {
		t.Fatal(err)
	}
	outer, inner, nested := strings.Cut(at.key, ".")
	body := string(value)
	if nested {
		body = fmt.Sprintf(`{%q:%s}`, inner, value)
		if outer == "address" || outer == "name" {
			body = "[" + body + "]"
		}
	}
	out, err := e.ResourceIn(nil, fmt.Appendf(nil, `{"resourceType":%q,%q:%s}`, at.resource, outer, body), place)
	if err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`"` + regexp.QuoteMeta(at.key[strings.LastIndexByte(at.key, '.')+1:]) + `":("[^"]*"|[0-9.]+)`).FindSubmatch(out)
	want := ""
	if v.Expected != nil {
		text, err := json.Marshal(v.Expected)
		if err != nil {
			t.Fatal(err)
		}
		want = string(text)
	}
	if want == `""` {
		want = ""
	}
	have := ""
	if got != nil {
		have = string(got[1])
	}
	if have != want {
		t.Errorf("%s becomes %s, want %s\n%s", value, have, want, out)
	}
}

// TestReferenceVectors: where a reference has its id.
func TestReferenceVectors(t *testing.T) {
	e := compileText(t, `{"fhirVersion":"R4","fhirPathRules":[{"path":"nodesByType('Reference').reference","method":"cryptoHash"}]}`)
	vectors(t, "referenceTransform", func(t *testing.T, v vector) {
		in, ok1 := v.Input.(string)
		want, ok2 := v.Expected.(string)
		if !ok1 || !ok2 || in == "" {
			t.Skip("no reference")
		}
		body, err := json.Marshal(map[string]any{"resourceType": "Observation", "subject": map[string]string{"reference": in}})
		if err != nil {
			t.Fatal(err)
		}
		out, err := e.Resource(nil, body)
		if err != nil {
			t.Fatal(err)
		}
		var o struct{ Subject struct{ Reference string } }
		if err := json.Unmarshal(out, &o); err != nil {
			t.Fatal(err)
		}
		pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "@ID", "[0-9a-f]{64}")
		if !regexp.MustCompile("^" + pattern + "$").MatchString(o.Subject.Reference) {
			t.Errorf("%s becomes %s, want %s", in, o.Subject.Reference, want)
		}
	})
}

func TestDecryptVectors(t *testing.T) {
	vectors(t, "encrypt", func(t *testing.T, v vector) {
		in, ok := v.Input.(string)
		key, _ := v.Parameters["encryptKey"].(string)
		function, _ := v.Rule["function"].(string)
		want, isText := v.Expected.(string)
		if !ok || in == "" || !isText || !strings.HasPrefix(function, "decrypt") {
			t.Skip("no decryption with a result")
		}
		if got, err := Decrypt([]byte(key), in); err != nil || got != want {
			t.Errorf("decrypted to %q, %v", got, err)
		}
	})
}

// TestEncryptIsRead: what the method writes can be read again.
func TestEncryptIsRead(t *testing.T) {
	e := compileText(t, `{"fhirVersion":"R4","fhirPathRules":[{"path":"Patient.name.family","method":"encrypt"}],"parameters":{"encryptKey":"0123456789abcdef"}}`)
	out, err := e.Resource(nil, []byte(`{"resourceType":"Patient","name":[{"family":"Núñez"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Name []struct{ Family string } }
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	if text, err := Decrypt([]byte("0123456789abcdef"), p.Name[0].Family); err != nil || text != "Núñez" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestResourceVectors: whole resources, byte for byte, for the configurations
// that the language covers yet.
func TestResourceVectors(t *testing.T) {
	for _, folder := range []string{"functional", "engine"} {
		t.Run(folder, func(t *testing.T) {
			vectors(t, folder, func(t *testing.T, v vector) {
				if v.MeasuredText == "" || v.Config == nil {
					t.Skip("no recorded text")
				}
				p, err := policy.Parse(v.Config)
				if err != nil {
					t.Skip("not covered yet:", err)
				}
				version := "R4"
				if strings.HasPrefix(v.Name, "functional/stu3") {
					version = "STU3"
				}
				e, err := Compile(p, Options{AsOf: goldenDate, FHIRVersion: version, Keys: Keys{
					DateShift: []byte("0123456789abcdef"), CryptoHash: []byte("0123456789abcdef"), Encrypt: []byte("0123456789abcdef")}})
				if err != nil {
					t.Skip("not covered yet:", err)
				}
				in, err := json.Marshal(v.Input)
				if err != nil {
					t.Fatal(err)
				}
				out, err := e.Resource(nil, in)
				if err != nil {
					t.Fatal(err)
				}
				if !sameJSON(t, out, []byte(v.MeasuredText)) {
					t.Errorf("got  %s\nwant %s", out, v.MeasuredText)
				}
			})
		})
	}
}

// sameJSON compares without the order of members, which decoding the case has
// lost; the goldens hold the order.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := json.Unmarshal(a, &x); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &y); err != nil {
		t.Fatal(err)
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}
