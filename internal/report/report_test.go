package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"fhirdeid/internal/links"
	"fhirdeid/internal/risk"
)

var update = flag.Bool("update", false, "write the golden files anew")

var began = time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)

// released is a clean run under a claim.
func released() *Run {
	return &Run{
		ID: "20261122T010000Z", Scope: "5f0c1a", DataSet: "research", Outcome: Released,
		Policy: Policy{Name: "safe-harbor", Hash: strings.Repeat("0123456789abcdef", 4), Claim: "safe-harbor"},
		Engine: "v0.1.0", Keys: []Key{{Purpose: "pseudonym", Name: "pseudonym-key", Version: "3", ID: "k-7f3a9c"}},
		AsOf: began, Server: "https://fhir.example.org", Level: "system", TransactionTime: began.Add(4 * time.Second),
		Started: began, Ended: began.Add(9*time.Minute + 12*time.Second),
		Stages: []Stage{
			{Name: "exporting", Entered: began, Seconds: 301.25},
			{Name: "fetching", Entered: began.Add(301250 * time.Millisecond), Seconds: 240.5},
			{Name: "releasing", Entered: began.Add(541750 * time.Millisecond), Seconds: 10.25},
		},
		Totals: Counts{Outputs: 4, Files: 5, Expected: 75902, Counted: true, Lines: 75902, Written: 75890, Dropped: 12, BytesIn: 105_000_000, BytesOut: 61_234_567},
		Types: []Type{
			{"AuditEvent", Counts{Outputs: 1, Files: 1, Lines: 12, Dropped: 12, BytesIn: 20_000}},
			{"Observation", Counts{Outputs: 2, Files: 3, Lines: 75_640, Written: 75_640, BytesIn: 104_500_000, BytesOut: 61_000_000}},
			{"Patient", Counts{Outputs: 1, Files: 1, Lines: 250, Written: 250, BytesIn: 480_000, BytesOut: 234_567}},
		},
		FHIRVersion: "R4", Generation: "5b0c33f0a1d2",
		Timings: []Timing{
			{Name: "kick-off", Seconds: 1.5}, {Name: "export", Seconds: 299.75},
			{Name: "fetch", Seconds: 200, Bytes: 105_000_000, BytesPerSecond: 525_000},
			{Name: "de-identify", Seconds: 230.5, Bytes: 105_000_000, BytesPerSecond: 455_531},
			{Name: "work", Seconds: 3.2, Bytes: 105_000_000, BytesPerSecond: 32_812_500},
			{Name: "release", Seconds: 8, Bytes: 61_234_567, BytesPerSecond: 7_654_320}, {Name: "clean-up", Seconds: 2.25},
		},
		DroppedPaths:       map[string]int64{"Patient.name.family": 250, "Patient.name.given": 410, "Observation.code.coding.display": 75_640, "Observation.meta.lastUpdated": 75_640, "Observation.valueQuantity.unit": 60_112, "AuditEvent.agent.who.reference": 12},
		DroppedExtensions:  map[string]int64{"http://hl7.org/fhir/StructureDefinition/patient-birthPlace": 250, "others": 77},
		DroppedCodeSystems: map[string]int64{"others": 1_204, "none": 3, "http://hl7.org/fhir/sid/us-ssn": 1},
		Risk:               someRisk(0),
		Links:              &links.Summary{References: 152_034, Dangling: 1_210, DanglingTypes: map[string]int64{"Practitioner": 1_200, "Encounter": 10}, Contained: 12, ContainedDangling: 1, Other: 2},
		Methods:            map[string]int64{"keep": 812_345, "unlisted": 1_234_567, "year": 81_000, "pseudonym": 151_780},
		Files: []File{
			{"Observation.0001.ndjson", "Observation", 70_000, 60_000_000, strings.Repeat("ab", 32)},
			{"Observation.0002.ndjson", "Observation", 5_640, 1_000_000, strings.Repeat("cd", 32)},
			{"Patient.ndjson", "Patient", 250, 234_567, strings.Repeat("ef", 32)},
		},
	}
}

// someRisk is of 250 patients, with a minimum.
func someRisk(minimum int64) *Risk {
	r := &Risk{QuasiIdentifiers: []string{"birthYear", "sex", "zip3"}, Summary: risk.Summary{
		Patients: 250, Cells: 21, Smallest: 1, K: 11, CellsBelowK: 9, PatientsBelowK: 31, Minimum: minimum,
		Sizes: []risk.Sizes{{From: 1, To: 1, Cells: 2, Patients: 2}, {From: 2, To: 2, Cells: 1, Patients: 2}, {From: 3, To: 4, Cells: 3, Patients: 10}, {From: 5, To: 10, Cells: 3, Patients: 17},
			{From: 11, To: 20, Cells: 9, Patients: 131}, {From: 21, To: 50, Cells: 3, Patients: 88}, {From: 51}},
	}}
	if minimum > 0 {
		r.CellsBelowMinimum, r.PatientsBelowMinimum = 3, 4
	}
	return r
}

// unverified is a release that claims nothing.
func unverified() *Run {
	r := released()
	r.Policy = Policy{Name: "ms-r4-sample.json", Hash: r.Policy.Hash, Claim: ClaimNone}
	r.NewGeneration = true
	return r
}

// held waits for a person, who may not release it.
func held() *Run {
	r := released()
	r.Outcome, r.Files = Held, nil
	r.Policy.Extends, r.Policy.Name = "safe-harbor", "ours.json"
	r.Policy.Loosened = []Loosening{{Path: "nodesByType('Address').city", Method: "keep", Reason: "The city has 8 million people; agreed with the privacy board."}}
	r.Risk = someRisk(3)
	r.Totals.Written, r.Totals.Quarantined, r.Totals.Expected = 75_885, 5, 75_903
	r.Types[1].Written, r.Types[1].Quarantined = 75_635, 5
	r.Mismatched, r.QuarantineAllowed = 1, 2
	r.Reasons = []Reason{
		{Code: "findings", Text: "The verifier found 7 places, in 2 lines, where the result would break the claim. Tighten the policy.", Hard: true},
		{Code: "small-cells", Text: "The policy's risk.minimumCell asks for at least 3 patients for each combination."},
		{Code: "quarantine", Text: "3 lines could not be processed."},
	}
	r.Quarantine = map[string]int64{"leak": 2, "invalid-json": 2, "unknown-element": 1}
	r.Findings = []Finding{
		{"soft", "old-date", "Observation.effectiveDateTime", 40},
		{"hard", "text", "Observation.valueQuantity.unit", 2},
		{"hard", "input-value", "Observation.code.coding.code", 5},
	}
	r.ServerErrors, r.ErrorOutputs, r.DeletedOutputs = map[string]int64{"warning": 3}, 1, 2
	r.Notes = []Note{{At: began.Add(time.Minute), Code: "server-busy", Text: "The server asked for patience (503).", Times: 4}}
	return r
}

// failed never got anything.
func failed() *Run {
	r := released()
	return &Run{
		ID: r.ID, Outcome: Failed, Policy: r.Policy, Started: began, Ended: began.Add(time.Second),
		Reasons: []Reason{{Code: "access-denied", Text: "The server does not let this identity export: give it the role FHIR Data Exporter."}},
	}
}

func cancelled() *Run {
	r := failed()
	r.Outcome, r.Reasons = Cancelled, nil
	r.Orders = []Order{{Kind: "cancel", At: began, By: "ops", Reason: "maintenance"}}
	return r
}

var runs = map[string]func() *Run{"released": released, "unverified": unverified, "held": held, "failed": failed, "cancelled": cancelled}

func TestText(t *testing.T) {
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			golden(t, name+".txt", run().Text())
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("another text (go test -update writes it anew):\n%s", diff)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			data, err := run().JSON()
			if err != nil {
				t.Fatal(err)
			}
			back, err := Read(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(run().clean(), back); diff != "" {
				t.Error(diff)
			}
			again, err := back.JSON()
			if err != nil || !bytes.Equal(data, again) {
				t.Errorf("read and written again it is another text (%v)", err)
			}
		})
	}
}

// TestJSONFitsTheSchema holds reports against the published schema, with members
// that it does not name refused.
func TestJSONFitsTheSchema(t *testing.T) {
	var s any
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	closed(s)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", s); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			data, err := run().JSON()
			if err != nil {
				t.Fatal(err)
			}
			var doc any
			if err := json.Unmarshal(data, &doc); err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Error(err)
			}
			doc.(map[string]any)["patients"] = 1.0
			if schema.Validate(doc) == nil {
				t.Error("a member that there is not was taken")
			}
		})
	}
}

// closed forbids members that a schema does not name.
func closed(s any) {
	switch s := s.(type) {
	case map[string]any:
		if s["properties"] != nil && s["additionalProperties"] == nil {
			s["additionalProperties"] = false
		}
		for _, v := range s {
			closed(v)
		}
	case []any:
		for _, v := range s {
			closed(v)
		}
	}
}

// TestHistogram: bars stand side by side within the picture, and none is missing.
func TestHistogram(t *testing.T) {
	if newHistogram(nil) != nil || newHistogram(&Risk{}) != nil {
		t.Error("nothing has a picture")
	}
	r := someRisk(3)
	r.Sizes = append(r.Sizes, risk.Sizes{From: 101, To: 0, Cells: 1, Patients: 2_000_000})
	h := newHistogram(r)
	tones := ""
	right := 0
	for i, b := range h.Bars {
		if b.X < right || b.X+b.Width > h.Width || b.Y < histogramTop || b.Y+b.Height != h.Base {
			t.Errorf("bar %d is at %+v", i, b)
		}
		if (b.Height > 0) != (r.Sizes[i].Patients > 0) || len(b.Count) > 5 {
			t.Errorf("bar %d is %+v", i, b)
		}
		right = b.X + b.Width
		tones += b.Tone[:1]
	}
	if tones != "bbwwpppp" || h.Line == 0 {
		t.Errorf("the colours are %s, k is at %d", tones, h.Line)
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1.0k", 9949: "9.9k", 9950: "10k", 999_499: "999k", 999_500: "1.0M", 12_300_000: "12M"} {
		if got := compact(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for _, c := range []struct {
		part, whole int64
		want        string
	}{{0, 0, "0 %"}, {0, 9, "0.0 %"}, {1, 100_000, "less than 0.1 %"}, {99_999, 100_000, "more than 99.9 %"}, {1, 1, "100 %"}} {
		if got := percent(c.part, c.whole); got != c.want {
			t.Errorf("%d of %d is %q, want %q", c.part, c.whole, got, c.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no JSON":        `Jane Doe`,
		"another format": `{"format":"Jane Doe"}`,
		"an empty one":   `{}`,
		"another type":   `{"format":"fhirdeid-run-report/1","totals":{"lines":"Jane Doe"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(strings.NewReader(text))
			if err == nil || strings.Contains(err.Error(), "Jane") {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestPageNeedsNothing: one file, no script, nothing to fetch, no link.
func TestPageNeedsNothing(t *testing.T) {
	outside := regexp.MustCompile(`(?i)<script|<link|<img|<iframe|<object|<a[ >]|\bsrc=|\bhref=|@import|url\(|<form|\bon\w+=`)
	for name, run := range runs {
		t.Run(name, func(t *testing.T) {
			page, err := run().HTML()
			if err != nil {
				t.Fatal(err)
			}
			if found := outside.Find(page); found != nil {
				t.Errorf("the page has %q", found)
			}
			if !bytes.Contains(page, []byte("default-src 'none'")) || bytes.Contains(page, []byte("ZgotmplZ")) {
				t.Error("the page lacks its content security policy, or the template refused a value")
			}
			for _, s := range run().Sentences() {
				if !bytes.Contains(page, []byte(s[:20])) {
					t.Errorf("the page lacks %q", s)
				}
			}
		})
	}
}

// TestUnverifiedSaysSoFirst: in each form the first sentence of a release that
// nobody has verified says so.
func TestUnverifiedSaysSoFirst(t *testing.T) {
	for _, claim := range []string{ClaimNone, ""} {
		r := unverified()
		r.Policy.Claim = claim
		if first := r.Sentences()[0]; !strings.Contains(first, "not verified") {
			t.Errorf("the first sentence is %q", first)
		}
		first, _, _ := bytes.Cut(r.Text(), []byte("\n"))
		if !bytes.Contains(first, []byte("not verified")) {
			t.Errorf("the first line is %q", first)
		}
		page, err := r.HTML()
		if err != nil {
			t.Fatal(err)
		}
		paragraph := regexp.MustCompile(`<p class="first">([^<]*)`).FindSubmatch(page)
		if paragraph == nil || !bytes.Contains(paragraph[1], []byte("not verified")) {
			t.Error("the first paragraph does not say it")
		}
	}
	for _, s := range released().Sentences() {
		if strings.Contains(s, "not verified") {
			t.Errorf("a verified release says %q", s)
		}
	}
}

// TestHardReasonIsNotToBeOverruled: nobody is told to release what may not be.
func TestHardReasonIsNotToBeOverruled(t *testing.T) {
	r := held()
	if text := string(r.Text()); strings.Contains(text, "runs release") {
		t.Error("the summary offers a release that is refused")
	}
	r.Reasons = r.Reasons[1:]
	if text := string(r.Text()); !strings.Contains(text, "runs release") {
		t.Error("the summary does not offer the release")
	}
}

// TestNoValueGetsThrough: whatever stands where a code, a path, a name or an
// origin ought to be, and does not look like one, is in no form of the report.
func TestNoValueGetsThrough(t *testing.T) {
	const value = "Jane Doe, 555-0100"
	r := held()
	r.ID, r.Scope, r.DataSet, r.Engine, r.Level = value, value, value, value, value
	r.Outcome = value
	r.Policy = Policy{Name: value, Hash: value, Claim: value, Loosened: []Loosening{{Path: value + "!", Reason: "agreed"}}}
	r.Server = "https://jane:doe@fhir.example.org/tenant/Jane%20Doe?sig=secret"
	r.Keys = []Key{{value, value, value, value}}
	r.Stages = []Stage{{Name: value}}
	r.Types = []Type{{Name: value}}
	r.Methods, r.Quarantine, r.ServerErrors = map[string]int64{value: 1}, map[string]int64{value: 1}, map[string]int64{value: 1}
	r.FailedFiles = map[string]int{value: 1}
	r.FHIRVersion, r.Generation, r.NewGeneration, r.Policy.Extends = value, value, true, value
	r.DroppedPaths, r.DroppedExtensions, r.DroppedCodeSystems = map[string]int64{value: 1}, map[string]int64{value: 1}, map[string]int64{value: 1}
	r.Timings = []Timing{{Name: value}}
	r.Links = &links.Summary{DanglingTypes: map[string]int64{value: 1}}
	r.Risk.QuasiIdentifiers = []string{value}
	r.Policy.Loosened[0].Method = value
	r.Findings = []Finding{{value, value, value, 1}}
	r.Files = []File{{value, value, 1, 1, value}}
	r.Reasons, r.Notes, r.Orders = []Reason{{Code: value}}, []Note{{Code: value}}, []Order{{Kind: value}}
	data, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string][]byte{"JSON": data, "HTML": page, "text": r.Text()} {
		for _, never := range []string{"Jane", "jane", "doe", "555", "secret", "tenant"} {
			if bytes.Contains(text, []byte(never)) {
				t.Errorf("the %s has %q", form, never)
			}
		}
	}
	if r.Types[0].Name != value {
		t.Error("the caller's run was changed")
	}
}

// TestProseIsHarmless: a sentence cannot steer a terminal or a page.
func TestProseIsHarmless(t *testing.T) {
	r := failed()
	r.Reasons[0].Text = "<script>alert(1)</script>\x1b[2J\r\u202e\xff" + strings.Repeat("x", 3*maxProse)
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(page, []byte("<script>")) {
		t.Error("the page has a script")
	}
	for form, text := range map[string][]byte{"page": page, "text": r.Text()} {
		if bytes.ContainsAny(text, "\x1b\r\u202e") || len(text) > 30_000 {
			t.Errorf("the %s has %d bytes and perhaps control characters", form, len(text))
		}
	}
}

// TestLargeRun: a run of 100,000 outputs has a page that a browser can show.
func TestLargeRun(t *testing.T) {
	r := released()
	r.Files = make([]File, 100_000)
	page, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if len(page) > 500_000 || !bytes.Contains(page, []byte("99,500 more")) {
		t.Errorf("the page has %d bytes", len(page))
	}
	data, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Files []json.RawMessage }
	if err := json.Unmarshal(data, &all); err != nil || len(all.Files) != 100_000 {
		t.Errorf("report.json lists %d files (%v)", len(all.Files), err)
	}
}

func TestFormats(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		if got := number(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 105_000_000: "105.0 MB", 5e15: "5000.0 TB"} {
		if got := size(n); got != want {
			t.Errorf("%d bytes is %q", n, got)
		}
	}
	for in, want := range map[string]string{"": "", "https://h.example:8443/a/b?c": "https://h.example:8443", "h.example": unknown, "file:///etc": unknown, "https://u:p@h/": "https://h"} {
		if got := origin(in); got != want {
			t.Errorf("the origin of %q is %q", in, got)
		}
	}
}
