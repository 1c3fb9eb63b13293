package risk

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fhirdeid/anonymize/policy"
)

const full = `{"resourceType":"Patient","id":"a","extension":[` +
	`{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3"}},{"url":"ombCategory","valueCoding":{"code":"2028-9"}}]},` +
	`{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity","extension":[{"url":"ombCategory","valueCoding":{"code":"2186-5"}}]},` +
	`{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex","valueCode":"F"}],` +
	`"gender":"female","birthDate":"1958-03-04","deceasedBoolean":true,"multipleBirthInteger":2,"address":[{"state":"MA","postalCode":"02139"},{"postalCode":"021"},{"state":"ME","postalCode":"04101-1234"}],` +
	`"maritalStatus":{"coding":[{"code":"M"}]}}`

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		names []string
		line  string
		want  []string
	}{
		"the default":     {policy.DefaultRisk().QuasiIdentifiers, full, []string{"1958", "female", "021|041", "2028-9|2106-3", "2186-5"}},
		"others":          {[]string{"birthSex", "state", "Patient.maritalStatus.coding.code"}, full, []string{"F", "MA|ME", "M"}},
		"no texts":        {[]string{"Patient.deceasedBoolean", "Patient.multipleBirthInteger"}, full, []string{"true", "2"}},
		"nothing there":   {[]string{"sex", "race"}, `{"resourceType":"Patient"}`, []string{"", ""}},
		"no Patient":      {[]string{"sex"}, `{"resourceType":"Person","gender":"male"}`, nil},
		"a longer type":   {[]string{"sex"}, `{"resourceType":"PatientX","gender":"male"}`, nil},
		"odd, and no fit": {[]string{"sex", "zip3"}, `{"resourceType":"Patient","gender":{},"address":"x","extension":[1]}`, []string{"", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewReader(c.names)
			if err != nil {
				t.Fatal(err)
			}
			cell, _, ok := r.Read([]byte(c.line))
			if ok != (c.want != nil) || !slices.Equal(cell, c.want) {
				t.Errorf("%q, %v; want %q", cell, ok, c.want)
			}
		})
	}
}

// TestNamesAreKnown: what a policy may name, a reader can read.
func TestNamesAreKnown(t *testing.T) {
	if _, err := NewReader(policy.QuasiIdentifierNames()); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"Person.gender", "shoeSize", "Patient", ""} {
		if _, err := NewReader([]string{name}); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}

// TestTallyIsExact counts random patients, some of them several times, in files
// and passes, against a plain count.
func TestTallyIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	reader, err := NewReader([]string{"birthYear", "sex"})
	if err != nil {
		t.Fatal(err)
	}
	const people = 3000
	lines := make([]string, people)
	want := make(map[string]int64)
	for i := range lines {
		year, sex := 1930+rng.IntN(90), []string{"male", "female"}[rng.IntN(2)]
		if rng.IntN(100) == 0 {
			year = 1000 + i // one of a kind
		}
		lines[i] = fmt.Sprintf(`{"resourceType":"Patient","id":"%d","gender":%q,"birthDate":"%04d"}`, i, sex, year)
		want[fmt.Sprintf("%04d %s", year, sex)]++
	}
	for _, atOnce := range []int64{100, 1000, 1 << 20} {
		var files [][]byte
		var rows int64
		for f := range 7 {
			one, other := NewRows(reader), NewRows(reader)
			var mine []string
			for i, line := range lines {
				if i%7 == f || rng.IntN(20) == 0 { // some are in several files
					mine = append(mine, line, line)
				}
			}
			for i, line := range mine {
				one.Add([]byte(line))
				other.Add([]byte(mine[len(mine)-1-i]))
			}
			if !bytes.Equal(one.Bytes(), other.Bytes()) {
				t.Fatal("another order gives other bytes")
			}
			files = append(files, one.Bytes())
			rows += one.Count()
		}
		tally := newTally(rows, atOnce)
		passes := 0
		for tally.Pass() {
			passes++
			for _, f := range files {
				if _, err := tally.Add(f); err != nil {
					t.Fatal(err)
				}
			}
		}
		if wanted := int((rows + atOnce - 1) / atOnce); passes != wanted {
			t.Errorf("%d passes, want %d", passes, wanted)
		}
		got := make(map[string]int64)
		for _, c := range tally.Small(1<<40, 1<<20) {
			got[strings.Join(c.Values, " ")] = c.Patients
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d at once: other counts:\n%s", atOnce, diff)
		}
		s := tally.Summary(11, 3)
		var cells, patients, below, smallest int64
		for _, n := range want {
			if n < 11 {
				below += n
			}
			if smallest == 0 || n < smallest {
				smallest = n
			}
		}
		for _, z := range s.Sizes {
			cells, patients = cells+z.Cells, patients+z.Patients
		}
		if s.Patients != people || patients != people || s.Cells != int64(len(want)) || cells != s.Cells || s.PatientsBelowK != below || s.Smallest != smallest {
			t.Errorf("the summary is %+v", s)
		}
	}
}

// TestWithoutIDs: patients without an id are different ones.
func TestWithoutIDs(t *testing.T) {
	reader, err := NewReader([]string{"sex"})
	if err != nil {
		t.Fatal(err)
	}
	rows := NewRows(reader)
	for range 3 {
		rows.Add([]byte(`{"resourceType":"Patient","gender":"male"}`))
	}
	rows.Add([]byte(`{"resourceType":"Patient","id":"a","gender":"male"}`))
	tally := newTally(rows.Count(), 1)
	for tally.Pass() {
		for range 2 { // two files with the one patient that has an id
			if _, err := tally.Add(rows.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s := tally.Summary(11, 0); rows.Count() != 4 || s.Patients != 7 || s.Smallest != 7 {
		t.Errorf("%d patients, %+v", rows.Count(), s)
	}
}

func TestSummary(t *testing.T) {
	empty := NewTally(0)
	for empty.Pass() {
	}
	if s := empty.Summary(11, 5); s.Cells != 0 || s.Smallest != 0 || len(s.Sizes) == 0 {
		t.Errorf("nothing gives %+v", s)
	}
	for _, c := range []struct{ k, minimum int }{{11, 0}, {7, 4}, {2, 1}, {5000, 2000}, {1001, 1000}} {
		at := int64(1)
		for _, z := range ranges(int64(c.k), int64(c.minimum)) {
			for _, border := range []int64{int64(c.k), int64(c.minimum)} {
				if border <= 1001 && z.From < border && (z.To == 0 || z.To >= border) {
					t.Errorf("the sizes from %d to %d go across %d", z.From, z.To, border)
				}
			}
			if z.From != at {
				t.Errorf("there is a gap before %d", z.From)
			}
			at = z.To + 1
		}
		if at != 1 {
			t.Error("the last sizes have an end")
		}
	}
}

func TestForeignRows(t *testing.T) {
	for _, rows := range []string{"x", "\x02[]", "\x02[]\x00\x02abcdefgh", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		tally := NewTally(1)
		tally.Pass()
		if _, err := tally.Add([]byte(rows)); err == nil {
			t.Errorf("%q was taken", rows)
		}
	}
}

func FuzzTally(f *testing.F) {
	reader, err := NewReader([]string{"sex"})
	if err != nil {
		f.Fatal(err)
	}
	rows := NewRows(reader)
	rows.Add([]byte(full))
	f.Add(rows.Bytes())
	f.Fuzz(func(t *testing.T, record []byte) {
		tally := NewTally(1)
		for tally.Pass() {
			if _, err := tally.Add(record); err != nil {
				return
			}
		}
		tally.Summary(11, 0)
		tally.Small(11, 10)
	})
}
