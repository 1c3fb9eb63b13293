package pipeline

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/ledger"
)

// nightOf lets the n-th night go by.
func (w *world) nightOf(t *testing.T, n int) *ledger.Run {
	t.Helper()
	at := time.Date(2026, 11, 21+n, 1, 0, 0, 0, time.UTC)
	w.night(at, 0)
	w.run(at.AddDate(0, 0, 1), func() bool {
		runs := w.runs()
		return len(runs) >= n && runs[len(runs)-1].State.Over()
	})
	runs := w.runs()
	if len(runs) != n {
		t.Fatalf("after %d nights there are %d runs", n, len(runs))
	}
	return runs[n-1]
}

func (w *world) latest(t *testing.T) (l Latest) {
	t.Helper()
	if err := json.Unmarshal(contents(t, w, "catalog")["latest.json"], &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestGenerations: a new key or policy begins a generation of its own, in a folder
// of its own, and the catalog says so; the same ones go on with the old.
func TestGenerations(t *testing.T) {
	w := calm(t, patients(3))
	putPolicy(t, w, pseudonymizing)
	first := w.nightOf(t, 1)
	second := w.nightOf(t, 2)
	wantState(t, first, ledger.Released, "")
	wantState(t, second, ledger.Released, "")
	if first.Generation == "" || first.Generation != second.Generation {
		t.Fatalf("the generations of two equal nights are %q and %q", first.Generation, second.Generation)
	}
	if l := w.latest(t); l.Run != second.ID || l.Generation != first.Generation || l.GenerationSince != first.ID || l.EarlierGeneration != "" {
		t.Errorf("the catalog says %+v", l)
	}

	w.rotated = "another"
	third := w.nightOf(t, 3)
	wantState(t, third, ledger.Released, "")
	if third.Generation == first.Generation || third.Keys[0].ID == first.Keys[0].ID {
		t.Fatal("another key is the same generation")
	}
	if l := w.latest(t); l.Run != third.ID || l.Generation != third.Generation || l.GenerationSince != third.ID || l.EarlierGeneration != first.Generation || l.Manifest != third.ID+"/manifest.json" {
		t.Errorf("the catalog says %+v", l)
	}
	if !third.Release.NewGeneration || second.Release.NewGeneration || len(third.Notes) == 0 || third.Notes[len(third.Notes)-1].Code != "new-generation" {
		t.Errorf("the run does not say that its generation is new: %+v %+v", third.Release, third.Notes)
	}

	putPolicy(t, w, pseudonymizing+" ")
	fourth := w.nightOf(t, 4)
	wantState(t, fourth, ledger.Released, "")

	// Each folder is of one generation, as its manifest says; the old ones stay.
	folders := make(map[string]string)
	for _, r := range []*ledger.Run{first, second, third, fourth} {
		for name, data := range contents(t, w, "research") {
			folder, file, _ := strings.Cut(name, "/")
			if folder != r.ID || file != "manifest.json" {
				continue
			}
			var m ReleaseManifest
			if err := json.Unmarshal(data, &m); err != nil {
				t.Fatal(err)
			}
			if m.Extension.Generation != r.Generation || m.Extension.Policy.Hash != r.Policy.Hash || len(m.Extension.Keys) != 1 || m.Extension.Keys[0].ID != r.Keys[0].ID {
				t.Errorf("the manifest of %s says %+v", r.ID, m.Extension)
			}
			folders[folder] = m.Extension.Generation
		}
	}
	if len(folders) != 4 || fourth.Generation == third.Generation {
		t.Errorf("the folders are %v", folders)
	}
	ids := make(map[string]string)
	for name, data := range contents(t, w, "research") {
		folder, file, _ := strings.Cut(name, "/")
		if file == "Patient.ndjson" {
			ids[folder] = string(data)
		}
	}
	if ids[first.ID] != ids[second.ID] || ids[first.ID] == ids[third.ID] {
		t.Error("ids join where they must not, or do not where they should")
	}
}

// pseudonymizing is a policy that needs a key.
const pseudonymizing = `{"fhirVersion":"R4","mode":"strict","fhirPathRules":[
	{"path":"Resource.id","method":"pseudonym"},
	{"path":"Patient.gender","method":"keep"},
	{"path":"Patient.birthDate","method":"year"}]}`

// TestGenerationName: whatever results must not be mixed with is in the name.
func TestGenerationName(t *testing.T) {
	run := func(change func(r *ledger.Run)) string {
		r := &ledger.Run{ID: "a", DataSet: "d", FHIRVersion: "R4", Policy: ledger.Policy{Hash: "h"}, Keys: []ledger.Key{{Purpose: "pseudonym", ID: "k"}}}
		change(r)
		return generation(r)
	}
	seen := map[string]string{run(func(*ledger.Run) {}): "the first"}
	for what, change := range map[string]func(r *ledger.Run){
		"data set":        func(r *ledger.Run) { r.DataSet = "e" },
		"version":         func(r *ledger.Run) { r.FHIRVersion = "R5" },
		"policy":          func(r *ledger.Run) { r.Policy.Hash = "i" },
		"key":             func(r *ledger.Run) { r.Keys[0].ID = "l" },
		"keys":            func(r *ledger.Run) { r.Keys = append(r.Keys, ledger.Key{Purpose: "date-shift", ID: "k"}) },
		"server's policy": func(r *ledger.Run) { r.Request.AnonymizationConfig = "deid.json" },
		"state of server's policy": func(r *ledger.Run) {
			r.Request.AnonymizationConfig, r.Request.AnonymizationConfigETag = "deid.json", "0x1"
		},
		"later state": func(r *ledger.Run) {
			r.Request.AnonymizationConfig, r.Request.AnonymizationConfigETag = "deid.json", "0x2"
		},
		"unseen state": func(r *ledger.Run) { r.ID, r.Request.AnonymizationConfig = "b", "deid.json" },
		"no keys":      func(r *ledger.Run) { r.Keys = nil },
	} {
		name := run(change)
		if other := seen[name]; other != "" {
			t.Errorf("another %s is the generation of %s", what, other)
		}
		seen[name] = what
	}
	pinned := func(etag string) func(r *ledger.Run) {
		return func(r *ledger.Run) {
			r.ID, r.Request.AnonymizationConfig, r.Request.AnonymizationConfigETag = etag, "deid.json", etag
		}
	}
	if run(pinned("0x1")) != run(pinned(`"0x1"`)) {
		t.Error("another run by the server's same configuration is another generation")
	}
	if run(func(r *ledger.Run) { r.ID, r.Engine = "b", "v2" }) != run(func(*ledger.Run) {}) {
		t.Error("another run is another generation")
	}
}

// TestLooseningsAreRecorded: what a policy loosens is in the run, and so in the
// release's manifest and the report, with the reason given.
func TestLooseningsAreRecorded(t *testing.T) {
	w := calm(t, patients(1))
	putPolicy(t, w, `{"extends":"pseudonymized","fhirPathRules":[{"path":"Patient.name.family","method":"keep","reason":"agreed with the board"}]}`)
	r := w.oneNightOf(t)
	if r.Policy.Extends != "pseudonymized" || len(r.Policy.Loosened) != 1 || r.Policy.Loosened[0] != (ledger.Loosening{Path: "Patient.name.family", Method: "keep", Reason: "agreed with the board"}) {
		t.Fatalf("the run is of %+v", r.Policy)
	}
	wantState(t, r, ledger.Released, "")
	var m ReleaseManifest
	if err := json.Unmarshal(contents(t, w, "research")[r.ID+"/manifest.json"], &m); err != nil || len(m.Extension.Policy.Loosened) != 1 || m.Extension.FHIRVersion == "" || m.Extension.AsOf.IsZero() || m.Extension.Engine == "" {
		t.Errorf("the manifest says %+v, %v", m.Extension, err)
	}
	if told := Report(r); len(told.Policy.Loosened) != 1 || told.Policy.Loosened[0].Reason != "agreed with the board" {
		t.Errorf("the report says %+v", told.Policy)
	}
}
