package lint

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
)

// resources are some lines of ../shared/data.
func resources(t *testing.T) [][]byte {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "synthea-r4", "*.ndjson.gz"))
	if len(files) == 0 {
		t.Skip("../shared/data/synthea-r4 is not here")
	}
	var lines [][]byte
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		s := bufio.NewScanner(z)
		s.Buffer(nil, 16<<20)
		for n := 0; n < 4 && s.Scan(); n++ {
			lines = append(lines, bytes.Clone(s.Bytes()))
		}
	}
	return lines
}

// pool are paths of all kinds, some of which take others' elements.
var pool = []string{
	"Resource", "Patient", "Patient.name", "Patient.name.family", "Patient.name.where(use = 'maiden')", "nodesByType('HumanName')",
	"nodesByType('HumanName').given", "nodesByName('family')", "Patient.nodesByName('use')", "Patient.name.given[0]", "Resource.id",
	"nodesByType('Extension')", "nodesByType('Extension').value", "Patient.extension.value", "Patient.extension.extension.value", "Patient.extension.where(url.contains('race'))",
	"nodesByType('Coding')", "nodesByType('Coding').code", "nodesByType('CodeableConcept').text", "Observation.code.coding.display", "Observation.value",
	"Observation.value as Quantity", "(Observation.value as Quantity).value", "nodesByType('Quantity')", "nodesByType('decimal')", "Observation.component.value",
	"nodesByType('Reference').reference", "Encounter.participant.individual", "Claim.item.encounter.reference", "nodesByType('dateTime')", "nodesByType('Period')",
	"nodesByType('Period').start", "Encounter.period", "Encounter.period.end", "Resource.meta", "Resource.text", "nodesByType('Narrative')", "nodesByType('xhtml')",
	"nodesByType('Identifier')", "nodesByType('Identifier').value", "Patient.identifier.where(type.exists()).value", "Patient.address", "nodesByType('Address').city",
	"Resource.descendants().where($this is code)", "Patient.identifier.type.coding.code", "Condition.subject | Condition.encounter", "Claim.diagnosis.diagnosis",
	"ExplanationOfBenefit.contained", "nodesByName('contained')", "ExplanationOfBenefit.contained.subject", "Organization.name", "nodesByName('name')", "nodesByType('string')",
	"DomainResource.identifier", "Patient.telecom.nodesByType('Period')", "Immunization.occurrence as dateTime", "Immunization.occurrence",
}

// TestIdleRules: a rule that is said to do nothing can be taken out, and no output
// changes.
func TestIdleRules(t *testing.T) {
	lines := resources(t)
	random := rand.New(rand.NewPCG(1, 2))
	methods := []string{"keep", "redact", "cryptoHash", "substitute"}
	idle, files := 0, 6
	if testing.Short() {
		files = 1
	}
	for range files {
		var rules []map[string]any
		for _, i := range random.Perm(len(pool))[:8+random.IntN(12)] {
			rule := map[string]any{"path": pool[i], "method": methods[random.IntN(3)]}
			if i%7 == 0 {
				rule["method"], rule["replaceWith"] = methods[3], nil
			}
			rules = append(rules, rule)
		}
		r, err := Check(ruleFile(t, rules), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var rest []map[string]any
		for i, rule := range rules {
			if slices.ContainsFunc(r.Problems, func(p Problem) bool {
				return p.Rule == i+1 && slices.Contains([]string{"shadowed", "dead-path", "unknown-type", "data-type-prefix"}, p.Code)
			}) {
				idle++
				continue
			}
			rest = append(rest, rule)
		}
		with, without := engineOf(t, ruleFile(t, rules)), engineOf(t, ruleFile(t, rest))
		for _, line := range lines {
			a, errA := with.Resource(nil, line)
			b, errB := without.Resource(nil, line)
			if (errA == nil) != (errB == nil) || !bytes.Equal(a, b) {
				t.Fatalf("an idle rule does something (%v, %v)\nwith    %s\nwithout %s\n%s\n%s\n%s", errA, errB, ruleFile(t, rules), ruleFile(t, rest), line, a, b)
			}
		}
	}
	t.Logf("%d rules were idle", idle)
}

func ruleFile(t *testing.T, rules []map[string]any) []byte {
	data, err := json.Marshal(map[string]any{"fhirVersion": "R4", "fhirPathRules": append([]map[string]any{}, rules...), "parameters": map[string]any{"cryptoHashKey": "0123456789abcdef"}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func engineOf(t *testing.T, data []byte) *anonymize.Engine {
	p, err := policy.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Engine(p, "R4", time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var places = regexp.MustCompile(`\[\d+\]`)

// TestCoverageAgrees: the values of resources that no rule decides are listed, and
// no others.
func TestCoverageAgrees(t *testing.T) {
	lines := resources(t)
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "microsoft-sample-configs", "R4.CommandLineTool", "configuration-sample.json"))
	if err != nil {
		t.Skip("the sample is not here:", err)
	}
	r, err := Check(data, Options{})
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]bool)
	for _, g := range r.Coverage.Groups {
		for _, list := range g.Resources {
			for _, p := range list.Paths {
				listed[p.Path] = true
			}
		}
	}
	e := engineOf(t, data)
	values := 0
	for _, line := range lines {
		all, err := e.ExplainResource(line)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			path := places.ReplaceAllString(x.Path, "")
			if bytes.Contains([]byte(path), []byte("contained.")) || bytes.Contains([]byte(path), []byte("xtension")) {
				continue // nested resources and extensions are listed otherwise
			}
			if values++; listed[path] != (x.Rule == 0) {
				t.Errorf("%s: rule %d decides, listed as unreached: %v", path, x.Rule, listed[path])
			}
		}
	}
	t.Logf("%d values", values)
}
