package verify_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/verify"
)

var asOf = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func checker(t testing.TB) *verify.Checker {
	t.Helper()
	c, err := verify.New(verify.SafeHarbor, verify.Options{AsOf: asOf})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIndependent(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "fhirdeid/internal/verify").Output()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(out, []byte("fhirdeid/anonymize")) {
		t.Error("the verifier imports code of the engine")
	}
}

const pseudonym = "0123456789abcdef0123456789abcdef"

func TestClasses(t *testing.T) {
	patient := func(members string) string {
		return `{"resourceType":"Patient","id":"` + pseudonym + `",` + members + `}`
	}
	for name, c := range map[string]struct{ in, out, want string }{
		"clean":                {"", patient(`"gender":"female","birthDate":"1980"`), ""},
		"labels":               {"", patient(`"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"REDACTED","display":"redacted"}]}`), ""},
		"an id":                {"", `{"resourceType":"Patient","id":"123"}`, "hard no-pseudonym Patient.id"},
		"a date":               {"", patient(`"birthDate":"1980-02"`), "hard full-date Patient.birthDate"},
		"a year of the old":    {"", patient(`"birthDate":"1930"`), "hard old-date Patient.birthDate"},
		"an instant":           {"", patient(`"meta":{"lastUpdated":"2026-01-01T00:00:00Z"}`), "hard text Patient.meta.lastUpdated"},
		"a name":               {"", patient(`"name":[{"family":"Doe"}]`), "hard unlisted-path Patient.name"},
		"an identifier":        {"", patient(`"identifier":[{"value":"1"}]`), "hard unlisted-path Patient.identifier"},
		"three digits":         {"", patient(`"address":[{"state":"MA","postalCode":"021"}]`), ""},
		"nobody there":         {"", patient(`"address":[{"postalCode":"036"}]`), "hard zip Patient.address.postalCode"},
		"five digits":          {"", patient(`"address":[{"postalCode":"02139"}]`), "hard zip Patient.address.postalCode"},
		"a city":               {"", patient(`"address":[{"city":"Bedford"}]`), "hard text Patient.address.city"},
		"an unknown member":    {"", patient(`"Jane Doe":1`), "hard unknown-element Patient.unknown"},
		"an unknown type":      {"", `{"resourceType":"Jane"}`, "hard unknown-element "},
		"no JSON":              {"", `{`, "hard not-json "},
		"two resources":        {"", patient(`"gender":"male"`) + `{}`, "hard not-json "},
		"a code":               {"", `{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"1234-5"}]}}`, ""},
		"a local code":         {"", `{"resourceType":"Observation","code":{"coding":[{"system":"http://hospital.example/codes","code":"x"}]}}`, "hard unlisted-code Observation.code.coding.system"},
		"a display":            {"", `{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"1","display":"x"}]}}`, "hard text Observation.code.coding.display"},
		"a text":               {"", `{"resourceType":"Observation","code":{"text":"call 555-123-4567"}}`, "hard pattern Observation.code.text"},
		"a status of the set":  {"", `{"resourceType":"Observation","status":"final"}`, ""},
		"a status of none":     {"", `{"resourceType":"Observation","status":"Jane"}`, "hard unlisted-code Observation.status"},
		"a quantity":           {"", `{"resourceType":"Observation","valueQuantity":{"value":1.5,"system":"http://unitsofmeasure.org","code":"mg"}}`, ""},
		"a unit in words":      {"", `{"resourceType":"Observation","valueQuantity":{"value":1.5,"unit":"Jane"}}`, "hard text Observation.valueQuantity.unit"},
		"an age":               {"", `{"resourceType":"Condition","onsetAge":{"value":89,"system":"http://unitsofmeasure.org","code":"a"}}`, ""},
		"the class of 90":      {"", `{"resourceType":"Condition","onsetAge":{"value":90,"system":"http://unitsofmeasure.org","code":"a"}}`, ""},
		"an age above":         {"", `{"resourceType":"Condition","onsetAge":{"value":93,"system":"http://unitsofmeasure.org","code":"a"}}`, "hard age-over-89 Condition.onsetAge.value"},
		"an age in months":     {"", `{"resourceType":"Condition","onsetAge":{"value":1200,"system":"http://unitsofmeasure.org","code":"mo"}}`, "hard age-over-89 Condition.onsetAge.value"},
		"a reference":          {"", `{"resourceType":"Condition","subject":{"reference":"Patient/` + pseudonym + `"}}`, ""},
		"a reference with id":  {"", `{"resourceType":"Condition","subject":{"reference":"Patient/123"}}`, "hard no-pseudonym Condition.subject.reference"},
		"an extension":         {"", patient(`"extension":[{"url":"http://hospital.example/vip","valueBoolean":true}]`), "hard unlisted-path Patient.extension"},
		"a primitive's":        {"", patient(`"_birthDate":{"extension":[{"url":"http://x","valueString":"y"}]}`), "hard unlisted-path Patient.birthDate.extension"},
		"race":                 {"", patient(`"extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3"}}]}]`), ""},
		"race in words":        {"", patient(`"extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"text","valueString":"White"}]}]`), "hard text Patient.extension.extension.valueString"},
		"a twin":               {"", patient(`"multipleBirthInteger":2`), "hard unlisted-path Patient.multipleBirthInteger"},
		"a twin, yes or no":    {"", patient(`"multipleBirthBoolean":true`), "hard unlisted-path Patient.multipleBirthBoolean"},
		"a picture":            {"", patient(`"photo":[{"data":"AAAA"}]`), "hard unlisted-path Patient.photo"},
		"a name in a unit":     {`{"resourceType":"Observation","contained":[{"resourceType":"Patient","name":[{"family":"Blumenthal"}]}]}`, `{"resourceType":"Observation","valueQuantity":{"system":"http://unitsofmeasure.org","code":"blumenthal"}}`, "hard input-value Observation.valueQuantity.code"},
		"a contained resource": {"", `{"resourceType":"Observation","contained":[{"resourceType":"Patient","name":[{"family":"x"}]}]}`, "hard unlisted-path Observation.contained.name"},
		"a log":                {"", `{"resourceType":"AuditEvent"}`, "hard unlisted-path AuditEvent"},
		"a place":              {"", `{"resourceType":"Location","position":{"longitude":1.5,"latitude":2}}`, "hard unlisted-path Location.position"},
		// Ages where they hide.
		"an age in a quantity":    {"", `{"resourceType":"Observation","valueQuantity":{"value":93,"system":"http://unitsofmeasure.org","code":"a"}}`, "hard age-over-89 Observation.valueQuantity.value"},
		"years that are no age":   {"", `{"resourceType":"Observation","valueQuantity":{"value":89,"system":"http://unitsofmeasure.org","code":"a"}}`, ""},
		"an age in a range":       {"", `{"resourceType":"Condition","onsetRange":{"low":{"value":93,"system":"http://unitsofmeasure.org","code":"a"}}}`, "hard age-over-89 Condition.onsetRange.low.value"},
		"an age without a unit":   {"", `{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"30525-0"}]},"valueQuantity":{"value":93}}`, "hard age-over-89 Observation.valueQuantity"},
		"an age as an integer":    {"", `{"resourceType":"Observation","component":[{"code":{"coding":[{"system":"http://loinc.org","code":"30525-0"}]},"valueInteger":93}]}`, "hard age-over-89 Observation.component.valueInteger"},
		"an age in a component":   {"", `{"resourceType":"Observation","component":[{"code":{"coding":[{"system":"http://loinc.org","code":"30525-0"}]},"valueInteger":89}]}`, ""},
		"a number that is no age": {"", `{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"valueInteger":93}`, ""},
		// What has the form of a pseudonym and is none.
		"a reference left as it was": {`{"resourceType":"Condition","subject":{"reference":"urn:uuid:C757873D-ec9a-4326-a141-556f43239520"}}`, `{"resourceType":"Condition","subject":{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}}`, "hard input-value Condition.subject.reference"},
		"an id left as it was":       {`{"resourceType":"Condition","id":"` + pseudonym + `"}`, `{"resourceType":"Condition","id":"` + pseudonym + `"}`, "hard input-value Condition.id"},
		"another pseudonym":          {`{"resourceType":"Condition","id":"ffffffffffffffffffffffffffffffff"}`, `{"resourceType":"Condition","id":"` + pseudonym + `"}`, ""},
		"an input that is no JSON":   {`{`, patient(`"gender":"male"`), "hard unread-input "},
		// Texts in the place of codes.
		"a state by name":         {"", patient(`"address":[{"state":"new york","country":"US"}]`), ""},
		"a town in the state":     {"", patient(`"address":[{"state":"Springfield, Jane Doe"}]`), "hard text Patient.address.state"},
		"the town in the state":   {`{"resourceType":"Patient","address":[{"city":"Springfield"}]}`, patient(`"address":[{"state":"Springfield"}]`), "hard input-value Patient.address.state"},
		"a state abroad":          {"", patient(`"address":[{"state":"Vic"}]`), "hard text Patient.address.state"},
		"a birth sex":             {"", patient(`"extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex","valueCode":"F"}]`), ""},
		"a name as birth sex":     {"", patient(`"extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex","valueCode":"Jane"}]`), "hard unlisted-code Patient.extension.valueCode"},
		"a number as birth sex":   {"", patient(`"extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex","valueInteger":555123456}]`), "hard unlisted-path Patient.extension"},
		"a name as a unit":        {"", `{"resourceType":"Observation","valueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"Blumenthal"}}`, "hard unlisted-code Observation.valueQuantity.code"},
		"a long unit":             {"", `{"resourceType":"Observation","valueQuantity":{"value":1,"system":"http://unitsofmeasure.org","code":"mL/min/{1.73_m2}"}}`, ""},
		"an SSN as a public code": {"", `{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"123-45-6789"}]}}`, "hard unlisted-code Observation.code.coding.code"},
		"a ZIP as a currency":     {"", `{"resourceType":"Claim","total":{"value":1,"currency":"036"}}`, "hard unlisted-code Claim.total.currency"},
		"a currency":              {"", `{"resourceType":"Claim","total":{"value":1,"currency":"USD"}}`, ""},
		"a long number":           {"", `{"resourceType":"Observation","valueInteger":555123456}`, "soft long-number Observation.valueInteger"},
		"a number of the input":   {`{"resourceType":"Observation","contained":[{"resourceType":"Patient","telecom":[{"value":"617-555-1234"}]}]}`, `{"resourceType":"Observation","valueInteger":6175551234}`, "hard input-value Observation.valueInteger"},
		"a leak behind oddities":  {"", `{"resourceType":"Patient","birthDate":"1980","address":[` + strings.Repeat(`{"period":{"start":"2300"}},`, 150) + `{"city":"Bedford"}]}`, "hard text Patient.address.city"},
	} {
		t.Run(name, func(t *testing.T) {
			var in []byte
			if c.in != "" {
				in = []byte(c.in)
			}
			var got []string
			for _, f := range checker(t).Check(7, in, []byte(c.out)) {
				got = append(got, fmt.Sprintf("%s %s %s", f.Severity, f.Class, f.Path))
				if f.Line != 7 {
					t.Errorf("the finding is on line %d", f.Line)
				}
			}
			if all := strings.Join(got, "\n"); c.want == "" && all != "" || !strings.Contains(all, c.want) {
				t.Errorf("found:\n%s\nwant: %s", all, c.want)
			}
		})
	}
}

// corpus calls visit with the lines of a data set beside the project, or skips.
func corpus(t testing.TB, set string, most int, visit func(typ string, line []byte)) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", set, "*.ndjson.gz"))
	if len(files) == 0 {
		t.Skipf("../shared/data/%s is not here", set)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReaderSize(z, 1<<20)
		for range most {
			line, err := r.ReadBytes('\n')
			if line = bytes.TrimSpace(line); len(line) > 0 {
				visit(strings.TrimSuffix(filepath.Base(name), ".ndjson.gz"), line)
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		f.Close()
	}
}

func safeHarbor(t testing.TB, source []byte) *anonymize.Engine {
	t.Helper()
	p, err := policy.Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	e, err := anonymize.Compile(p, anonymize.Options{AsOf: asOf, Keys: anonymize.Keys{Pseudonym: []byte("a key of good length for tests")}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func profile(t testing.TB) []byte {
	t.Helper()
	p, err := policy.Builtin("safe-harbor")
	if err != nil {
		t.Fatal(err)
	}
	return p.Source()
}

// TestRawDataIsNotClean: what comes from a hospital has findings, nearly always.
func TestRawDataIsNotClean(t *testing.T) {
	c := checker(t)
	lines, dirty := 0, 0
	corpus(t, "synthea-r4", 50, func(_ string, line []byte) {
		lines++
		if len(c.Check(1, line, line)) > 0 {
			dirty++
		}
	})
	if dirty < lines {
		t.Errorf("%d of %d raw lines have no finding", lines-dirty, lines)
	}
}

// TestProfileIsClean: what the built-in profiles leave has no hard finding, and is
// not merely empty.
func TestProfileIsClean(t *testing.T) {
	for set, version := range map[string]fhirmodel.Version{"synthea-r4": fhirmodel.R4, "hl7-r4-examples": fhirmodel.R4, "synthea-stu3": fhirmodel.STU3} {
		for _, claim := range []string{verify.SafeHarbor, verify.LimitedDataSet} {
			t.Run(set+"/"+claim, func(t *testing.T) {
				c, err := verify.New(claim, verify.Options{AsOf: asOf, FHIRVersion: string(version)})
				if err != nil {
					t.Fatal(err)
				}
				built, err := policy.Builtin(claim)
				if err != nil {
					t.Fatal(err)
				}
				e := mutant(t, string(built.Source()), version)
				seen, before, after := make(map[string]int), 0, 0
				corpus(t, set, 200, func(typ string, line []byte) {
					out, err := e.Resource(nil, line)
					if err != nil || len(out) == 0 {
						return
					}
					before, after = before+len(line), after+len(out)
					for _, f := range c.Check(1, line, out) {
						if f.Severity == verify.Hard {
							seen[f.Class+" "+f.Path]++
						}
					}
				})
				for f, n := range seen {
					t.Errorf("%d × %s", n, f)
				}
				if after < before/20 {
					t.Errorf("of %d bytes %d are left", before, after)
				}
				t.Logf("%d bytes in, %d out", before, after)
			})
		}
	}
}
