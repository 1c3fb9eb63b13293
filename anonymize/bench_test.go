package anonymize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"fhirdeid/anonymize/policy"
)

// benchData is Synthea's R4 data, or made-up resources where it is not here.
func benchData(b *testing.B) []byte {
	b.Helper()
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "data", "synthea-r4", "*.ndjson.gz"))
	var data []byte
	for _, f := range files {
		data = append(data, gunzip(b, f)...)
	}
	if len(data) == 0 {
		data = madeUp(16 << 20)
	}
	return data
}

// madeUp is a number of bytes of resources that look like those of a hospital.
func madeUp(size int) []byte {
	var data []byte
	for i := 0; len(data) < size; i++ {
		patient := i / 40
		if i%40 == 0 {
			data = fmt.Appendf(data, `{"resourceType":"Patient","id":"p-%d","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Record of person %d</div>"},"identifier":[{"system":"urn:example:mrn","value":"%08d"}],"name":[{"use":"official","family":"Family%d","given":["Given%d"]}],"telecom":[{"system":"phone","value":"555-%04d","use":"home"}],"gender":"female","birthDate":"19%02d-03-1%d","address":[{"line":["%d Example Street"],"city":"Springfield","state":"MA","postalCode":"02%03d","country":"US"}]}`+"\n",
				patient, patient, patient, patient, patient, patient%10000, 40+patient%60, patient%10, patient%999, patient%1000)
		}
		data = fmt.Appendf(data, `{"resourceType":"Observation","id":"o-%d","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"8302-2","display":"Body Height"}],"text":"Body Height"},"subject":{"reference":"Patient/p-%d"},"encounter":{"reference":"Encounter/e-%d"},"effectiveDateTime":"2015-0%d-1%dT08:30:00-05:00","issued":"2015-03-12T08:30:00.123-05:00","valueQuantity":{"value":%d.%d,"unit":"cm","system":"http://unitsofmeasure.org","code":"cm"}}`+"\n",
			i, patient, i/4, 1+i%9, i%10, 100+i%90, i%100)
	}
	return data
}

// tokens is the reference: jsontext merely reads the tokens of the bytes.
// Lenient, it looks neither for names that are there twice nor at UTF-8, which
// the engine does.
func tokens(b *testing.B, data []byte, lenient bool) {
	d := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(lenient), jsontext.AllowInvalidUTF8(lenient))
	for {
		if _, err := d.ReadToken(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			b.Fatal(err)
		}
	}
}

// race runs functions by turns on pieces of the data, and returns for each the
// time it takes for all pieces. Of each piece the best time counts: what else
// runs on the machine disturbs all alike, and mostly not every time.
func race(b *testing.B, data []byte, size int, runs ...func(piece []byte)) []time.Duration {
	var pieces [][]byte
	for len(data) > 0 {
		end := len(data)
		if end > size {
			end = bytes.LastIndexByte(data[:size], '\n') + 1
		}
		pieces = append(pieces, data[:end])
		data = data[end:]
	}
	best := make([][]time.Duration, len(runs))
	for r := range runs {
		best[r] = make([]time.Duration, len(pieces))
		for p := range pieces {
			best[r][p] = math.MaxInt64
		}
	}
	for b.Loop() {
		for p, piece := range pieces {
			for r, run := range runs {
				start := time.Now()
				run(piece)
				best[r][p] = min(best[r][p], time.Since(start))
			}
		}
	}
	sums := make([]time.Duration, len(runs))
	for r := range runs {
		for _, d := range best[r] {
			sums[r] += d
		}
	}
	return sums
}

func speed(size int, d time.Duration) float64 { return float64(size) / 1e6 / d.Seconds() }

// BenchmarkEngine runs whole policies, with keys, labels and canonical form,
// beside jsontext over the same bytes. The ratios are what counts:
//
//	go test -run '^$' -bench Engine -benchtime 10x ./anonymize
func BenchmarkEngine(b *testing.B) {
	data := benchData(b)
	b.Run("scan-only/1-worker", func(b *testing.B) {
		w := newWorker(sampleEngine(b))
		t := race(b, data, 512<<10, func(piece []byte) {
			for line := range bytes.Lines(piece) {
				if fail := w.scan(line); fail != nil {
					b.Fatal(fail)
				}
			}
		}, func(piece []byte) { tokens(b, piece, false) })
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(speed(len(data), t[0]), "MB/s")
		b.ReportMetric(float64(t[1])/float64(t[0]), "x-jsontext")
	})
	for _, c := range []struct {
		name   string
		engine *Engine
	}{
		{"microsoft-sample", sampleEngine(b)},
		{"safe-harbor", harborEngine(b)},
	} {
		run := func(workers int) func([]byte) {
			return func(piece []byte) {
				stats, err := c.engine.Stream(context.Background(), io.Discard, bytes.NewReader(piece), StreamOptions{Workers: workers})
				if err != nil || stats.Rejected > 0 {
					b.Fatal(err, stats.Reasons)
				}
			}
		}
		b.Run(c.name+"/1-worker", func(b *testing.B) {
			t := race(b, data, 512<<10, run(1),
				func(piece []byte) { tokens(b, piece, false) },
				func(piece []byte) { tokens(b, piece, true) })
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(speed(len(data), t[0]), "MB/s")
			b.ReportMetric(speed(len(data), t[1]), "jsontext-MB/s")
			b.ReportMetric(float64(t[1])/float64(t[0]), "x-jsontext")
			b.ReportMetric(float64(t[2])/float64(t[0]), "x-lenient")
		})
		b.Run(c.name+"/2-workers", func(b *testing.B) {
			t := race(b, data, 32<<20, run(2), run(1))
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(speed(len(data), t[0]), "MB/s")
			b.ReportMetric(float64(t[1])/float64(t[0]), "x-1-worker")
		})
	}
}

// sampleEngine has Microsoft's R4 sample configuration, or a smaller one where
// it is not here.
func sampleEngine(b testing.TB) *Engine {
	if p := sampleFile(); p != "" {
		return compileFile(b, p)
	}
	return compileText(b, everyMethod)
}

func sampleFile() string {
	files, _ := filepath.Glob(filepath.Join("..", "..", "shared", "goldens", "configs", "ms-r4-sample.json"))
	if len(files) == 0 {
		return ""
	}
	return files[0]
}

func harborEngine(b testing.TB) *Engine {
	p, err := policy.Builtin("safe-harbor")
	if err != nil {
		b.Fatal(err)
	}
	e, err := Compile(p, Options{AsOf: goldenDate, Keys: Keys{Pseudonym: []byte("a key of good length for tests")}})
	if err != nil {
		b.Fatal(err)
	}
	return e
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
