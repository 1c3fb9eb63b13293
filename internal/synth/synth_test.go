package synth

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
)

func all(h *Hospital) []byte {
	var b bytes.Buffer
	for _, typ := range h.Types() {
		for line := range h.Resources(typ, nil) {
			b.Write(line)
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// TestSameBytes pins what a seed gives.
func TestSameBytes(t *testing.T) {
	sum := sha256.Sum256(all(New(Config{Seed: 1, Patients: 40})))
	const want = "c8d14884b3ee9a69"
	if got := hex.EncodeToString(sum[:8]); got != want {
		t.Errorf("seed 1 gives %s, want %s: if the generator was changed on purpose, change this too", got, want)
	}
}

// TestValid: the engine, which knows every element of R4, takes every line.
func TestValid(t *testing.T) {
	p, err := policy.Parse([]byte(`{"fhirVersion":"R4","fhirPathRules":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	e, err := anonymize.Compile(p, anonymize.Options{AsOf: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	h := New(Config{Seed: 2, Patients: 60})
	for _, typ := range h.Types() {
		n := 0
		for line := range h.Resources(typ, nil) {
			n++
			out, err := e.Resource(nil, line)
			if err != nil {
				t.Fatalf("%s: %v\n%s", typ, err, line)
			}
			if !json.Valid(line) || !bytes.Equal(out, line) {
				t.Fatalf("%s is not in canonical form:\n%s\n%s", typ, line, out)
			}
		}
		if n == 0 {
			t.Errorf("there is no %s", typ)
		}
	}
}

// TestIdentifiersAreThere: what Identifiers lists is in the patient's data.
func TestIdentifiersAreThere(t *testing.T) {
	h := New(Config{Seed: 3, Patients: 12})
	data := all(h)
	for i := range h.Patients() {
		for k, id := range h.Identifiers(i) {
			if k < 12 && !bytes.Contains(data, []byte(id)) {
				t.Errorf("identifier %d of patient %d is nowhere", k, i)
			}
		}
	}
}

func TestGroup(t *testing.T) {
	h := New(Config{Seed: 4, Patients: 10})
	n := 0
	for range h.Resources("Patient", InGroup) {
		n++
	}
	if n != 4 {
		t.Errorf("the group has %d patients, want 4", n)
	}
}

func BenchmarkResources(b *testing.B) {
	h := New(Config{Seed: 5, Patients: 100})
	b.SetBytes(int64(len(all(h))))
	for b.Loop() {
		for _, typ := range h.Types() {
			for range h.Resources(typ, nil) {
			}
		}
	}
}
