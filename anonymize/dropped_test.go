package anonymize

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fhirdeid/anonymize/policy"
)

var dropLines = []string{
	`{"resourceType":"Patient","id":"a","extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3","display":"White"}},{"url":"text","valueString":"White"}]},{"url":"https://doe.example/jane","valueString":"x"},{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"city":"Boston"}}],"name":[{"family":"Doe","given":["Jane","Ann"]},{"_family":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}}],"gender":"female","birthDate":"1958-03-04"}`,
	`{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"},{"system":"https://lab.example/codes","code":"HR"},{"code":"x"}],"text":"pulse"},"subject":{"reference":"Patient/a","display":"Jane"},"contained":[{"resourceType":"Patient","id":"c","name":[{"family":"Roe"}],"gender":"male"}],"valueQuantity":{"value":70,"unit":"beats"}}`,
	`{"resourceType":"AuditEvent","id":"e","recorded":"2020-01-01T00:00:00Z"}`,
	`not json`,
}

// TestDrops: by path, the values of the lines written less those of the result;
// no URL is shown that is not public.
func TestDrops(t *testing.T) {
	p, err := policy.Builtin("safe-harbor")
	if err != nil {
		t.Fatal(err)
	}
	key := []byte(strings.Repeat("k", 32))
	e, err := Compile(p, Options{AsOf: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Keys: Keys{Pseudonym: key}})
	if err != nil {
		t.Fatal(err)
	}
	const times = 50
	in := strings.Repeat(strings.Join(dropLines, "\n")+"\n", times)
	for _, workers := range []int{1, 3} {
		var out bytes.Buffer
		stats, err := e.Stream(context.Background(), &out, strings.NewReader(in), StreamOptions{
			Workers: workers, ChunkBytes: 3000, Drops: true, Reject: func(int64, []byte, error) error { return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		want := make(map[string]int64)
		leaves(t, want, strings.Repeat(strings.Join(dropLines[:2], "\n")+"\n", times), 1)
		leaves(t, want, out.String(), -1)
		for path, n := range want {
			if n == 0 || strings.Contains(path, ".meta.") {
				delete(want, path)
			}
		}
		if diff := cmp.Diff(want, stats.Drops.Paths); diff != "" {
			t.Errorf("%d workers: other paths:\n%s", workers, diff)
		}
		if diff := cmp.Diff(map[string]int64{OtherURLs: times, "http://hl7.org/fhir/StructureDefinition/patient-birthPlace": times, "http://hl7.org/fhir/StructureDefinition/data-absent-reason": times}, stats.Drops.Extensions); diff != "" {
			t.Errorf("other extensions:\n%s", diff)
		}
		if diff := cmp.Diff(map[string]int64{OtherURLs: times, NoURL: times}, stats.Drops.CodeSystems); diff != "" {
			t.Errorf("other code systems:\n%s", diff)
		}
	}
	stats, err := e.Stream(context.Background(), io.Discard, strings.NewReader(dropLines[0]), StreamOptions{})
	if err != nil || stats.Drops.Paths != nil {
		t.Errorf("nobody asked, and there are %v, %v", stats.Drops, err)
	}
}

// TestDropsAreBounded: a line cannot have more paths counted than there is room
// for, and each drop is counted somewhere.
func TestDropsAreBounded(t *testing.T) {
	p, err := policy.Parse([]byte(`{"mode":"strict","fhirPathRules":[{"path":"Patient.gender","method":"keep"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	e, err := Compile(p, Options{AsOf: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var c dropCounter
	w := newWorker(e)
	var values int64
	begins, ends := []string{`"extension":[{`, `"valueAddress":{"extension":[{`}, []string{`}]`, `}]}`}
	for i := range 1 << 13 { // paths of a tree with two branches
		line, end := `"extension":[{`, `}]`
		for bit := range 13 {
			line, end = line+begins[i>>bit&1], ends[i>>bit&1]+end
		}
		out, err := w.resource(nil, []byte(`{"resourceType":"Patient",`+line+`"valueCode":"x"`+end+`,"gender":"male"}`))
		if err != nil || len(out) == 0 {
			t.Fatalf("the line is gone, %v", err)
		}
		c.count(w)
		values++
	}
	var d Drops
	c.take(&d)
	var sum int64
	for _, n := range d.Paths {
		sum += n
	}
	if sum != values || d.Paths[MorePaths] == 0 || len(c.all) > maxDropPaths {
		t.Errorf("%d values are counted as %d at %d paths", values, sum, len(d.Paths))
	}
}

// leaves adds the values of lines by element path.
func leaves(t *testing.T, into map[string]int64, lines string, sign int64) {
	t.Helper()
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(path, item)
			}
		case map[string]any:
			if typ, ok := v["resourceType"].(string); ok {
				path = typ
			}
			for k, item := range v {
				if k != "resourceType" {
					walk(path+"."+strings.TrimPrefix(k, "_"), item)
				}
			}
		default:
			into[path] += sign
		}
	}
	for line := range strings.Lines(lines) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		walk("", v)
	}
}
