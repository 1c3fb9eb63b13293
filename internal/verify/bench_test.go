package verify_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// BenchmarkEngineAndVerifier tells how much slower de-identifying is when every
// line is verified, as a ratio to the engine alone over the same lines in the same
// run; and how the verifier compares to jsontext merely reading the tokens of
// inputs and results. Of each run the best time counts.
func BenchmarkEngineAndVerifier(b *testing.B) {
	c, e := checker(b), safeHarbor(b, profile(b))
	var ins, outs [][]byte
	size := 0
	corpus(b, "synthea-r4", 400, func(_ string, line []byte) {
		if out, err := e.Resource(nil, line); err == nil && len(out) > 0 {
			ins, outs = append(ins, line), append(outs, out)
			size += len(line)
		}
	})
	var dst []byte
	runs := []func(){
		func() {
			for i := range ins {
				dst, _ = e.Resource(dst[:0], ins[i])
			}
		},
		func() {
			for i := range ins {
				c.Check(1, ins[i], outs[i])
			}
		},
		func() {
			for i := range ins {
				readTokens(b, ins[i])
				readTokens(b, outs[i])
			}
		},
	}
	best := []time.Duration{math.MaxInt64, math.MaxInt64, math.MaxInt64}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for k, run := range runs {
			began := time.Now()
			run()
			best[k] = min(best[k], time.Since(began))
		}
	}
	engine, verifier, tokens := best[0].Seconds(), best[1].Seconds(), best[2].Seconds()
	b.ReportMetric(engine/(engine+verifier), "of-engine")
	b.ReportMetric(tokens/verifier, "of-tokens")
	b.ReportMetric(float64(size)/1e6/engine, "engine-MB/s")
	b.ReportMetric(float64(size)/1e6/verifier, "verifier-MB/s")
}

func readTokens(b *testing.B, line []byte) {
	d := jsontext.NewDecoder(bytes.NewReader(line))
	for d.PeekKind() != 0 {
		if _, err := d.ReadToken(); err != nil {
			b.Fatal(err)
		}
	}
}
