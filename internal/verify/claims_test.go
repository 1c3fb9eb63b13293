package verify_test

import (
	"fmt"
	"strings"
	"testing"

	"fhirdeid/internal/verify"
)

// found lists the findings of one line as "severity class path".
func found(c *verify.Checker, in, out string) string {
	var given []byte
	if in != "" {
		given = []byte(in)
	}
	var list []string
	for _, f := range c.Check(1, given, []byte(out)) {
		list = append(list, fmt.Sprintf("%s %s %s", f.Severity, f.Class, f.Path))
	}
	return strings.Join(list, "\n")
}

func TestLimitedDataSet(t *testing.T) {
	c, err := verify.New(verify.LimitedDataSet, verify.Options{AsOf: asOf})
	if err != nil {
		t.Fatal(err)
	}
	patient := func(members string) string {
		return `{"resourceType":"Patient","id":"` + pseudonym + `",` + members + `}`
	}
	for name, v := range map[string]struct{ out, want string }{
		"a date of birth":         {patient(`"birthDate":"1920-02-03"`), ""},
		"a time of death":         {patient(`"deceasedDateTime":"2020-02-03T10:11:12.123+01:00"`), ""},
		"an instant":              {`{"resourceType":"Observation","issued":"2020-02-03T10:11:12Z"}`, ""},
		"no date":                 {patient(`"birthDate":"Jane 1920"`), "hard full-date Patient.birthDate"},
		"half a date":             {patient(`"birthDate":"1920-02-0"`), "hard full-date Patient.birthDate"},
		"a time of day":           {`{"resourceType":"Observation","valueTime":"10:11:12"}`, "hard text Observation.valueTime"},
		"town, state and ZIP":     {patient(`"address":[{"city":"St. Mary's-Hill","state":"MA","postalCode":"02139-1234","country":"US"}]`), ""},
		"five digits of ZIP":      {patient(`"address":[{"postalCode":"02139"}]`), ""},
		"three digits of ZIP":     {patient(`"address":[{"postalCode":"021"}]`), "hard zip Patient.address.postalCode"},
		"a street":                {patient(`"address":[{"line":["1 Elm Street"]}]`), "hard text Patient.address.line"},
		"a street in the town":    {patient(`"address":[{"city":"1 Elm Street"}]`), "hard text Patient.address.city"},
		"a county":                {patient(`"address":[{"district":"Middlesex"}]`), "hard text Patient.address.district"},
		"an age":                  {`{"resourceType":"Condition","onsetAge":{"value":97,"system":"http://unitsofmeasure.org","code":"a"}}`, ""},
		"a twin":                  {patient(`"multipleBirthInteger":2`), ""},
		"a name":                  {patient(`"name":[{"family":"Doe"}]`), "hard unlisted-path Patient.name"},
		"a telephone":             {patient(`"telecom":[{"value":"555"}]`), "hard unlisted-path Patient.telecom"},
		"a number":                {patient(`"identifier":[{"value":"555"}]`), "hard unlisted-path Patient.identifier"},
		"a device":                {`{"resourceType":"Device","serialNumber":"555"}`, "hard text Device.serialNumber"},
		"a URL":                   {`{"resourceType":"Device","url":"http://x.example"}`, "hard pattern Device.url"},
		"a photograph":            {patient(`"photo":[{"url":"x"}]`), "hard unlisted-path Patient.photo"},
		"a log with an address":   {`{"resourceType":"AuditEvent"}`, "hard unlisted-path AuditEvent"},
		"an id":                   {`{"resourceType":"Patient","id":"4711"}`, "hard no-pseudonym Patient.id"},
		"answers to questions":    {`{"resourceType":"QuestionnaireResponse","item":[{"linkId":"1"}]}`, "hard unlisted-path QuestionnaireResponse.item"},
		"why something is absent": {patient(`"_gender":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}`), ""},
	} {
		if got := found(c, "", v.out); v.want == "" && got != "" || !strings.Contains(got, v.want) {
			t.Errorf("%s: found\n%s\nwant %s", name, got, v.want)
		}
	}
}

func TestLoosened(t *testing.T) {
	const note = `{"resourceType":"Observation","note":[{"authorString":"Jane","time":"2020-01-01","text":"call 617-555-1234"}]}`
	const value = `{"resourceType":"Observation","valueString":"Jane"}`
	bundle := `{"resourceType":"Bundle","entry":[{"resource":` + value + `}]}`
	for name, v := range map[string]struct {
		loosened  []string
		out, want string
		hard      bool
	}{
		"nothing":                  {nil, note, "hard unlisted-path Observation.note", true},
		"a part":                   {[]string{"Observation.note.text"}, note, "soft unlisted-path Observation.note.text", true},
		"but not the others":       {[]string{"Observation.note.text"}, note, "hard unlisted-path Observation.note.authorString", true},
		"all of it":                {[]string{"Observation.note"}, note, "soft unlisted-path Observation.note", false},
		"by the data type":         {[]string{"Annotation"}, note, "soft unlisted-path Observation.note", false},
		"a part by the type":       {[]string{"Annotation.text", "Annotation.author", "Annotation.time"}, note, "soft unlisted-path Observation.note.authorString", false},
		"another name's beginning": {[]string{"Observation.no"}, note, "hard unlisted-path Observation.note", true},
		"a choice by its name":     {[]string{"Observation.value"}, value, "soft text Observation.valueString", false},
		"a choice by its member":   {[]string{"Observation.valueString"}, value, "soft text Observation.valueString", false},
		"in a Bundle":              {[]string{"Observation.value"}, bundle, "soft text Bundle.entry.resource.valueString", false},
		"a whole resource":         {[]string{"Media"}, `{"resourceType":"Media","status":"completed"}`, "soft unlisted-path Media", false},
		"a part of a resource":     {[]string{"Media.deviceName"}, `{"resourceType":"Media","deviceName":"x"}`, "soft text Media.deviceName", false},
		"another resource":         {[]string{"Media"}, value, "hard text Observation.valueString", true},
	} {
		c, err := verify.New(verify.SafeHarbor, verify.Options{AsOf: asOf, Loosened: v.loosened})
		if err != nil {
			t.Fatal(err)
		}
		got := found(c, "", v.out)
		if !strings.Contains(got, v.want) || strings.Contains(got, "hard") != v.hard {
			t.Errorf("%s: found\n%s\nwant %s", name, got, v.want)
		}
	}
}

// TestMore are findings that need no table of their own.
func TestMore(t *testing.T) {
	for name, v := range map[string]struct{ in, out, want string }{
		"a contained resource is not there": {"", `{"resourceType":"Observation","subject":{"reference":"#` + pseudonym + `"}}`, "soft dangling-reference Observation.subject.reference"},
		"it is there":                       {"", `{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"` + pseudonym + `"}],"subject":{"reference":"#` + pseudonym + `"}}`, ""},
		"a masked element":                  {"", `{"resourceType":"DeviceMetric","identifier":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}}`, ""},
		"a masked element with more":        {"", `{"resourceType":"DeviceMetric","identifier":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}],"value":"1"}}`, "hard unlisted-path DeviceMetric.identifier"},
		"a member is there twice":           {"", `{"resourceType":"Patient","gender":"male","gender":"male"}`, "hard not-json Patient"},
		"bad UTF-8":                         {"", "{\"resourceType\":\"Patient\",\"language\":\"\xff\"}", "hard not-json "},
		"a lone surrogate":                  {"", `{"resourceType":"Patient","language":"\ud800"}`, "hard not-json "},
		"an array in an array":              {"", `{"resourceType":"Patient","name":[[1]]}`, "hard not-json "},
		"an object where a text belongs":    {"", `{"resourceType":"Patient","gender":{"extension":[]}}`, "hard not-json Patient.gender"},
		"a name in an annotation":           {"", `{"resourceType":"Observation","valueQuantity":{"system":"http://unitsofmeasure.org","code":"{Blumenthal}"}}`, "hard unlisted-code Observation.valueQuantity.code"},
		"a name as a LOINC code":            {"", `{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"Blumenthal"}]}}`, "hard unlisted-code Observation.code.coding.code"},
		"a code of HL7":                     {"", `{"resourceType":"Observation","code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}]}}`, ""},
		"a name as a code of HL7":           {"", `{"resourceType":"Observation","code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"Blumenthal"}]}}`, "hard unlisted-code Observation.code.coding.code"},
		"a hash as an id":                   {"", `{"resourceType":"Observation","id":"` + pseudonym + pseudonym + `"}`, ""},
		"a date as a number":                {"", `{"resourceType":"Observation","valueInteger":19800203}`, "hard full-date Observation.valueInteger"},
		"eight digits that are no date":     {"", `{"resourceType":"Observation","valueInteger":19801303}`, ""},
		"a date as a code":                  {"", `{"resourceType":"Observation","code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"1980-02-03"}]}}`, "hard unlisted-code Observation.code.coding.code"},
		"an escaped leak":                   {`{"resourceType":"Patient","name":[{"family":"Blumenthal"}]}`, `{"resourceType":"Patient","address":[{"state":"Bl\u0075menthal"}]}`, "hard input-value Patient.address.state"},
		"an escaped name in the input":      {`{"resourceType":"Patient","name":[{"family":"Bl\u0075menthal"}]}`, `{"resourceType":"Patient","address":[{"state":"BLUMENTHAL"}]}`, "hard input-value Patient.address.state"},
		"a record number as a number":       {`{"resourceType":"Patient","identifier":[{"value":"4711471"}]}`, `{"resourceType":"Patient","multipleBirthInteger":1,"contained":[{"resourceType":"Observation","valueInteger":4711471}]}`, "soft input-value Patient.contained.valueInteger"},
	} {
		if got := found(checker(t), v.in, v.out); v.want == "" && got != "" || !strings.Contains(got, v.want) {
			t.Errorf("%s: found\n%s\nwant %s", name, got, v.want)
		}
	}
}

// TestVersions: each version has its own table.
func TestVersions(t *testing.T) {
	for version, out := range map[string]string{
		"STU3": `{"resourceType":"Sequence"}`,
		"R4":   `{"resourceType":"Media"}`,
		"R4B":  `{"resourceType":"SubscriptionStatus"}`,
		"R5":   `{"resourceType":"GenomicStudy"}`,
	} {
		c, err := verify.New(verify.SafeHarbor, verify.Options{AsOf: asOf, FHIRVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		if got := found(c, "", out); !strings.HasPrefix(got, "hard unlisted-path") {
			t.Errorf("%s: found %s", version, got)
		}
	}
	if _, err := verify.New(verify.SafeHarbor, verify.Options{AsOf: asOf, FHIRVersion: "R6"}); err == nil {
		t.Error("R6 is taken")
	}
	if _, err := verify.New("expert", verify.Options{AsOf: asOf}); err == nil {
		t.Error("an unknown claim is taken")
	}
}
