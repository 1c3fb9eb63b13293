package lint

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fhirdeid/anonymize/policy"
)

// check lints a policy and returns its problems as "code@rule".
func check(t *testing.T, data string, o Options) (*Report, []string) {
	t.Helper()
	r, err := Check([]byte(data), o)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, p := range r.Problems {
		if p.Problem == "" || p.Consequence == "" || p.Remedy == "" {
			t.Errorf("%s says too little: %+v", p.Code, p)
		}
		found = append(found, p.Code+"@"+string(rune('0'+p.Rule)))
	}
	slices.Sort(found)
	return r, found
}

// TestProblems: each kind of problem, and files that look like it but are right.
func TestProblems(t *testing.T) {
	for name, c := range map[string]struct{ mode, rules, parameters, want, says string }{
		"nothing":                  {"", `{"path":"Patient.name","method":"redact"}`, "", "", ""},
		"misspelt element":         {"", `{"path":"HealthcareService.notAvaliable.description","method":"redact"}`, "", "dead-path@1", `"notAvailable"`},
		"in strict":                {"strict", `{"path":"Patient.nmae","method":"redact"}`, "", "dead-path@1", `"name"`},
		"element of another":       {"", `{"path":"Claim.information.value","method":"redact"}`, "", "dead-path@1", "STU3"},
		"type of another":          {"", `{"path":"DeviceComponent.type","method":"redact"}`, "", "unknown-type@1", "STU3"},
		"misspelt type":            {"", `{"path":"Patiens.name","method":"redact"}`, "", "unknown-type@1", `"Patient"`},
		"data type":                {"", `{"path":"HumanName.family","method":"redact"}`, "", "data-type-prefix@1", "nodesByType('HumanName').family"},
		"only a data type":         {"", `{"path":"HumanName","method":"redact"}`, "", "data-type-prefix@1", "nodesByType('HumanName')."},
		"all resources":            {"", `{"path":"Resource.text","method":"redact"},{"path":"DomainResource.extension","method":"redact"}`, "", "", ""},
		"misspelt in look-up":      {"", `{"path":"nodesByType('Adress')","method":"redact"}`, "", "dead-path@1", `"Address"`},
		"choice with its type":     {"", `{"path":"Observation.valueQuantity","method":"redact"}`, "", "dead-path@1", "as Quantity"},
		"nested resource":          {"", `{"path":"Bundle.entry.resource.where($this is Patient).name","method":"redact"}`, "", "", ""},
		"extension of a primitive": {"", `{"path":"Patient.birthDate.extension.where(url='x').value","method":"redact"}`, "", "", ""},
		"part that never matches":  {"", `{"path":"Patient.name.where(ues = 'x' or use = 'old').family","method":"redact"}`, "", "dead-step@1", `"use"`},
		"union":                    {"", `{"path":"Patient.name.family | Patient.contact.name.family","method":"redact"}`, "", "union-by-value@1", "two equal names"},
		"union of values":          {"", `{"path":"Patient.name.where(use in ('a' | 'b'))","method":"redact"}`, "", "", ""},
		"first of plain values":    {"", `{"path":"Patient.name.given.first()","method":"redact"}`, "", "crash-first@1", "[0]"},
		"first of others":          {"", `{"path":"Patient.name.first().given","method":"redact"}`, "", "", ""},
		"values":                   {"", `{"path":"Patient.name.exists()","method":"redact"}`, "", "no-element@1", "where("},
		"text of an element":       {"", `{"path":"Patient.name.where(family.startsWith('x'))","method":"redact"}`, "", "text-of-nothing@1", "crashes"},
		"date against text":        {"", `{"path":"Patient.where(birthDate > '1990').name","method":"redact"}`, "", "incomparable@1", "@"},
		"resolve":                  {"", `{"path":"Observation.subject.resolve().name","method":"redact"}`, "", "refused-by-microsoft@1 refused-function@1", ""},
		"function of later times":  {"", `{"path":"Patient.name.where(family.hasValue())","method":"redact"}`, "", "refused-by-microsoft@1", "hasValue()"},
		"complex generalize":       {"", `{"path":"Observation.value","method":"generalize","cases":{"true":"1"}}`, "", "generalize-complex@1", "Quantity"},
		"empty condition":          {"", `{"path":"Patient.birthDate","method":"generalize","cases":{"$this > @1990-01-01":"@1990"}}`, "", "empty-condition@1", "iif("},
		"condition that is not":    {"", `{"path":"Patient.birthDate","method":"generalize","cases":{"iif($this > @1990-01-01, true, false)":"@1990"}}`, "", "", ""},
		"condition on a number":    {"", `{"path":"Patient.multipleBirth as integer","method":"generalize","cases":{"$this > 5 and $this < 10":"5"}}`, "", "", ""},
		"never a condition":        {"", `{"path":"Patient.gender","method":"generalize","cases":{"$this.x = 1":"5"}}`, "", "empty-condition@1", "never"},
		"shift of no date":         {"", `{"path":"Patient.gender","method":"dateShift"}`, `"dateShiftKey":"0123456789abcdef"`, "key-in-file@0 method-without-effect@1", "code only"},
		"noise on no number":       {"", `{"path":"Patient.gender","method":"perturb","span":1}`, "", "method-without-effect@1", "code only"},
		"backbone":                 {"", `{"path":"Patient.contact","method":"substitute","replaceWith":{}}`, "", "substitute-backbone@1", "Patient.contact"},
		"method":                   {"", `{"path":"Patient","method":"redakt"},{"path":"Group","method":"kepe"}`, "", "unknown-method@1 unknown-method@2", `"redact"`},
		"function":                 {"", `{"path":"Patient.name.wher(true)","method":"keep"}`, "", "invalid@1", "where()"},
		"custom method":            {"", `{"path":"Patient.name","method":"mask","length":3}`, "", "", ""},
		"unknown key":              {"", `{"path":"Patient.name","method":"keep","replacewith":3}`, "", "without-effect@1", `"replaceWith"`},
		"blank key":                {"", `{"path":"Patient.id","method":"cryptoHash"}`, `"cryptoHashKey":""`, "blank-key@0", ""},
		"short key":                {"", `{"path":"Patient.id","method":"cryptoHash"}`, `"cryptoHashKey":"123"`, "short-key@0", "3 bytes"},
		"fixed offset":             {"", `{"path":"Patient.birthDate","method":"dateShift"}`, `"dateShiftFixedOffsetInDays":7`, "fixed-offset@0", "7 days"},
		"shadowed by itself":       {"", `{"path":"Patient.name","method":"redact"},{"path":"Patient.name.family","method":"redact"}`, "", "shadowed@2", "rule 1 (line 2"},
		"shadowed by keep":         {"", `{"path":"Resource","method":"keep"},{"path":"Patient.name","method":"redact"}`, "", "shadowed@2", "stays as it is"},
		"shadowed look-up":         {"", `{"path":"nodesByType('Address')","method":"redact"},{"path":"nodesByType('Address').country","method":"keep"}`, "", "shadowed@2", ""},
		"shadowed condition":       {"", `{"path":"Patient.name","method":"keep"},{"path":"Patient.name.where(use='old').family","method":"redact"}`, "", "shadowed@2", ""},
		"children first":           {"", `{"path":"nodesByType('Address').country","method":"keep"},{"path":"nodesByType('Address')","method":"redact"}`, "", "", ""},
		"condition first":          {"", `{"path":"Patient.name.where(use='old')","method":"keep"},{"path":"Patient.name","method":"redact"}`, "", "", ""},
		"inside itself":            {"", `{"path":"QuestionnaireResponse.item.answer","method":"redact"},{"path":"QuestionnaireResponse.nodesByName('answer')","method":"keep"}`, "", "", ""},
		"other type only":          {"", `{"path":"Patient.id","method":"keep"},{"path":"Resource.id","method":"redact"}`, "", "", ""},
		"all children first":       {"", `{"path":"Patient.communication.language","method":"keep"},{"path":"Patient.communication.preferred","method":"keep"},{"path":"Patient.communication.preferred","method":"redact"}`, "", "shadowed@3", ""},
		"no JSON":                  {"", `{"path":`, "", "invalid@0", "value is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			data := "{\"fhirVersion\":\"R4\",\"mode\":\"" + c.mode + "\",\"fhirPathRules\":[\n" + c.rules + "],\"parameters\":{" + c.parameters + "}}"
			if c.mode == "" {
				data = strings.Replace(data, `"mode":"",`, "", 1)
			}
			r, found := check(t, data, Options{CustomMethods: []string{"mask"}})
			if got := strings.Join(found, " "); got != c.want {
				t.Fatalf("found %q, want %q: %+v", got, c.want, r.Problems)
			}
			var b strings.Builder
			if err := r.WriteText(&b, TextOptions{}); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(strings.Fields(b.String()), " ")
			if c.says != "" && !strings.Contains(text, c.says) {
				t.Errorf("the report does not say %q:\n%s", c.says, b.String())
			}
			if c.mode == "strict" && r.Errors() == 0 {
				t.Error("a strict policy has no dead paths")
			}
		})
	}
}

// TestPlaces: where a problem is.
func TestPlaces(t *testing.T) {
	r, _ := check(t, "{\"fhirVersion\":\"R4\",\n\"fhirPathRules\":[\n\n{\"path\":\"Patient.name.famly\",\"method\":\"keep\"}]}", Options{})
	p := r.Problems[0]
	if p.Line != 4 || p.Rule != 1 || p.Column != len("Patient.name.")+1 {
		t.Errorf("the problem is at line %d, rule %d, column %d", p.Line, p.Rule, p.Column)
	}
	var b strings.Builder
	if err := r.WriteText(&b, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "Patient.name.famly") })
	if strings.Index(lines[i+1], "^") != strings.Index(lines[i], "famly") {
		t.Errorf("the mark is not below the name:\n%s\n%s", lines[i], lines[i+1])
	}
}

// TestMicrosoftSamples: what is wrong with the files that users have.
func TestMicrosoftSamples(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "microsoft-sample-configs")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the samples are not here:", err)
	}
	for name, want := range map[string]string{
		"R4.CommandLineTool/configuration-sample.json":                           "HealthcareService.notAvaliable.description",
		"R4.CommandLineTool/configuration-sample-with-dateshiftfixedoffset.json": "HealthcareService.notAvaliable.description",
		"Stu3.CommandLineTool/configuration-sample.json":                         "HealthcareService.notAvaliable.description DeviceComponent.ProductionSpecification.productionSpec Claim.supportingInfo.value Invoice.cancelledReason",
	} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Check(data, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var dead []string
		for _, p := range r.Problems {
			switch p.Code {
			case "dead-path", "unknown-type":
				dead = append(dead, p.Path)
			case "blank-key", "fixed-offset":
			default:
				t.Errorf("%s: %+v", name, p)
			}
		}
		if got := strings.Join(dead, " "); got != want {
			t.Errorf("%s: dead are %q, want %q", name, got, want)
		}
	}
}

// TestProfiles: the built-in profiles have no errors.
func TestProfiles(t *testing.T) {
	for _, name := range policy.BuiltinNames() {
		p, err := policy.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []string{"STU3", "R4", "R4B", "R5"} {
			if p.FHIRVersion != "" && p.FHIRVersion != version {
				continue
			}
			r, err := Check(p.Source(), Options{FHIRVersion: version})
			if err != nil {
				t.Fatal(err)
			}
			if n := r.Errors(); n > 0 || !r.Coverage.Dropped {
				t.Errorf("%s has %d errors in %s: %+v", name, n, version, r.Problems)
			}
		}
	}
}

// TestCoverage: what is listed, and in which class.
func TestCoverage(t *testing.T) {
	r, _ := check(t, `{"fhirVersion":"R4","fhirPathRules":[{"path":"nodesByType('Extension')","method":"redact"},{"path":"Patient.name","method":"redact"},{"path":"Patient.contact.where(gender='male').name","method":"redact"},{"path":"Patient.birthDate","method":"keep"}]}`, Options{})
	got := make(map[string]Gap)
	class := make(map[string]Class)
	for _, g := range r.Coverage.Groups {
		for _, list := range g.Resources {
			for _, p := range list.Paths {
				got[p.Path], class[p.Path] = p, g.Class
			}
		}
	}
	for path, want := range map[string]Class{
		"Patient.telecom.value": Identifier, "Patient.telecom.system": Code, "Patient.address.city": Identifier, "Patient.address.state": Code,
		"Patient.address.period.start": Date, "Patient.text.div": FreeText, "Patient.id": Identifier, "Patient.photo.data": Identifier,
		"Patient.contact.name.family": Identifier, "Patient.deceasedDateTime": Date, "Patient.managingOrganization.reference": Identifier,
		"Patient.name.family": "", "Patient.birthDate": "", "Patient.extension": "", "Condition.onsetAge.value": Date, "Observation.note.text": FreeText,
		"Device.serialNumber": Identifier, "Observation.valueQuantity.unit": Code, "Location.position.latitude": Identifier,
	} {
		if class[path] != want {
			t.Errorf("%s is in %q, want %q", path, class[path], want)
		}
	}
	if g := got["Patient.contact.name.family"]; !slices.Equal(g.Sometimes, []int{3}) {
		t.Errorf("what a condition reaches is %+v", g)
	}
	if data, err := json.Marshal(r); err != nil || !json.Valid(data) {
		t.Error(err)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"mode":"strict","fhirPathRules":[{"path":"Patient.name","method":"year"},{"path":"X","method":"keep"}]}`))
	f.Add([]byte(`{"fhirPathRules":[{"path":"a | b.where(c).first()","method":"generalize","cases":{"$this > 1":"2"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Check(data, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := r.WriteText(&b, TextOptions{All: true}); err != nil {
			t.Fatal(err)
		}
	})
}
