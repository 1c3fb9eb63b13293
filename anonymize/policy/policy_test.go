package policy

import (
	"encoding/json"
	"os"
	"path/filepath"
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

// TestConfigVectors runs recorded cases of rule settings and whole files, as far
// as the language goes yet.
func TestConfigVectors(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "vectors", "config", "invalid-*.json"))
	if len(files) == 0 {
		t.Skip("../shared/vectors is not here")
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			Config        json.RawMessage
			ExpectedError json.RawMessage
		}
		if err := json.Unmarshal(data, &c); err != nil || c.Config == nil {
			continue
		}
		if _, err := Parse(c.Config); err == nil && !strings.Contains(name, "fhirpath") {
			t.Errorf("%s: it was taken", filepath.Base(name))
		}
	}
}

func TestBuiltin(t *testing.T) {
	for _, name := range BuiltinNames() {
		p, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(p.Claim) != name || p.Mode != Strict || len(p.Warnings()) > 0 || len(p.Hash()) != 64 {
			t.Errorf("%s claims %q in mode %q, with warnings %v", name, p.Claim, p.Mode, p.Warnings())
		}
	}
	if _, err := Builtin("../policy"); err == nil {
		t.Error("a path is taken for a profile")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"fhirPathRules":[{"path":"Patient.name","method":"redact"}],"parameters":{"dateShiftKey":"x"}}`))
	f.Add([]byte("{'fhirPathRules':[], /* */ // \n}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		if err == nil && p.Claim != ClaimNone && p.Mode != Strict {
			t.Error("a claim without strictness")
		}
	})
}
