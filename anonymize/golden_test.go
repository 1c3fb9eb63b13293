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
	sets, _ := filepath.Glob(filepath.Join(shared(t, "goldens"), "*", "*", "*.ndjson.gz"))
	for _, golden := range sets {
		typ := strings.TrimSuffix(filepath.Base(golden), ".ndjson.gz")
		dataset := filepath.Base(filepath.Dir(golden))
		config := filepath.Base(filepath.Dir(filepath.Dir(golden)))
		t.Run(config+"/"+dataset+"/"+typ, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(shared(t, "goldens", "configs", config+".json"))
			if err != nil {
				t.Fatal(err)
			}
			version := "R4"
			if strings.HasSuffix(dataset, "stu3") {
				version = "STU3"
			}
			e := compileCompat(t, data, version)
			in := cut(gunzip(t, shared(t, "data", dataset, typ+".ndjson.gz")), dataset, rejects(t, config, dataset)[typ])
			compare(t, e, in, gunzip(t, golden), Place{File: typ + ".ndjson", Folder: dataset})
		})
	}
}

// TestGoldensByDefault: the sample configuration gives the same without the
// compatibility that repeats Microsoft's faults.
func TestGoldensByDefault(t *testing.T) {
	e := compileFile(t, shared(t, "goldens", "configs", "ms-r4-sample.json"))
	files, _ := filepath.Glob(filepath.Join(shared(t, "goldens", "ms-r4-sample", "synthea-r4"), "*.ndjson.gz"))
	for _, golden := range files {
		typ := strings.TrimSuffix(filepath.Base(golden), ".ndjson.gz")
		t.Run(typ, func(t *testing.T) {
			in := cut(gunzip(t, shared(t, "data", "synthea-r4", typ+".ndjson.gz")), "synthea-r4", nil)
			compare(t, e, in, gunzip(t, golden), Place{})
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

func compare(t *testing.T, e *Engine, in [][]byte, golden []byte, place Place) {
	want := bytes.Split(bytes.TrimSuffix(golden, []byte{'\n'}), []byte{'\n'})
	if len(want) != len(in) {
		t.Fatalf("%d lines in, %d recorded", len(in), len(want))
	}
	wrong := 0
	for i, line := range in {
		got, err := e.ResourceIn(nil, line, place)
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
