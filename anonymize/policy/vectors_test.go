package policy

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// vector is a recorded case of Microsoft's tool.
type vector struct {
	Name              string
	Kind              string
	Phase             string
	EngineFHIRVersion string
	Config, Rule      json.RawMessage
	ConfigText        string
	Input             json.RawMessage
	Expected          json.RawMessage
	ExpectedError     json.RawMessage
}

// vectors runs a test for each case in a folder.
func vectors(t *testing.T, folder string, run func(t *testing.T, v vector)) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "vectors", folder, "*.json"))
	if len(files) == 0 {
		t.Skip("../shared/vectors/" + folder + " is not here")
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".json"), func(t *testing.T) { run(t, v) })
	}
}

func (v *vector) config(t *testing.T) []byte {
	switch {
	case v.ConfigText != "":
		return []byte(v.ConfigText)
	case v.Config != nil:
		return v.Config
	case v.Rule != nil:
		return []byte(`{"fhirPathRules":[` + string(v.Rule) + `]}`)
	}
	t.Skip("no configuration")
	return nil
}

func isNull(m json.RawMessage) bool { return len(m) == 0 || string(m) == "null" }

// bothModes runs a case with and without CompatMicrosoft: the recorded files are
// read the same way in both.
func bothModes(t *testing.T, run func(t *testing.T, compat Compat)) {
	for _, compat := range []Compat{CompatMicrosoft, ""} {
		t.Run("compat="+string(compat), func(t *testing.T) { run(t, compat) })
	}
}

func TestConfigVectors(t *testing.T) {
	vectors(t, "config", func(t *testing.T, v vector) {
		bothModes(t, func(t *testing.T, compat Compat) {
			p, err := ParseWith(v.config(t), ParseOptions{Compat: compat, FHIRVersion: v.EngineFHIRVersion})
			if !isNull(v.ExpectedError) {
				if err == nil {
					t.Error("it was taken")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var want struct {
				Rules            *int
				ProcessingErrors string
				ResourceTypes    []string
			}
			if err := json.Unmarshal(v.Expected, &want); err != nil {
				t.Fatal(err)
			}
			if want.Rules != nil && len(p.Rules) != *want.Rules {
				t.Errorf("%d rules, want %d", len(p.Rules), *want.Rules)
			}
			if want.ProcessingErrors != "" && (want.ProcessingErrors == "skip") != p.SkipErrors {
				t.Errorf("processing errors are skipped: %v", p.SkipErrors)
			}
			for i, prefix := range want.ResourceTypes {
				if p.Rules[i].Prefix != prefix {
					t.Errorf("rule %d is for %q, want %q", i+1, p.Rules[i].Prefix, prefix)
				}
			}
		})
	})
}

func TestRuleSettingVectors(t *testing.T) {
	vectors(t, "ruleSettings", func(t *testing.T, v vector) {
		bothModes(t, func(t *testing.T, compat Compat) {
			p, err := ParseWith(v.config(t), ParseOptions{Compat: compat})
			if !isNull(v.ExpectedError) {
				if err == nil {
					t.Error("it was taken")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			compareSettings(t, &p.Rules[0], v.Expected)
		})
	})
}

func compareSettings(t *testing.T, r *Rule, expected json.RawMessage) {
	var want map[string]any
	d := json.NewDecoder(bytes.NewReader(expected))
	d.UseNumber()
	if err := d.Decode(&want); err != nil {
		t.Fatal(err)
	}
	for key, value := range want {
		var got any
		switch key {
		case "span":
			got = json.Number(strconv.FormatFloat(r.Perturb.Span, 'f', -1, 64))
		case "roundTo":
			got = json.Number(strconv.Itoa(r.Perturb.RoundTo))
		case "rangeType":
			got = map[bool]any{false: "fixed", true: "proportional"}[r.Perturb.Proportional]
		case "otherValues":
			got = map[bool]any{false: "redact", true: "keep"}[r.Generalize.KeepOthers]
		case "replaceWith":
			if !r.ReplaceWith.Null {
				got = r.ReplaceWith.Text
			}
		case "cases":
			cases := value.(map[string]any)
			for _, c := range r.Generalize.Cases {
				if cases[c.ConditionText] != c.TargetText {
					t.Errorf("the case %q has %q, want %v", c.ConditionText, c.TargetText, cases[c.ConditionText])
				}
			}
			if len(cases) != len(r.Generalize.Cases) {
				t.Errorf("%d cases, want %d", len(r.Generalize.Cases), len(cases))
			}
			continue
		default:
			t.Fatalf("the case has the unknown setting %q", key)
		}
		if got != value {
			t.Errorf("%s is %v, want %v", key, got, value)
		}
	}
}

func TestPathVectors(t *testing.T) {
	vectors(t, "pathParse", func(t *testing.T, v vector) {
		var path string
		if err := json.Unmarshal(v.Input, &path); err != nil {
			t.Fatal(err)
		}
		var rule struct{ Lookup string }
		if err := json.Unmarshal(v.Rule, &rule); err != nil {
			t.Fatal(err)
		}
		var want struct{ Key, Expression, ResourceType string }
		if err := json.Unmarshal(v.Expected, &want); err != nil {
			t.Fatal(err)
		}
		if rule.Lookup == "" {
			if prefix, expression := splitPath(path); prefix != want.ResourceType || expression != want.Expression {
				t.Errorf("split into %q and %q", prefix, expression)
			}
			return
		}
		by, of, suffix := splitIndex(path)
		if by != "" && !strings.EqualFold("nodesBy"+by, rule.Lookup) || of != want.Key || suffix != want.Expression {
			t.Errorf("a look-up by %q of %q and then %q", by, of, suffix)
		}
	})
}

// TestAllVectorConfigs: every file that Microsoft's tool loads in a recorded case
// is loaded, and what it refuses at load is refused.
func TestAllVectorConfigs(t *testing.T) {
	for _, folder := range []string{"derived", "functional", "engine"} {
		t.Run(folder, func(t *testing.T) {
			vectors(t, folder, func(t *testing.T, v vector) {
				if v.Config == nil && v.ConfigText == "" {
					t.Skip("no configuration")
				}
				p, err := ParseWith(v.config(t), ParseOptions{Compat: CompatMicrosoft, CustomMethods: []string{"mask"}})
				if err != nil {
					t.Fatal(err)
				}
				// What differs without compatibility: methods that do not exist.
				_, err = ParseWith(v.config(t), ParseOptions{CustomMethods: []string{"mask"}})
				unknown := false
				for _, r := range p.Rules {
					unknown = unknown || r.Unknown
				}
				if (err != nil) != unknown {
					t.Errorf("without compatibility: %v", err)
				}
			})
		})
	}
}
