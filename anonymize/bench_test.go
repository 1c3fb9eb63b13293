package anonymize

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"fhirdeid/anonymize/policy"
)

// benchData is Synthea's R4 data, or nothing where it is not here.
func benchData(b *testing.B) []byte {
	b.Helper()
	files, _ := filepath.Glob(filepath.Join(shared(b, "data", "synthea-r4"), "*.ndjson.gz"))
	var data []byte
	for _, f := range files {
		data = append(data, gunzip(b, f)...)
	}
	return data
}

// BenchmarkEngine runs the whole of Microsoft's R4 sample configuration, with
// keys, labels and canonical form, on one worker; beside it what jsontext needs
// merely to read the tokens of the same bytes. The ratio is what counts.
func BenchmarkEngine(b *testing.B) {
	data := benchData(b)
	b.Run("reference/jsontext-tokens", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			d := jsontext.NewDecoder(bytes.NewBuffer(data))
			for {
				if _, err := d.ReadToken(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	stream := func(e *Engine, workers int) func(b *testing.B) {
		return func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				stats, err := e.Stream(context.Background(), io.Discard, bytes.NewReader(data), StreamOptions{Workers: workers})
				if err != nil || stats.Rejected > 0 {
					b.Fatal(err, stats.Reasons)
				}
			}
		}
	}
	sample := compileFile(b, shared(b, "goldens", "configs", "ms-r4-sample.json"))
	p, err := policy.Builtin("safe-harbor")
	if err != nil {
		b.Fatal(err)
	}
	harbor, err := Compile(p, Options{AsOf: goldenDate, Keys: Keys{Pseudonym: []byte("a key of good length for tests")}})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("microsoft-sample/1-worker", stream(sample, 1))
	b.Run("microsoft-sample/2-workers", stream(sample, 2))
	b.Run("safe-harbor/1-worker", stream(harbor, 1))
}

// BenchmarkCompile is what starting costs.
func BenchmarkCompile(b *testing.B) {
	p, err := policy.Builtin("safe-harbor")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Compile(p, Options{AsOf: goldenDate, Keys: Keys{Pseudonym: []byte("a key of good length for tests")}}); err != nil {
			b.Fatal(err)
		}
	}
}
