package anonymize

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fhirdeid/anonymize/policy"
)

// shared is the folder with recorded cases beside the project, or skips.
func shared(t testing.TB, path ...string) string {
	t.Helper()
	name := filepath.Join(append([]string{"..", "..", "shared"}, path...)...)
	if _, err := os.Stat(name); err != nil {
		t.Skipf("%s is not here", name)
	}
	return name
}

func gunzip(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// goldenDate is when the recordings were made.
var goldenDate = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func compileFile(t testing.TB, name string) *Engine {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Compile(p, Options{AsOf: goldenDate})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestGoldens compares with what Microsoft's tool has written, byte for byte.
func TestGoldens(t *testing.T) {
	for _, c := range []struct{ config, dataset string }{
		{"ms-r4-sample", "hl7-r4-examples"},
		{"ms-r4-sample", "synthea-r4"},
	} {
		t.Run(c.config+"/"+c.dataset, func(t *testing.T) {
			e := compileFile(t, shared(t, "goldens", "configs", c.config+".json"))
			rejected := rejects(t, c.config, c.dataset)
			files, _ := filepath.Glob(filepath.Join(shared(t, "goldens", c.config, c.dataset), "*.ndjson.gz"))
			for _, golden := range files {
				typ := strings.TrimSuffix(filepath.Base(golden), ".ndjson.gz")
				t.Run(typ, func(t *testing.T) {
					in := cut(gunzip(t, shared(t, "data", c.dataset, typ+".ndjson.gz")), c.dataset, rejected[typ])
					compare(t, e, in, gunzip(t, golden))
				})
			}
		})
	}
}

// cut takes the lines that the recordings were made of.
func cut(data []byte, dataset string, rejected map[int]bool) [][]byte {
	var lines [][]byte
	n, size := 0, 0
	for line := range bytes.Lines(data) {
		line = bytes.TrimSuffix(line, []byte{'\n'})
		if len(bytes.TrimSpace(line)) == 0 || len(line) > 60000 {
			continue
		}
		if dataset == "hl7-r4-examples" && (n >= 200 || size+len(line) > 600000) || dataset != "hl7-r4-examples" && n >= 300 {
			break
		}
		n++
		size += len(line)
		if !rejected[n] {
			lines = append(lines, line)
		}
	}
	return lines
}

func rejects(t *testing.T, config, dataset string) map[string]map[int]bool {
	data, err := os.ReadFile(shared(t, "goldens", "rejects.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Config, Dataset, Type string
		Line                  int
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]map[int]bool)
	for _, r := range list {
		if r.Config == config && r.Dataset == dataset {
			if found[r.Type] == nil {
				found[r.Type] = make(map[int]bool)
			}
			found[r.Type][r.Line] = true
		}
	}
	return found
}

func compare(t *testing.T, e *Engine, in [][]byte, golden []byte) {
	want := bytes.Split(bytes.TrimSuffix(golden, []byte{'\n'}), []byte{'\n'})
	if len(want) != len(in) {
		t.Fatalf("%d lines in, %d recorded", len(in), len(want))
	}
	wrong := 0
	for i, line := range in {
		got, err := e.Resource(nil, line)
		if err != nil {
			t.Errorf("line %d: %v", i+1, err)
			wrong++
		} else if !bytes.Equal(got, want[i]) {
			at := 0
			for at < len(got) && at < len(want[i]) && got[at] == want[i][at] {
				at++
			}
			t.Errorf("line %d differs at byte %d:\n got  …%.160s\n want …%.160s", i+1, at, got[max(0, at-40):], want[i][max(0, at-40):])
			wrong++
		}
		if wrong >= 3 {
			t.Fatal("and perhaps more")
		}
	}
}
