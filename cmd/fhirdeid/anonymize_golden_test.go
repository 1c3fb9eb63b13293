package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestGoldenScopes holds date shifts by file and folder against what Microsoft's
// tool has made of the same files, in the folder of the same name; the input is
// cut as it was cut for it: the first 300 lines that are not too long.
func TestGoldenScopes(t *testing.T) {
	shared := filepath.Join("..", "..", "..", "shared")
	if _, err := os.Stat(filepath.Join(shared, "goldens")); err != nil {
		t.Skip("the recorded results are not here")
	}
	for _, config := range []string{"date-scope-file", "date-scope-folder"} {
		wants, err := filepath.Glob(filepath.Join(shared, "goldens", config, "synthea-r4", "*.ndjson.gz"))
		if err != nil || len(wants) == 0 {
			t.Fatal("no results: ", err)
		}
		dir := t.TempDir()
		in := filepath.Join(dir, "synthea-r4")
		for _, want := range wants {
			name := filepath.Base(want)
			write(t, filepath.Join(in, "sub", plainName(name)), cut(t, filepath.Join(shared, "data", "synthea-r4", name)))
		}
		rules := filepath.Join(shared, "goldens", "configs", config+".json")
		out := filepath.Join(dir, "out")
		if err := call(io.Discard, "-r", "-i", in, "-o", out, "-c", rules, "--as-of", "2026-11-22", "--compat", "microsoft").Execute(); err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if got := read(t, filepath.Join(out, "sub", plainName(filepath.Base(want)))); got != unpacked(t, want) {
				t.Errorf("%s: %s differs", config, filepath.Base(want))
			}
		}
	}
}

func unpacked(t *testing.T, path string) string {
	t.Helper()
	in, err := openInput(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func cut(t *testing.T, path string) string {
	t.Helper()
	var kept bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader([]byte(unpacked(t, path))))
	lines.Buffer(nil, 64<<20)
	for n := 0; n < 300 && lines.Scan(); {
		if len(lines.Bytes()) <= 60_000 {
			kept.Write(append(lines.Bytes(), '\n'))
			n++
		}
	}
	return kept.String()
}
