package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fhirServer takes transactions and counts what comes.
func fhirServer(t *testing.T, total string) (base string, loaded map[string]int) {
	t.Helper()
	loaded = make(map[string]int)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, total)
			return
		}
		var b struct {
			Entry []struct{ Resource struct{ ResourceType string } }
		}
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
			t.Error(err)
		}
		for _, e := range b.Entry {
			loaded[e.Resource.ResourceType]++
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, loaded
}

func seedWith(t *testing.T, o seedOptions, paths ...string) (string, error) {
	t.Helper()
	for _, name := range []string{"FHIR_SERVER_URL", "FHIR_AUTH", "SMART_SCOPE"} {
		t.Setenv(name, "") // restored at the end
		os.Unsetenv(name)
	}
	if o.size == 0 {
		o.size = 50
	}
	var out bytes.Buffer
	err := runSeed(t.Context(), &out, &o, paths)
	return out.String(), err
}

func TestSeed(t *testing.T) {
	base, loaded := fhirServer(t, `{"total":0}`)
	out, err := seedWith(t, seedOptions{patients: 5, seed: 1, url: base})
	if err != nil || loaded["Patient"] != 5 || loaded["Organization"] == 0 || loaded["Group"] != 1 || !strings.Contains(out, "fhirdeid runs start") {
		t.Errorf("loaded are %v, %v; it says %q", loaded, err, out)
	}
}

func TestSeedFiles(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{"Observation.ndjson": `{"resourceType":"Observation","id":"o"}`, "Patient.1.ndjson": "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n\n", "notes.txt": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	base, loaded := fhirServer(t, `{"total":0}`)
	if _, err := seedWith(t, seedOptions{patients: 1, url: base}, dir); err != nil || loaded["Patient"] != 1 || loaded["Observation"] != 1 || len(loaded) != 2 {
		t.Errorf("loaded are %v, %v", loaded, err)
	}
	if _, err := seedWith(t, seedOptions{patients: 1, url: base}, t.TempDir()); err == nil || !strings.Contains(err.Error(), "no NDJSON files") {
		t.Errorf("an empty folder gives %v", err)
	}
}

// TestSeedSparesOthers: a server with patients is left alone, unless told twice.
func TestSeedSparesOthers(t *testing.T) {
	for _, total := range []string{`{"total":3}`, `{}`} {
		base, loaded := fhirServer(t, total)
		if _, err := seedWith(t, seedOptions{patients: 1, url: base}); err == nil || !strings.Contains(err.Error(), "--yes") || len(loaded) > 0 {
			t.Errorf("%s: loaded are %v, %v", total, loaded, err)
		}
		if _, err := seedWith(t, seedOptions{patients: 1, url: base, yes: true}); err != nil || loaded["Patient"] != 1 {
			t.Errorf("%s: loaded are %v, %v", total, loaded, err)
		}
	}
	if _, err := seedWith(t, seedOptions{patients: 1}); err == nil || !strings.Contains(err.Error(), "FHIR_SERVER_URL is not set") {
		t.Errorf("without a server: %v", err)
	}
}
