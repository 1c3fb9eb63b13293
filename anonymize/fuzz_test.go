package anonymize

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

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

// everyPath has rules whose paths have to be evaluated, and the methods that work on
// more than values.
const everyPath = `{"fhirVersion":"R4","processingErrors":"skip","fhirPathRules":[
 {"path":"Patient.name.where(use = 'official').family","method":"cryptoHash"},
 {"path":"nodesByType('Extension').where(url.startsWith('http')).value","method":"redact"},
 {"path":"Patient.contact | Patient.name[1]","method":"substitute","replaceWith":{"extension":[{"url":"u"}]}},
 {"path":"Resource.descendants().where($this is date and $this > @1970-01-01)","method":"generalize","cases":{"true":"$this.toString().substring(0,4)"}},
 {"path":"Bundle.entry.resource.ofType(Observation).value.as(Quantity)","method":"perturb","span":2},
 {"path":"nodesByName('extension').repeat(extension).url","method":"encrypt"},
 {"path":"Resource.contained.where(id.exists())","method":"redact"}],
 "parameters":{"enablePartialDatesForRedact":true}}`

// redactAll leaves nothing of a resource but its type.
const redactAll = `{"fhirVersion":"R4","fhirPathRules":[{"path":"Resource","method":"redact"}]}`

// token is planted in values and names; no error has it, and no result of redactAll.
const token = "Planted"

// FuzzEngine: valid in, valid out, and the same again; no token survives; no panic; no
// error quotes the line.
func FuzzEngine(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	for _, c := range inputs {
		f.Add([]byte(c.in))
	}
	f.Add([]byte(`{"resourceType":"Patient","Planted":1}`))
	f.Add([]byte(`{"resourceType":"Patient","_Planted":{},"name":[{"Planted":[{"Planted":"Planted"}]}]}`))
	f.Add([]byte(`{"resourceType":"Planted","birthDate":"Planted"}`))
	f.Add([]byte(`{"resourceType":"Patient","birthDate":"Planted"}`))
	f.Add([]byte(`{"resourceType":"Patient","multipleBirthInteger":"Planted"}`))
	f.Add([]byte(`{"resourceType":"Patient","contact":[{"name":{"text":"Planted"}}],"name":[{"use":"official","family":"Planted"},{"extension":[{"url":"http://Planted","valueDate":"1980-01-01"}]}],"birthDate":"1980-02-03"}`))
	engines := map[string]*Engine{
		"every method": compileText(f, everyMethod), "every path": compileText(f, everyPath),
		"nothing": compileText(f, `{"fhirPathRules":[]}`), "all": compileText(f, redactAll), "strict": compileText(f, keepingStrict),
	}
	for name, text := range map[string]string{"exact": everyPath, "exact all": redactAll} {
		p, err := policy.ParseWith([]byte(text), policy.ParseOptions{Compat: policy.CompatMicrosoft})
		if err != nil {
			f.Fatal(err)
		}
		if engines[name], err = Compile(p, Options{AsOf: goldenDate, Keys: oracleKeys, SyntheticIV: true}); err != nil {
			f.Fatal(err)
		}
	}
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
				if strings.Contains(err.Error(), token) {
					t.Fatalf("%s: the error quotes: %v", name, err)
				}
				continue
			}
			if len(out) > 0 && !validJSON(out) {
				t.Fatalf("%s: the result is no JSON: %s", name, out)
			}
			again, err := e.Resource(nil, line)
			if encrypts := name == "every path"; err != nil || !bytes.Equal(out, again) && !encrypts {
				t.Fatalf("%s: the second time it is another", name)
			}
			all := name == "all" || name == "exact all"
			if (all || name == "safe-harbor") && bytes.Contains(out, []byte(token)) {
				t.Fatalf("%s: a planted token survived: %s", name, out)
			}
			if (all || name == "nothing") && len(out) > 0 {
				if twice, err := e.Resource(nil, out); err != nil || !bytes.Equal(twice, out) {
					t.Fatalf("%s: the result is not stable:\n%s\n%s\n%v", name, out, twice, err)
				}
			}
			if name == "nothing" && !jsonOf(line) {
				t.Fatalf("what is no JSON is taken: %s", line)
			}
		}
	})
}

// validJSON reports whether a result is JSON as strict readers have it.
func validJSON(data []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	if _, err := d.ReadValue(); err != nil {
		return false
	}
	_, err := d.ReadToken()
	return errors.Is(err, io.EOF)
}

// zeros are the zeros before numbers, which the engine takes and JSON does not have.
var zeros = regexp.MustCompile(`([:\[, \t\r\n]-?)0+([0-9])`)

// jsonOf reports whether a line is JSON, but for what is let pass.
func jsonOf(line []byte) bool {
	return json.Valid(line) || json.Valid(zeros.ReplaceAll(line, []byte("$1$2")))
}

// FuzzStream: any size of chunks and any number of workers give the same, and no line
// is lost or doubled.
func FuzzStream(f *testing.F) {
	f.Add([]byte(strings.Join(seeds, "\n")), 7, 3)
	f.Add([]byte("\ufeff"+seeds[0]+"\r\n\r\nnot json\n"+seeds[1]), 100, 2)
	f.Add([]byte(strings.Repeat(" ", 300)+"\n"+seeds[0]+"\n\n"+strings.Repeat("x", 500)), 1, 1)
	e := compileText(f, everyMethod)
	e.syntheticIV = true
	f.Fuzz(func(t *testing.T, data []byte, chunk, workers int) {
		if chunk < 1 || chunk > 1<<16 || workers < 1 || workers > 8 {
			return
		}
		a := runStream(t, e, data, StreamOptions{Workers: 1, MaxLineBytes: 256})
		b := runStream(t, e, data, StreamOptions{Workers: workers, ChunkBytes: chunk, MaxLineBytes: 256})
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%d workers and chunks of %d give another result:\n%+v\n%+v", workers, chunk, a, b)
		}
		lines := int64(bytes.Count(data, []byte{'\n'}))
		if len(data) > 0 && data[len(data)-1] != '\n' {
			lines++
		}
		if a.stats.Lines+a.stats.Blank != lines {
			t.Errorf("there are %d lines, counted are %d and %d blank ones", lines, a.stats.Lines, a.stats.Blank)
		}
	})
}

// FuzzLoader: a rule file is read without a panic and always the same; what can be
// compiled works without a panic.
func FuzzLoader(f *testing.F) {
	for _, s := range []string{everyMethod, everyPath, redactAll, keepingStrict, "\ufeff{/* x */'fhirPathRules':[],}"} {
		f.Add([]byte(s))
	}
	for seed := range uint64(30) {
		if c := makeCase(seed); c.rules != nil {
			f.Add(c.rules.text())
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, compat := range []policy.Compat{"", policy.CompatMicrosoft} {
			o := policy.ParseOptions{Compat: compat, CustomMethods: []string{"mask"}}
			p, err := policy.ParseWith(text, o)
			q, err2 := policy.ParseWith(text, o)
			if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
				t.Fatalf("two errors: %v and %v", err, err2)
			}
			if err != nil {
				continue
			}
			if !slices.Equal(p.Warnings(), q.Warnings()) || p.Hash() != q.Hash() || len(p.Rules) != len(q.Rules) {
				t.Fatal("the second time it is another policy")
			}
			p.FHIRVersion = "R4" // the others take long to load
			e, err := Compile(p, Options{AsOf: goldenDate, Keys: oracleKeys, Methods: map[string]NewMethod{"mask": newCoverUp}})
			if err != nil {
				continue
			}
			for _, s := range seeds {
				var bad *LineError
				if _, err := e.Resource(nil, []byte(s)); errors.As(err, &bad) && bad.Reason == ReasonPanic {
					t.Fatalf("%v", err)
				} else if err != nil && strings.Contains(err.Error(), token) {
					t.Fatalf("the error quotes: %v", err)
				}
			}
		}
	})
}

// FuzzOracle holds the engine against the oracle with any path on any resource.
func FuzzOracle(f *testing.F) {
	methods := []string{`"redact"`, `"keep"`, `"cryptoHash"`, `"dateShift"`, `"encrypt"`, `"perturb","span":0`, `"substitute","replaceWith":"x"`, `"substitute","replaceWith":{}`}
	for seed := range uint64(60) {
		if c := makeCase(seed); c.rules != nil {
			f.Add(c.rules.rules[0]["path"].(string), uint8(seed), c.lines()[0])
		}
	}
	long := regexp.MustCompile(`[0-9]{12}|[0-9][eE]|"[^"]*(?:[^\x20-\x7e]|\\u)[^"]*"|[:,\[ ]-?0[0-9]`)
	f.Fuzz(func(t *testing.T, path string, method uint8, line []byte) {
		if !utf8.Valid(line) || !utf8.ValidString(path) || long.Match(line) || strings.Contains(path, "|") {
			return
		}
		quoted, err := json.Marshal(path)
		if err != nil {
			return
		}
		compat := policy.Compat("")
		if method >= 128 {
			compat = policy.CompatMicrosoft
		}
		rules := `{"fhirVersion":"R4","fhirPathRules":[{"path":` + string(quoted) + `,"method":` + methods[int(method)%len(methods)] + `},{"path":"Resource.id","method":"cryptoHash"},{"path":"nodesByType('Extension')","method":"redact"}]}`
		p, err := policy.ParseWith([]byte(rules), policy.ParseOptions{Compat: compat})
		if err != nil {
			return
		}
		e, err := Compile(p, Options{AsOf: goldenDate, Keys: oracleKeys, SyntheticIV: true})
		if err != nil {
			return
		}
		got, err := e.Resource(nil, line)
		var bad *LineError
		if errors.As(err, &bad) && bad.Reason == ReasonPanic {
			t.Fatal(err)
		}
		want, wantErr := runOracle(p, e.model, goldenDate, oracleKeys, line)
		if err == nil && wantErr == nil && string(got) != want {
			t.Fatalf("compat %q, rules %s\n%s\nengine gives\n%s\noracle gives\n%s", compat, rules, line, got, want)
		}
	})
}
