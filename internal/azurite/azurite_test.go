package azurite

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestMissingProgramIsNamed: with what there is on the PATH, Look names the one
// that is not.
func TestMissingProgramIsNamed(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("FHIRDEID_CACHE", t.TempDir()) // nothing is installed
	for _, program := range []string{"node", "npm"} {
		var missing *MissingError
		if err := Look(); !errors.As(err, &missing) || missing.Program != program {
			t.Errorf("got %v, want that %s is missing", err, program)
		}
		if err := os.WriteFile(filepath.Join(bin, program), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := Look(); err != nil {
		t.Errorf("with both there: %v", err)
	}
}

func TestStartAndStop(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Azurite")
	}
	s, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Get(s.BlobURL() + "?comp=list")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	s.Stop()
	s.Stop()
	if _, err := http.Get(s.BlobURL()); err == nil {
		t.Error("Azurite still answers after Stop")
	}
}
