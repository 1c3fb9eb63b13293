package anonymize

import (
	"bytes"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fhirdeid/anonymize/fhirmodel"
)

func validator(t testing.TB, v fhirmodel.Version) *Validator {
	t.Helper()
	m, err := fhirmodel.Load(v)
	if err != nil {
		t.Fatal(err)
	}
	return NewValidator(m)
}

func TestValidate(t *testing.T) {
	const status = `"status":"final","code":{"text":"x"}`
	for _, c := range []struct{ name, in, want string }{
		{"least", `{"resourceType":"Patient"}`, ""},
		{"no JSON", `{"resourceType":"Patient"`, "invalid-json at Patient"},
		{"unknown type", `{"resourceType":"Pationt"}`, "unknown-type at "},
		{"unknown element", `{"resourceType":"Patient","x":1}`, "unknown-element at Patient"},
		{"twice", `{"resourceType":"Patient","gender":"male","gender":"male"}`, "duplicate-member at Patient"},
		{"two choices", `{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2000"}`, "duplicate-member at Patient"},
		{"array where none is", `{"resourceType":"Patient","gender":["male"]}`, "invalid-value at Patient"},
		{"none where an array is", `{"resourceType":"Patient","name":{"family":"x"}}`, "invalid-value at Patient"},
		{"number as a string", `{"resourceType":"Patient","multipleBirthInteger":"2"}`, "invalid-value at Patient.multipleBirthInteger"},

		{"required", `{"resourceType":"Observation","status":"final"}`, "required at Observation.code"},
		{"required below", `{"resourceType":"Observation",` + status + `,"component":[{"code":{"text":"a"}},{"valueInteger":1}]}`, "required at Observation.component[1].code"},
		{"required choice", `{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"reference":"Patient/1"}}`, "required at MedicationRequest.medication[x]"},
		{"required, as an extension", `{"resourceType":"Observation","_status":{"extension":[{"url":"http://x.org","valueCode":"unknown"}]},"code":{"text":"x"}}`, ""},
		{"extension without url", `{"resourceType":"Patient","extension":[{"valueString":"x"}]}`, "required at Patient.extension[0].url"},
		{"required in a contained resource", `{"resourceType":"Patient","contained":[{"resourceType":"Observation","status":"final"}]}`, "required at Patient.contained[0].code"},

		{"id", `{"resourceType":"Patient","id":"a_b"}`, "format at Patient.id"},
		{"long id", `{"resourceType":"Patient","id":"` + strings.Repeat("a", 65) + `"}`, "invalid-value at Patient.id"},
		{"code with two blanks", `{"resourceType":"Observation","status":"a  b","code":{"text":"x"}}`, "format at Observation.status"},
		{"uri with a blank", `{"resourceType":"Patient","implicitRules":"http://a b"}`, "format at Patient.implicitRules"},
		{"instant to the day", `{"resourceType":"Patient","meta":{"lastUpdated":"2015-02-07"}}`, "format at Patient.meta.lastUpdated"},
		{"time without a zone", `{"resourceType":"Patient","deceasedDateTime":"2015-02-07T13:28:17"}`, "format at Patient.deceasedDateTime"},
		{"time without seconds", `{"resourceType":"Patient","deceasedDateTime":"2015-02-07T13:28Z"}`, "format at Patient.deceasedDateTime"},
		{"date with a zone", `{"resourceType":"Patient","birthDate":"2015-02-07Z"}`, "format at Patient.birthDate"},
		{"no date at all", `{"resourceType":"Patient","birthDate":"2015-02-30"}`, "invalid-value at Patient.birthDate"},
		{"positive", `{"resourceType":"Patient","telecom":[{"rank":0}]}`, "format at Patient.telecom[0].rank"},
		{"integer with an exponent", `{"resourceType":"Patient","multipleBirthInteger":1e1}`, "format at Patient.multipleBirthInteger"},
		{"control character", `{"resourceType":"Patient","name":[{"text":"a"},{"given":["a","b\u0001"]}]}`, "format at Patient.name[1].given[1]"},
		{"base64", `{"resourceType":"Binary","contentType":"text/plain","data":"YW Jj"}`, ""},
		{"no base64", `{"resourceType":"Binary","contentType":"text/plain","data":"YWJ"}`, "format at Binary.data"},

		{"binding", `{"resourceType":"Patient","gender":"Male"}`, "binding at Patient.gender"},

		{"reference", `{"resourceType":"Patient","generalPractitioner":[{"reference":"Practitioner/1/_history/2"},{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},{"reference":"https://my-server.org/fhir/Practitioner/1"}]}`, ""},
		{"reference to no type", `{"resourceType":"Patient","generalPractitioner":[{"reference":"Doctor/1"}]}`, "reference at Patient.generalPractitioner[0].reference"},
		{"reference with a blank", `{"resourceType":"Patient","generalPractitioner":[{"reference":"Practitioner/1 2"}]}`, "reference at Patient.generalPractitioner[0].reference"},
		{"contained reference", `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"x","partOf":{"reference":"#o"}}],"managingOrganization":{"reference":"#o"}}`, ""},
		{"contained reference to nothing", `{"resourceType":"Patient","managingOrganization":{"reference":"#o"}}`, "reference at Patient.managingOrganization.reference"},
		{"conditional reference", `{"resourceType":"Patient","managingOrganization":{"reference":"Organization?identifier=a"}}`, "reference at Patient.managingOrganization.reference"},

		{"empty object", `{"resourceType":"Patient","name":[{"family":"a"},{}]}`, "empty at Patient.name[1]"},
		{"empty string", `{"resourceType":"Patient","name":[{"family":""}]}`, "empty at Patient.name[0].family"},
		{"blank string", `{"resourceType":"Patient","name":[{"family":"  "}]}`, "empty at Patient.name[0].family"},
		{"empty array", `{"resourceType":"Patient","name":[{"family":"a","given":[ ]}]}`, "empty at Patient.name[0].given"},
		{"null", `{"resourceType":"Patient","name":[{"family":"a","text":null}]}`, "empty at Patient.name[0].text"},
		{"null with a sibling", `{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"x"}]}]}`, ""},
		{"null without a sibling", `{"resourceType":"Patient","name":[{"given":["a",null]}]}`, "empty at Patient.name[0].given"},
		{"null among objects", `{"resourceType":"Patient","name":[{"family":"a"},null]}`, "empty at Patient.name"},
		{"text like JSON", `{"resourceType":"Patient","name":[{"family":"[] null"}],"active":true}`, ""},

		{"several", `{"resourceType":"Patient","id":"a b","gender":"x","name":[{}]}`, "format at Patient.id; binding at Patient.gender; empty at Patient.name[0]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := validator(t, fhirmodel.R4)
			for range 2 { // it is used again
				if got := join(v.Validate([]byte(c.in))); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
		})
	}
}

func join(issues []Issue) string {
	var all []string
	for _, i := range issues {
		all = append(all, i.String())
	}
	return strings.Join(all, "; ")
}

func TestValidateNarrative(t *testing.T) {
	const open = `<div xmlns="http://www.w3.org/1999/xhtml">`
	for in, valid := range map[string]bool{
		open + `<p>a &lt; b</p><br/></div>`:             true,
		open + `<p title="a > b">x</p></div> `:          true,
		open + `<!-- <p> --><img src="a"/></div>`:       true,
		open + `<p>on = off</p></div>`:                  true,
		`<div>x</div>`:                                  false,
		`<p xmlns="http://www.w3.org/1999/xhtml">x</p>`: false,
		open + `<p>x</div>`:                             false,
		open + `x`:                                      false,
		open + ` </div>`:                                false,
		open + `x</div><div/>`:                          false,
		open + `x</div> y`:                              false,
		open + `<script>x</script></div>`:               false,
		open + `<p onclick="x()">x</p></div>`:           false,
		`x` + open + `x</div>`:                          false,
		open + `<P>x</P></div>`:                         false,
		`</div>` + open:                                 false,
		`just text`:                                     false,
		`<div xmlns="http://www.w3.org/1999/xhtml"/>`:   false,
		open + `<p>a < b</p></div>`:                     false,
	} {
		if got := new(Validator).narrative([]byte(in)); got != valid {
			t.Errorf("%s: %v", in, got)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		typ, in string
		want    bool
	}{
		{"oid", "urn:oid:1.2.840.10008", true}, {"oid", "1.2.3", false}, {"oid", "urn:oid:1.02", false}, {"oid", "urn:oid:3.1", false}, {"oid", "urn:oid:1", false},
		{"uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", true}, {"uuid", "urn:uuid:C757873D-ec9a-4326-a141-556f43239520", false}, {"uuid", "c757873d-ec9a-4326-a141-556f43239520", false},
		{"code", "a b", true}, {"code", " a", false}, {"code", "a ", false}, {"code", "a  b", false},
		{"date", "2015", true}, {"date", "2015-02", true}, {"date", "2015-02-29", false}, {"date", "2015-2-1", false},
		{"dateTime", "2015-02-07T13:28:17.239+02:00", true}, {"dateTime", "2015-02-07T13:28:17Z", true}, {"dateTime", "2015-02-07T24:00:00Z", false},
		{"instant", "2015-02-07T13:28:17.239+02:00", true}, {"instant", "2015-02-07T13:28:17", false}, {"instant", "2015-02", false},
		{"time", "13:28:17.5", true}, {"time", "13:28", false}, {"time", "13:28:17Z", false},
		{"positiveInt", "1", true}, {"positiveInt", "0", false}, {"unsignedInt", "0", true}, {"unsignedInt", "-1", false}, {"integer", "-0", false}, {"integer", "-5", true},
		{"integer64", "9223372036854775807", true}, {"integer64", "x", false},
		{"base64Binary", "YWJj", true}, {"base64Binary", "YQ==", true}, {"base64Binary", "YQ=a", false}, {"base64Binary", "Y===", false},
		{"uri", "urn:x", true}, {"uri", "a b", false}, {"string", "a\tb\n", true}, {"string", "\u0001", false},
		{"id", "A-.9", true}, {"id", "a/b", false},
	} {
		if got := formatOf(c.typ)([]byte(c.in)); got != c.want {
			t.Errorf("%s %q: %v", c.typ, c.in, got)
		}
	}
}

// publishedIssues is what is not valid in the data that HL7 and Synthea publish,
// by set, with places in arrays left out. Each was looked at.
var publishedIssues = map[string]map[string]int{
	"synthea-r4": {},
	"synthea-stu3": { // one value where an array is, and an empty extension value
		"invalid-value at AllergyIntolerance":    18,
		"invalid-value at Observation.extension": 250,
	},
	"hl7-r4-examples": {
		"empty at CodeSystem.concept.code":                                       1,
		"invalid-value at SearchParameter.id":                                    1, // 66 characters
		"narrative at ActivityDefinition.text.div":                               2, // nothing in it
		"narrative at EventDefinition.text.div":                                  1,
		"narrative at Questionnaire.text.div":                                    1,
		"reference at ImplementationGuide.manifest.resource.reference.reference": 1,
		"required at ImplementationGuide.name":                                   1,
		"required at ImplementationGuide.status":                                 1,
		"required at Questionnaire.item.item.linkId":                             1,
		"required at Questionnaire.item.item.item.linkId":                        20,
		"required at Questionnaire.item.item.item.item.linkId":                   11,
		"required at SearchParameter.base":                                       10,
	},
}

func TestValidatePublished(t *testing.T) {
	places := regexp.MustCompile(`\[\d+\]`)
	for set, want := range publishedIssues {
		version := fhirmodel.R4
		if set == "synthea-stu3" {
			version = fhirmodel.STU3
		}
		v := validator(t, version)
		got := make(map[string]int)
		files, _ := filepath.Glob(filepath.Join(shared(t, "data", set), "*.ndjson.gz"))
		for _, f := range files {
			for line := range bytes.Lines(gunzip(t, f)) {
				for _, i := range v.Validate(line) {
					got[places.ReplaceAllString(i.String(), "")]++
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", set, diff)
		}
	}
}

// TestValidateAllocates nothing for a valid resource, once its types are known.
func TestValidateAllocates(t *testing.T) {
	v := validator(t, fhirmodel.R4)
	line := []byte(`{"resourceType":"Patient","id":"a","name":[{"family":"x","given":["y"]}],"gender":"female","birthDate":"1980-02-03"}`)
	if issues := v.Validate(line); issues != nil {
		t.Fatal(issues)
	}
	if n := testing.AllocsPerRun(100, func() { v.Validate(line) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzValidate: no input takes the validator down or makes it say a value, and
// the same input has the same issues.
func FuzzValidate(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Patient","id":"a b","name":[{"given":["a",null],"_given":[null,{"id":"x"}]},{}],"text":{"status":"x","div":"<div/>"}}`))
	f.Add([]byte(`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","managingOrganization":{"reference":"#o"}}}]}`))
	f.Add([]byte(`{"resourceType":"Patient","extension":[],"_birthDate":{"extension":[{"url":"","valueDecimal":-1E-7}]}, "contact":[null,{"name":null}]}`))
	f.Add([]byte(`{"resourceType":"Binary","data":"YQ==","contentType":"\u0061/b","meta":{"lastUpdated":"2015-02-07T13:28:17Z","tag":[ ]}}`))
	v := validator(f, fhirmodel.R4)
	path := regexp.MustCompile(`^([A-Za-z]+(\.[A-Za-z_]+(\[[0-9x]?[0-9]*\])?)*)?$`)
	f.Fuzz(func(t *testing.T, data []byte) {
		issues := v.Validate(data)
		for _, i := range issues {
			if !path.MatchString(i.Path) {
				t.Errorf("%q is no path", i.Path)
			}
		}
		if again := v.Validate(data); !slices.Equal(issues, again) {
			t.Errorf("%v, then %v", issues, again)
		}
	})
}

// BenchmarkValidate is what --validate-input costs, a core.
func BenchmarkValidate(b *testing.B) {
	data := benchData(b)
	v := validator(b, fhirmodel.R4)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		for line := range bytes.Lines(data) {
			v.Validate(line)
		}
	}
}
