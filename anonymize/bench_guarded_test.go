package anonymize

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// BenchmarkGuarded runs rules whose paths have to be evaluated: guards, types,
// extensions. Each ratio is against jsontext over the same bytes.
//
//	go test -run '^$' -bench Guarded -benchtime 10x ./anonymize
func BenchmarkGuarded(b *testing.B) {
	data := benchData(b)
	for _, c := range []struct{ name, rules string }{
		{"guarded", guardedRules},
		{"one-rule", `{"fhirVersion":"R4","fhirPathRules":[{"path":"nodesByType('Coding').where(system = 'http://snomed.info/sct').display","method":"redact"}]}`},
	} {
		engine := compileText(b, c.rules)
		b.Run(c.name, func(b *testing.B) {
			t := race(b, data, 512<<10, streamed1(b, engine), func(piece []byte) { tokens(b, piece, false) })
			report(b, len(data), t)
		})
	}
}

// BenchmarkGeneralCost measures what a general rule on Patient, which has to look at
// everything in one, costs Observations: nothing. The ratio is against the same
// policy without the rule.
func BenchmarkGeneralCost(b *testing.B) {
	var data []byte
	for line := range bytes.Lines(benchData(b)) {
		if bytes.Contains(line[:min(len(line), 64)], []byte(`"resourceType":"Observation"`)) {
			data = append(data, line...)
		}
	}
	without := compileText(b, guardedRules)
	with := compileText(b, strings.Replace(guardedRules, `"fhirPathRules":[`, `"fhirPathRules":[{"path":"Patient.descendants().where($this is string and $this.matches('[0-9]{9}'))","method":"redact"},`, 1))
	t := race(b, data, 512<<10, streamed1(b, with), streamed1(b, without))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(speed(len(data), t[0]), "MB/s")
	b.ReportMetric(float64(t[0])/float64(t[1]), "x-time-without")
}

// streamed1 de-identifies a piece with one worker.
func streamed1(b *testing.B, e *Engine) func(piece []byte) {
	return func(piece []byte) {
		stats, err := e.Stream(context.Background(), io.Discard, bytes.NewReader(piece), StreamOptions{Workers: 1})
		if err != nil || stats.Rejected > 0 {
			b.Fatal(err, stats.Reasons)
		}
	}
}

// report reports the first time as speed and as a ratio to the second.
func report(b *testing.B, size int, t []time.Duration) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(speed(size, t[0]), "MB/s")
	b.ReportMetric(speed(size, t[1]), "jsontext-MB/s")
	b.ReportMetric(float64(t[1])/float64(t[0]), "x-jsontext")
}
