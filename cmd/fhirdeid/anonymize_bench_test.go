package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkFiles is the command from file to file: with one job and two, and
// compressed both ways. The reference copies the same files, decompressed, in the
// same run. The rules are Microsoft's sample where it is here.
func BenchmarkFiles(b *testing.B) {
	dir := b.TempDir()
	rules := filepath.Join("..", "..", "..", "shared", "goldens", "configs", "ms-r4-sample.json")
	if _, err := os.Stat(rules); err != nil {
		rules = filepath.Join(dir, "rules.json")
		if err := os.WriteFile(rules, []byte(testRules), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	plain := filepath.Join(dir, "plain.ndjson")
	size := benchFile(b, plain)
	packed := filepath.Join(dir, "packed.ndjson.gz")
	if err := call(io.Discard, "-c", rules, "-i", plain, "-o", packed, "--as-of", "2026-11-22").Execute(); err != nil {
		b.Fatal(err)
	}
	b.Run("reference/copy", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			data, err := os.ReadFile(plain)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, "copy"), data, 0o666)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, c := range []struct{ name, in, out, jobs string }{
		{"plain/1-job", plain, "out.ndjson", "1"}, {"plain/2-jobs", plain, "out.ndjson", "2"},
		{"gzip/1-job", packed, "out.ndjson.gz", "1"}, {"gzip/2-jobs", packed, "out.ndjson.gz", "2"},
		{"zstd-out/2-jobs", plain, "out.ndjson.zst", "2"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if err := call(io.Discard, "-c", rules, "-i", c.in, "-o", filepath.Join(dir, c.out), "--jobs", c.jobs, "--as-of", "2026-11-22").Execute(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNothing is what the command costs without any input: reading the
// policy, and compiling it.
func BenchmarkNothing(b *testing.B) {
	b.Setenv("FHIRDEID_KEY_PSEUDONYM_KEY", "a key of good length for tests")
	for b.Loop() {
		cmd := call(io.Discard)
		cmd.SetIn(strings.NewReader(""))
		if err := cmd.Execute(); err != nil {
			b.Fatal(err)
		}
	}
}

// benchFile writes the data: Synthea's R4, or lines made here.
func benchFile(b *testing.B, path string) int64 {
	b.Helper()
	var data bytes.Buffer
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", "synthea-r4", "*.ndjson.gz"))
	for _, name := range files {
		in, err := openInput(name)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := data.ReadFrom(in); err != nil {
			b.Fatal(err)
		}
		in.Close()
	}
	for i := 0; len(files) == 0 && i < 200_000; i++ {
		fmt.Fprintf(&data, `{"resourceType":"Patient","id":"%d","name":[{"family":"Family%d","given":["Given"]}],"gender":"female","birthDate":"1980-02-03"}`+"\n", i, i)
	}
	if err := os.WriteFile(path, data.Bytes(), 0o666); err != nil {
		b.Fatal(err)
	}
	return int64(data.Len())
}
