package installation

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// TestImportsPointOneWay holds the layers: functions, cmd → handlers →
// internal/pipeline → the rest; the engine knows nothing of ours; the verifier
// nothing of the engine; and what is for tests and the local run does not ship.
func TestImportsPointOneWay(t *testing.T) {
	const module = "fhirdeid/"
	deps := make(map[string]map[string]bool)
	cmd := exec.Command("go", "list", "-json=ImportPath,Deps", "fhirdeid/...")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(out); ; {
		var p struct {
			ImportPath string
			Deps       []string
		}
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		set := make(map[string]bool)
		for _, dep := range p.Deps {
			if name, ours := strings.CutPrefix(dep, module); ours {
				set[name] = true
			}
		}
		deps[strings.TrimPrefix(p.ImportPath, module)] = set
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	local := []string{"internal/funchost", "internal/fhirserver", "internal/synth", "internal/azurite", "internal/planted"}
	never := map[string][]string{
		"functions": local,
		// The command line tool generates patients too: with fhirdeid seed a user tries
		// an installation on a server that has none. The app does not.
		"cmd/fhirdeid":       {"internal/funchost", "internal/fhirserver", "internal/azurite"},
		"handlers":           append([]string{"functions", "cmd"}, local...),
		"internal/pipeline":  append([]string{"functions", "cmd", "handlers", "internal/settings", "internal/installation"}, local...),
		"internal/verify":    {"anonymize"},
		"internal/ledger":    {"internal/pipeline", "anonymize"},
		"internal/storage":   {"internal/ledger", "internal/pipeline", "anonymize"},
		"internal/bulkdata":  {"internal/storage", "internal/pipeline"},
		"internal/telemetry": {"internal/pipeline", "internal/settings", "anonymize"},
		"anonymize":          {"internal", "handlers", "cmd", "functions", "infra"},
		"anonymize/policy":   {"internal", "handlers", "cmd", "functions", "infra"},
	}
	for from, bad := range never {
		if deps[from] == nil {
			t.Errorf("there is no package %s", from)
		}
		for dep := range deps[from] {
			for _, b := range bad {
				if dep == b || strings.HasPrefix(dep, b+"/") {
					t.Errorf("%s imports %s", from, dep)
				}
			}
		}
	}
}
