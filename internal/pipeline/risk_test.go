package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/report"
)

const riskPolicy = `{"fhirVersion":"R4","mode":"strict",
	"risk":{"quasiIdentifiers":["birthYear","sex"],"k":5,"minimumCell":%d},
	"fhirPathRules":[
	{"path":"Resource.id","method":"pseudonym"},
	{"path":"Patient.gender","method":"keep"},
	{"path":"Patient.birthDate","method":"year"}]}`

// cellPatients are patients of three cells, in two outputs: 40 women and 6 men of
// 1950, and one man of 1960. One woman is in both, and one twice in the first.
func cellPatients() []simOutput {
	var outputs [2]bytes.Buffer
	var counts [2]int64
	add := func(output, id int, sex, born string) {
		fmt.Fprintf(&outputs[output], `{"resourceType":"Patient","id":"p%d","name":[{"family":"Blumenthal"}],"gender":"%s","birthDate":"%s"}`+"\n", id, sex, born)
		counts[output]++
	}
	for i := range 40 {
		add(i%2, i, "female", fmt.Sprintf("1950-01-%02d", 1+i%28))
	}
	add(0, 0, "female", "1950-01-01")
	add(1, 0, "female", "1950-01-01")
	for i := range 6 {
		add(i%2, 100+i, "male", "1950-07-07")
	}
	add(1, 200, "male", "1960-07-07")
	return []simOutput{{typ: "Patient", data: outputs[0].Bytes(), count: counts[0]}, {typ: "Patient", data: outputs[1].Bytes(), count: counts[1]}}
}

// TestRiskIsCountedOverTheRun: cells go across files, and whoever is sent twice is
// counted once. The report has sizes and nothing of the small cells.
func TestRiskIsCountedOverTheRun(t *testing.T) {
	w := calm(t, cellPatients()...)
	w.plan.Settings.FileBytes = 1000 // many files
	putPolicy(t, w, fmt.Sprintf(riskPolicy, 1))
	r := w.oneNightOf(t)
	wantState(t, r, ledger.Released, "")
	s := r.Totals.Risk
	if s == nil || s.Patients != 47 || s.Cells != 3 || s.Smallest != 1 || s.K != 5 || s.CellsBelowK != 1 || s.PatientsBelowK != 1 || r.Totals.Files < 4 {
		t.Fatalf("the summary is %+v of %d files", s, r.Totals.Files)
	}
	all := contents(t, w, "ledger")
	for name := range all {
		if strings.HasPrefix(name, ledger.RowsPrefix(r.ID)) {
			t.Errorf("%s is left", name)
		}
	}
	var small ledger.SmallCells
	if err := json.Unmarshal(all[ledger.SmallCellsName(r.ID)], &small); err != nil || small.Count != 1 || len(small.Cells) != 1 || strings.Join(small.Cells[0].Values, " ") != "1960 male" {
		t.Errorf("the small cells are %+v, %v", small, err)
	}
	for _, ext := range []string{"json", "html"} {
		if text := all[ledger.ReportName(r.ID, ext)]; len(text) == 0 || bytes.Contains(text, []byte("1960")) {
			t.Errorf("report.%s tells who is in a small cell", ext)
		}
	}
	told, err := report.Read(bytes.NewReader(all[ledger.ReportName(r.ID, "json")]))
	if err != nil || told.Risk == nil || told.Risk.Patients != 47 || strings.Join(told.Risk.QuasiIdentifiers, " ") != "birthYear sex" {
		t.Errorf("the report says %+v, %v", told.Risk, err)
	}
}

// TestMinimumCellHoldsARun: and a person may overrule it, with a reason.
func TestMinimumCellHoldsARun(t *testing.T) {
	w := calm(t, cellPatients()...)
	putPolicy(t, w, fmt.Sprintf(riskPolicy, 7))
	r := w.oneNightOf(t)
	wantState(t, r, ledger.Held, "small-cells")
	for _, says := range []string{"at least 7", "birthYear, sex", "smallest has 1", "2 of 3 combinations", "7 of 47 patients", "small-cells.json"} {
		if !strings.Contains(r.Reasons[0].Text, says) {
			t.Errorf("the reason does not say %q: %s", says, r.Reasons[0].Text)
		}
	}
	if r.Reasons[0].Hard || len(contents(t, w, "research")) > 0 {
		t.Error("it is released, or cannot be")
	}
	p := w.direct()
	if err := p.Order(t.Context(), r.ID, ledger.Order{Kind: ledger.OrderRelease, Reason: "agreed with the board"}); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if r = check(t, p, r.ID); r.State.Over() {
			break
		}
	}
	wantState(t, r, ledger.Released, "")
	if r.Totals.Risk.Smallest != 1 {
		t.Error("the risk is forgotten")
	}
}

// TestQuasiIdentifierThatThereIsNot is refused before anything is exported.
func TestQuasiIdentifierThatThereIsNot(t *testing.T) {
	w := calm(t, patients(1))
	putPolicy(t, w, `{"fhirVersion":"R4","fhirPathRules":[],"risk":{"quasiIdentifiers":["Patient.marital"]}}`)
	r := w.oneNightOf(t)
	wantState(t, r, ledger.Failed, codePolicyBad)
	if !strings.Contains(r.Reasons[0].Text, `no member "marital"`) {
		t.Error(r.Reasons[0].Text)
	}
}

// TestDropsAreReported by path, and by URL where that is public.
func TestDropsAreReported(t *testing.T) {
	line := `{"resourceType":"Patient","id":"p","extension":[{"url":"https://blumenthal.example/x","valueString":"x"},{"url":"http://hl7.org/fhir/StructureDefinition/patient-religion","valueString":"x"}],"name":[{"family":"Blumenthal"}],"maritalStatus":{"coding":[{"system":"https://blumenthal.example/y","code":"M"}]},"gender":"male"}` + "\n"
	w := calm(t, simOutput{typ: "Patient", data: []byte(line), count: 1})
	putPolicy(t, w, fmt.Sprintf(riskPolicy, 0))
	r := w.oneNightOf(t)
	wantState(t, r, ledger.Released, "")
	d := r.Totals.Drops
	if d.Paths["Patient.name.family"] != 1 || d.Paths["Patient.gender"] != 0 || d.Extensions["others"] != 1 || d.Extensions["http://hl7.org/fhir/StructureDefinition/patient-religion"] != 1 || d.CodeSystems["others"] != 1 {
		t.Errorf("dropped are %+v", d)
	}
	for name, data := range contents(t, w, "ledger") {
		if bytes.Contains(data, []byte("lumenthal")) {
			t.Errorf("%s has a value", name)
		}
	}
}

// TestDanglingReferencesAreCounted over all files of a run.
func TestDanglingReferencesAreCounted(t *testing.T) {
	var b bytes.Buffer
	for i := range 9 {
		fmt.Fprintf(&b, `{"resourceType":"Observation","id":"o%d","status":"final","code":{"text":"t"},"subject":{"reference":"Patient/p%d"},"encounter":{"reference":"Encounter/e%d"}}`+"\n", i, i, i)
	}
	w := calm(t, simOutput{typ: "Observation", data: b.Bytes(), count: 9}, patients(5))
	w.plan.Settings.FileBytes = 300
	putPolicy(t, w, `{"fhirVersion":"R4","fhirPathRules":[{"path":"Resource.id","method":"cryptoHash"},{"path":"nodesByType('Reference').reference","method":"cryptoHash"}]}`)
	r := w.oneNightOf(t)
	wantState(t, r, ledger.Released, "")
	l := r.Totals.Links
	if l == nil || l.References != 18 || l.Dangling != 13 || l.DanglingTypes["Patient"] != 4 || l.DanglingTypes["Encounter"] != 9 {
		t.Errorf("counted are %+v", l)
	}
}

// TestDetailsAreKept, short or long, in metadata or not.
func TestDetailsAreKept(t *testing.T) {
	for _, paths := range []int{0, 5, 100, 500} {
		d := ledger.Details{Methods: map[string]int64{"keep": 1}}
		d.Paths = make(map[string]int64)
		for i := range paths {
			d.Paths[fmt.Sprintf("Observation.component.element%d", i)] = int64(i * i)
		}
		text := packDetails(d)
		if len(text) > maxDetails {
			t.Fatalf("%d paths are %d bytes", paths, len(text))
		}
		if text == detailsElsewhere {
			if paths < 500 {
				t.Errorf("%d paths do not fit", paths)
			}
			continue
		}
		var back ledger.Details
		if err := unpackDetails(text, &back); err != nil || len(back.Paths) != paths || back.Methods["keep"] != 1 {
			t.Errorf("%d paths: %d, %v", paths, len(back.Paths), err)
		}
	}
	for _, text := range []string{"deflate:!", "deflate:AAAA", "x"} {
		if err := unpackDetails(text, new(ledger.Details)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
