package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"fhirdeid": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("FHIRDEID_KEY_PSEUDONYM_KEY", "a key of good length for tests")
			return nil
		},
	})
}

func TestExitCodes(t *testing.T) {
	if got := run([]string{"anonymize", "--nonsense"}); got != exitUsage {
		t.Errorf("an unknown flag exits with %d", got)
	}
}
