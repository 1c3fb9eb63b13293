package anonymize

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"fhirdeid/anonymize/policy"
)

func compileText(t testing.TB, text string) *Engine {
	t.Helper()
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	e, err := Compile(p, Options{AsOf: goldenDate, Keys: Keys{
		DateShift: []byte("a key of good length 1"), CryptoHash: []byte("a key of good length 2"),
		Encrypt: []byte("0123456789abcdef"), Pseudonym: []byte("a key of good length 3"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const everyMethod = `{"fhirVersion":"R4","fhirPathRules":[
 {"path":"Resource.id","method":"cryptoHash"},
 {"path":"Patient.gender","method":"keep"},
 {"path":"Patient.telecom","method":"encrypt"},
 {"path":"Observation.value as Quantity","method":"perturb","span":1,"rangeType":"proportional","roundTo":1},
 {"path":"Patient.maritalStatus.text","method":"substitute","replaceWith":"x"},
 {"path":"nodesByType('Reference').reference","method":"cryptoHash"},
 {"path":"nodesByType('date')","method":"dateShift"},
 {"path":"nodesByType('dateTime')","method":"dateShift"},
 {"path":"nodesByType('HumanName')","method":"redact"}],
 "parameters":{"enablePartialDatesForRedact":true,"enablePartialZipCodesForRedact":true}}`

var seeds = []string{
	`{"resourceType":"Patient","id":"a","name":[{"family":"Planted","given":["x",null],"_given":[{"id":"1"},{"extension":[{"url":"u","valueString":"v"}]}]}],"birthDate":"1980-02-03","_birthDate":{"extension":[{"url":"t","valueDateTime":"1980-02-03T10:00:00Z"}]}}`,
	`{"id":"b","resourceType":"Bundle","type":"batch","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Observation","status":"final","code":{"text":"Planted"},"valueQuantity":{"value":-1.50e2}}}]}`,
	`{ "resourceType" : "Patient", "contained":[{"resourceType":"Patient","id":"p"}], "multipleBirthInteger": 2, "multipleBirthBoolean":true, "gender":" female " }`,
	`{"resourceType":"Patient","gender":"male","gender":"female","name":{"family":"Planted"},"photo":[{}],"text":{"status":"generated","div":"<div>\u2028\/</div>"}}`,
	`{"resourceType":"Parameters","parameter":[{"name":"n","resource":{"resourceType":"Basic","code":{"coding":[{"userSelected":"true"}]}}}]}`,
	`{"resourceType":"Patient","meta":{"lastUpdated":"2020-01-01T00:00:00.1230Z","tag":[{"code":"x"}],"versionId":"1"},"deceasedDateTime":"9999-12-31"}`,
	"{\"resourceType\":\"Patient\",\"name\":[{\"family\":\"\\ud800 \xff\"}]}",
}

// FuzzEngine: valid in, valid out; the same again; no name survives; no panic;
// no error quotes the input.
func FuzzEngine(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	engines := map[string]*Engine{"every method": compileText(f, everyMethod), "nothing": compileText(f, `{"fhirPathRules":[]}`)}
	p, err := policy.Builtin("safe-harbor")
	if err != nil {
		f.Fatal(err)
	}
	engines["safe-harbor"] = compileText(f, string(p.Source()))
	f.Fuzz(func(t *testing.T, line []byte) {
		for name, e := range engines {
			out, err := e.Resource(nil, line)
			var bad *LineError
			if err != nil {
				if !errors.As(err, &bad) || bad.Reason == ReasonPanic {
					t.Fatalf("%s: %v", name, err)
				}
				if strings.Contains(err.Error(), "Planted") {
					t.Fatalf("%s: the error quotes: %v", name, err)
				}
				continue
			}
			if len(out) > 0 && !json.Valid(out) {
				t.Fatalf("%s: the result is no JSON: %s", name, out)
			}
			again, err := e.Resource(nil, line)
			if err != nil || !bytes.Equal(out, again) {
				t.Fatalf("%s: the second time it is another", name)
			}
			if name == "safe-harbor" && bytes.Contains(out, []byte("Planted")) {
				t.Fatalf("a planted name survived: %s", out)
			}
			if name == "nothing" && len(out) > 0 {
				if twice, err := e.Resource(nil, out); err != nil || !bytes.Equal(twice, out) {
					t.Fatalf("the canonical form is not stable:\n%s\n%s\n%v", out, twice, err)
				}
			}
		}
	})
}

// FuzzStream: any chunk size and any number of workers give the same.
func FuzzStream(f *testing.F) {
	f.Add([]byte(strings.Join(seeds, "\n")), 7, 3)
	f.Add([]byte("\ufeff"+seeds[0]+"\r\n\r\nnot json\n"+seeds[1]), 100, 2)
	e := compileText(f, everyMethod)
	f.Fuzz(func(t *testing.T, data []byte, chunk, workers int) {
		if chunk < 1 || chunk > 1<<16 || workers < 1 || workers > 8 {
			return
		}
		run := func(o StreamOptions) (string, string, Stats) {
			var out, bad bytes.Buffer
			o.MaxLineBytes = 4096
			o.Reject = func(line int64, in []byte, err error) error {
				bad.WriteString(err.Error())
				bad.WriteByte('\n')
				return nil
			}
			stats, err := e.Stream(context.Background(), &out, bytes.NewReader(data), o)
			if err != nil {
				t.Fatal(err)
			}
			return out.String(), bad.String(), stats
		}
		a, badA, statsA := run(StreamOptions{Workers: 1, ChunkBytes: 1 << 20})
		b, badB, statsB := run(StreamOptions{Workers: workers, ChunkBytes: chunk})
		if statsA.Lines != statsA.Written+statsA.Dropped+statsA.Rejected {
			t.Errorf("the counts do not add up: %+v", statsA)
		}
		if !longLine(data, 4096) && (a != b || badA != badB || statsA.Lines != statsB.Lines) {
			t.Errorf("%d workers and chunks of %d give another result:\n%s%s\n%s%s", workers, chunk, a, badA, b, badB)
		}
	})
}

func longLine(data []byte, most int) bool {
	for line := range bytes.Lines(data) {
		if len(line) >= most {
			return true
		}
	}
	return false
}
