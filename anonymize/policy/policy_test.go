package policy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"a plain file":           {`{"fhirVersion":"R4","fhirPathRules":[{"path":"Patient.name","method":"REDACT"}]}`, ""},
		"lenient":                {"\ufeff{ // comment\n'fhirPathRules': [ /* none */ ], \"parameters\": {\"dateShiftScope\":\"File\",},}", ""},
		"no rules":               {`{}`, "fhirPathRules"},
		"no object":              {`[]`, "object"},
		"not closed":             {`{"fhirPathRules":[`, "missing"},
		"twice":                  {`{"fhirPathRules":[],"fhirPathRules":[]}`, "twice"},
		"rule without method":    {"{\n\"fhirPathRules\":[\n{\"path\":\"Patient\"}]}", "line 3, rule 1"},
		"upper-case rule keys":   {`{"fhirPathRules":[{"Path":"Patient","Method":"keep"}]}`, "lower case"},
		"unknown method":         {`{"fhirPathRules":[{"path":"Patient","method":"zap"}]}`, `"zap"`},
		"strict method":          {`{"fhirPathRules":[{"path":"Patient","method":"year"}]}`, "unknown"},
		"version":                {`{"fhirVersion":"R9","fhirPathRules":[]}`, "R4B"},
		"substitute without":     {`{"fhirPathRules":[{"path":"Patient","method":"substitute"}]}`, "replaceWith"},
		"substitute by null":     {`{"fhirPathRules":[{"path":"Patient.name.family","method":"substitute","replaceWith":null}]}`, ""},
		"perturb without span":   {`{"fhirPathRules":[{"path":"Patient","method":"perturb"}]}`, "span"},
		"perturb below nothing":  {`{"fhirPathRules":[{"path":"Patient","method":"perturb","span":"-1"}]}`, "negative"},
		"perturb to 29 decimals": {`{"fhirPathRules":[{"path":"Patient","method":"perturb","span":1,"roundTo":29}]}`, "28"},
		"perturb range":          {`{"fhirPathRules":[{"path":"Patient","method":"perturb","span":1,"rangeType":"x"}]}`, "proportional"},
		"encrypt key":            {`{"fhirPathRules":[],"parameters":{"encryptKey":"short"}}`, "16, 24 or 32"},
		"scope":                  {`{"fhirPathRules":[],"parameters":{"dateShiftScope":"planet"}}`, "folder"},
		"processing errors":      {`{"fhirPathRules":[],"processingErrors":"keep"}`, "raise"},
		"claim on a plain file":  {`{"claim":"safe-harbor","fhirPathRules":[]}`, "strict"},
		"unknown claim":          {`{"claim":"gdpr","mode":"strict","fhirPathRules":[]}`, "limited-data-set"},
		"rule key in wrong case": {`{"fhirPathRules":[{"path":"Patient","Method":"keep"}]}`, "case-sensitive"},
		"path without functions": {`{"fhirPathRules":[{"path":"Patient.name.wher(use='x')","method":"keep"}]}`, "did you mean where()"},
		"path cut in the middle": {`{"fhirPathRules":[{"path":"Patient | Group","method":"keep"}]}`, "cannot be used"},
		"a number as method":     {`{"fhirPathRules":[{"path":"Patient","method":1}]}`, "unknown"},
		"nearest method":         {`{"fhirPathRules":[{"path":"Patient","method":"redakt"}]}`, `did you mean "redact"?`},
		"rules are no list":      {`{"fhirPathRules":{}}`, "array"},
		"a rule is null":         {`{"fhirPathRules":[null]}`, "line 1, rule 1"},
		"twice in a rule":        {`{"fhirPathRules":[{"path":"Patient","method":"keep","path":"Group"}]}`, "twice"},
		"twice but for case":     {`{"fhirPathRules":[],"FhirPathRules":[]}`, "case"},
		"octal":                  {`{"fhirPathRules":[{"path":"a","method":"perturb","span":010}]}`, "leading zero"},
		"errors as a number":     {`{"fhirPathRules":[],"processingErrors":1}`, ""},
		"errors as null":         {`{"fhirPathRules":[],"processingErrors":null}`, "raise"},
		"scope as a number":      {`{"fhirPathRules":[],"parameters":{"DATESHIFTSCOPE":2}}`, ""},
		"booleans as texts":      {`{"fhirPathRules":[],"parameters":{"enablePartialAgesForRedact":"True"}}`, ""},
		"a boolean as null":      {`{"fhirPathRules":[],"parameters":{"enablePartialAgesForRedact":null}}`, "true or false"},
		"offset as a text":       {`{"fhirPathRules":[],"parameters":{"dateShiftFixedOffsetInDays":"7"}}`, ""},
		"offset as a fraction":   {`{"fhirPathRules":[],"parameters":{"dateShiftFixedOffsetInDays":7.5}}`, "whole"},
		"codes are no list":      {`{"fhirPathRules":[],"parameters":{"restrictedZipCodeTabulationAreas":"036"}}`, "list"},
		"span with a separator":  {`{"fhirPathRules":[{"path":"a","method":"perturb","span":"1,000.5"}]}`, ""},
		"span beyond numbers":    {`{"fhirPathRules":[{"path":"a","method":"perturb","span":"Infinity"}]}`, "negative"},
		"cases as null":          {`{"fhirPathRules":[{"path":"a","method":"generalize","cases":null}]}`, "object"},
		"no cases":               {`{"fhirPathRules":[{"path":"a","method":"generalize","cases":{}}]}`, ""},
		"a number as a case":     {`{"fhirPathRules":[{"path":"a","method":"generalize","cases":{"$this > 5":5}}]}`, ""},
		"a word as a case":       {`{"fhirPathRules":[{"path":"a","method":"generalize","cases":{"true":"one two"}}]}`, "single quotes"},
		"unknown rule key":       {`{"mode":"strict","fhirPathRules":[{"path":"a","method":"keep","because":"x"}]}`, `"because"`},
		"unknown parameter":      {`{"mode":"strict","fhirPathRules":[],"parameters":{"dateShiftkeys":""}}`, `did you mean "dateShiftKey"`},
		"UTF-16":                 {"\xff\xfe{\x00\"\x00f\x00h\x00i\x00r\x00P\x00a\x00t\x00h\x00R\x00u\x00l\x00e\x00s\x00\"\x00:\x00[\x00]\x00}\x00", ""},
		"unknown in strict":      {`{"mode":"strict","fhirPathRules":[],"x":1}`, `"x"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

// TestReplacements: what .NET makes of a setting.
func TestReplacements(t *testing.T) {
	for in, want := range map[string]struct{ exact, text, object string }{
		`null`:                        {"", "", ""},
		`"abc"`:                       {"abc", "abc", ""},
		`false`:                       {"False", "False", ""},
		`1`:                           {"1", "1", ""},
		`1.50`:                        {"1.5", "1.5", ""},
		`1.0`:                         {"1", "1", ""},
		`1e20`:                        {"1E+20", "1E+20", ""},
		`0.00001`:                     {"1E-05", "1E-05", ""},
		`0.0001`:                      {"0.0001", "0.0001", ""},
		`123456789012345678901`:       {"123456789012345678901", "123456789012345678901", ""},
		`"2000-01-01"`:                {"2000-01-01", "2000-01-01", ""},
		`"2000-01-01T00:00:00Z"`:      {"01/01/2000 00:00:00", "2000-01-01T00:00:00Z", ""},
		`"2000-01-01T00:00:00+02:00"`: {"12/31/1999 22:00:00", "2000-01-01T00:00:00+02:00", ""},
		`"2000-13-01T00:00:00Z"`:      {"2000-13-01T00:00:00Z", "2000-13-01T00:00:00Z", ""},
		`{}`:                          {"{}", "{}", "{}"},
		`{"a":[1.0,"\u00e9\ud83d\ude00"],"b":[]}`: {"{\n  \"a\": [\n    1.0,\n    \"é😀\"\n  ],\n  \"b\": []\n}", "{\n  \"a\": [\n    1.0,\n    \"é😀\"\n  ],\n  \"b\": []\n}", `{"a":[1.0,"é😀"],"b":[]}`},
		`"{'city':'abc',}"`:                       {"{'city':'abc',}", "{'city':'abc',}", `{"city":"abc"}`},
		`"[1]"`:                                   {"[1]", "[1]", ""},
		`{"s":"2000-01-01T00:00:00.500+02:00"}`:   {"{\n  \"s\": \"1999-12-31T22:00:00.5+00:00\"\n}", "{\n  \"s\": \"2000-01-01T00:00:00.500+02:00\"\n}", `{"s":"2000-01-01T00:00:00.500+02:00"}`},
	} {
		t.Run(in, func(t *testing.T) {
			config := []byte(`{"fhirPathRules":[{"path":"a","method":"substitute","replaceWith":` + in + `}]}`)
			exact, err := ParseWith(config, ParseOptions{Compat: CompatMicrosoft})
			if err != nil {
				t.Fatal(err)
			}
			plain, err := Parse(config)
			if err != nil {
				t.Fatal(err)
			}
			if got := exact.Rules[0].ReplaceWith; got.Text != want.exact || got.Null != (in == "null") {
				t.Errorf("as Microsoft's tool: %q, want %q", got.Text, want.exact)
			}
			if got := plain.Rules[0].ReplaceWith; got.Text != want.text || string(got.Object) != want.object {
				t.Errorf("%q and %s, want %q and %s", got.Text, got.Object, want.text, want.object)
			}
		})
	}
}

func TestMethods(t *testing.T) {
	config := []byte(`{"fhirPathRules":[{"path":"Patient.name","method":"MASK","n":1.50},{"path":"Patient","method":"Redakt"}],"parameters":{"customSettings":{'length':3}}}`)
	p, err := ParseWith(config, ParseOptions{Compat: CompatMicrosoft, CustomMethods: []string{"mask"}})
	if err != nil {
		t.Fatal(err)
	}
	if r := p.Rules[0]; r.Custom != "mask" || string(r.Settings) != `{"path":"Patient.name","method":"MASK","n":1.50}` || string(p.CustomSettings) != `{"length":3}` {
		t.Errorf("%q with %s and %s", r.Custom, r.Settings, p.CustomSettings)
	}
	if r := p.Rules[1]; !r.Unknown || !r.Applies("Patient") || r.Applies("Group") || !strings.Contains(p.Warnings()[1], `"redact"`) {
		t.Errorf("the unknown method is %+v, with warnings %q", r, p.Warnings())
	}
	if _, err := ParseWith(config, ParseOptions{CustomMethods: []string{"Keep"}}); err == nil {
		t.Error("a custom method may hide a built-in one")
	}
	if _, err := ParseWith([]byte(`{"mode":"strict","fhirPathRules":[]}`), ParseOptions{Compat: CompatMicrosoft}); err == nil {
		t.Error("a strict policy is read as Microsoft's tool reads files")
	}
}

// TestPaths: how a path is taken apart.
func TestPaths(t *testing.T) {
	for path, want := range map[string]Rule{
		"Patient":                           {Prefix: "Patient", Self: true},
		"Patient.name":                      {Prefix: "Patient"},
		" Patient.name ":                    {Prefix: "Patient"},
		"Resource.nodesByType('HumanName')": {Prefix: "Resource"},
		"nodesByType('HumanName').use":      {IndexBy: "type", IndexOf: "HumanName", IndexSuffix: "use"},
		`nodesByName("given")`:              {IndexBy: "name", IndexOf: "given"},
		"(Patient.name | Patient.contact)":  {},
	} {
		p, err := Parse([]byte(`{"fhirPathRules":[{"path":` + strconv.Quote(path) + `,"method":"keep"}]}`))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		r := p.Rules[0]
		if r.Prefix != want.Prefix || r.Self != want.Self || r.IndexBy != want.IndexBy || r.IndexOf != want.IndexOf || r.IndexSuffix != want.IndexSuffix {
			t.Errorf("%s: %+v", path, r)
		}
	}
}

// TestMicrosoftSamples: the files that users have are read.
func TestMicrosoftSamples(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "microsoft-sample-configs", "*", "*.json"))
	if len(files) == 0 {
		t.Skip("../shared/microsoft-sample-configs is not here")
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := Parse(data); err != nil || len(p.Rules) < 150 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBuiltin(t *testing.T) {
	claims := map[string]Claim{"safe-harbor": ClaimSafeHarbor, "limited-data-set": ClaimLimitedDataSet, "pseudonymized": ClaimNone}
	for _, name := range BuiltinNames() {
		p, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Claim != claims[name] || p.Mode != Strict || len(p.Warnings()) > 0 || len(p.Hash()) != 64 {
			t.Errorf("%s claims %q in mode %q, with warnings %v", name, p.Claim, p.Mode, p.Warnings())
		}
	}
	if _, err := Builtin("../policy"); err == nil {
		t.Error("a path is taken for a profile")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"fhirPathRules":[{"path":"a.b as Age","method":"generalize","cases":"{'$this > 1':1.50}","otherValues":"keep"}]}`))
	f.Add([]byte(`{"fhirPathRules":[{"path":"nodesByName('x').y","method":"substitute","replaceWith":{"a":["2000-01-01T24:00:00+02:00",{}]}}]}`))
	f.Add([]byte(`{"fhirPathRules":[{"path":"Patient.name","method":"redact"}],"parameters":{"dateShiftKey":"x"}}`))
	f.Add([]byte("{'fhirPathRules':[], /* */ // \n}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, compat := range []Compat{"", CompatMicrosoft} {
			p, err := ParseWith(data, ParseOptions{Compat: compat, CustomMethods: []string{"mask"}})
			if err != nil {
				continue
			}
			for _, r := range p.Rules {
				if r.Expression == nil || r.Settings != nil && !json.Valid(r.Settings) || r.ReplaceWith != nil && r.ReplaceWith.Object != nil && !json.Valid(r.ReplaceWith.Object) {
					t.Errorf("rule %d is half a rule", r.Number)
				}
			}
		}
		p, err := Parse(data)
		if err == nil && p.Claim != ClaimNone && p.Mode != Strict {
			t.Error("a claim without strictness")
		}
	})
}
