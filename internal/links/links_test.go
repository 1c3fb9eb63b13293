package links

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func isType(name []byte) bool {
	return slices.Contains([]string{"Patient", "Practitioner", "Encounter", "Observation", "Bundle"}, string(name))
}

func ref(to string) string { return `{"reference":"` + to + `"}` }

var fileLines = [][]string{
	{
		`{"resourceType":"Patient","id":"a","generalPractitioner":[` + ref("Practitioner/x") + `,` + ref("Practitioner/y") + `]}`,
		`{"resourceType":"Patient","meta":{},"id":"b"}`,
		`{"resourceType":"Patient","name":[{"text":"\"reference\":\"Patient/none\""}]}`, // no id, and a text
	},
	{
		`{"resourceType":"Observation","id":"a","subject":` + ref("Patient/a") + `,"performer":[` + ref("Practitioner/x") + `]}`,
		`{"resourceType":"Observation","id":"o","contained":[{"resourceType":"Patient","id":"c"}],"subject":` + ref("#c") + `,"focus":[` + ref("#d") + `,` + ref("#") + `],"encounter":` + ref("Encounter/a") + `}`,
		`{"resourceType":"Observation","id":"p","subject":` + ref("Patient/b/_history/2") + `,"focus":[` + ref("https://elsewhere.example/Patient/a") + `,` + ref("Jane/Doe") + `,` + ref("Jane") + `]}`,
		`{"resourceType":"Bundle","id":"u","entry":[{"fullUrl":"urn:uuid:1"},{"resource":{"resourceType":"Observation","id":"q","subject":` + ref("urn:uuid:1") + `,"focus":[` + ref("urn:uuid:2") + `,` + ref("Observation/q") + `]}}]}`,
	},
}

func TestCount(t *testing.T) {
	var records [][]byte
	for _, lines := range fileLines {
		one, other := NewFile(isType), NewFile(isType)
		for i := range lines {
			one.Add([]byte(lines[i]))
			other.Add([]byte(lines[len(lines)-1-i]))
		}
		if !bytes.Equal(one.Bytes(), other.Bytes()) {
			t.Error("another order gives other bytes")
		}
		if strings.Contains(string(one.Bytes()), "Jane") {
			t.Error("a record has a value")
		}
		records = append(records, one.Bytes())
	}
	tally := new(Tally)
	for _, r := range records {
		if err := tally.Resources(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range records {
		if err := tally.References(r); err != nil {
			t.Fatal(err)
		}
	}
	want := Summary{References: 6, Dangling: 4, DanglingTypes: map[string]int64{"Practitioner": 3, "Encounter": 1}, Contained: 6, ContainedDangling: 2, Other: 3}
	if diff := cmp.Diff(want, tally.Summary); diff != "" {
		t.Error(diff)
	}
}

// BenchmarkAdd is what a line of 1 kB costs beside its de-identification.
func BenchmarkAdd(b *testing.B) {
	line := []byte(`{"resourceType":"Observation","id":"0123456789abcdef0123456789abcdef",` + strings.Repeat(`"status":"final",`, 50) + `"subject":` + ref("Patient/0123456789abcdef0123456789abcdef") + `,"encounter":` + ref("Encounter/0123456789abcdef0123456789abcdef") + `}`)
	file := NewFile(isType)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		file.Add(line)
	}
}

func FuzzRecord(f *testing.F) {
	file := NewFile(isType)
	for _, line := range fileLines[1] {
		file.Add([]byte(line))
	}
	f.Add(file.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, record []byte) {
		tally := new(Tally)
		if tally.Resources(record) == nil && tally.there.Len() > len(record)/8 {
			t.Error("there are more resources than bytes")
		}
		_ = tally.References(record)
	})
}
