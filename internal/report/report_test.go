package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sample() *Report {
	at := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	return &Report{
		Outcome: "Held: 2 lines could not be processed.", Run: "20261122T010000Z", State: "held",
		Reasons: []Reason{{"quarantine", "2 lines <could> not be processed."}},
		Started: at, Ended: at.Add(90 * time.Minute), AsOf: at, Server: "https://fhir.example.org", Level: "system", DataSet: "default", Engine: "v1",
		Policy: Policy{"safe-harbor", "0123456789abcdef", "safe-harbor"}, Verified: true,
		Totals:  Counts{Lines: 1234567, Written: 1234565, Quarantined: 2, BytesIn: 123456789, Expected: 1234567},
		Types:   []Type{{"Patient", Counts{Lines: 1234567, Written: 1234565, Quarantined: 2}}},
		Methods: []Count{{"redact", 10}, {"keep", 5}}, Quarantine: []Count{{"invalid-json", 2}},
		Findings: []Finding{{"hard", "text", "Patient.address.city", 3}},
		Files:    []File{{"Patient.ndjson", 5, 1000, "abcdef0123456789"}},
	}
}

func TestHTML(t *testing.T) {
	html, err := sample().HTML()
	if err != nil {
		t.Fatal(err)
	}
	text := string(html)
	for _, want := range []string{"Held: 2 lines", "Patient.address.city", "1\u202f234\u202f567", "123.5 MB", "&lt;could&gt;", "1h30m0s"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, never := range []string{"<script", "http://", "src=", "@import", "url("} {
		if strings.Contains(text, never) {
			t.Errorf("the page has %q: it must need nothing from elsewhere", never)
		}
	}
}

func TestJSON(t *testing.T) {
	data, err := sample().JSON()
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), &back); diff != "" {
		t.Error(diff)
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1\u202f000", 1234567: "1\u202f234\u202f567"} {
		if got := number(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
}
