package anonymize

import (
	"strings"
	"testing"

	"fhirdeid/anonymize/policy"
)

func profileEngine(t testing.TB, name, version string) *Engine {
	t.Helper()
	p, err := policy.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("a key of good length for tests")
	e, err := Compile(p, Options{AsOf: goldenDate, FHIRVersion: version, ServerURL: "https://fhir.example.org/r4", Keys: Keys{Pseudonym: key, DateShift: key}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestShift: all dates of a patient move alike, those of nobody or of several
// keep the year.
func TestShift(t *testing.T) {
	e := profileEngine(t, "limited-data-set", "R4")
	run := func(line string) string {
		t.Helper()
		out, err := e.Resource(nil, []byte(line))
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	between := func(s, from, to string) string {
		_, s, _ = strings.Cut(s, from)
		s, _, _ = strings.Cut(s, to)
		return s
	}
	day := func(s string) date {
		d, _, ok := parseDate([]byte(s[:min(10, len(s))]))
		if !ok || d.precision != precisionDay {
			t.Fatalf("%q is no day", s)
		}
		return d
	}
	birth := between(run(`{"resourceType":"Patient","id":"1","birthDate":"1980-02-03"}`), `"birthDate":"`, `"`)
	moved := day(birth).days() - date{year: 1980, month: 2, day: 3}.days()
	if moved >= 0 || moved < -maxShift {
		t.Errorf("the birth date moves by %d days", moved)
	}
	for name, c := range map[string]struct {
		line  string
		shift bool
	}{
		"its subject":                 {`{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/1"},"effectiveDateTime":"2020-05-06T07:08:09.5+02:00"}`, true},
		"an absolute reference":       {`{"resourceType":"Observation","status":"final","subject":{"reference":"https://fhir.example.org/r4/Patient/1"},"effectiveDateTime":"2020-05-06"}`, true},
		"a version of it":             {`{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/1/_history/3"},"effectiveDateTime":"2020-05-06"}`, true},
		"the same twice":              {`{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/1"},"performer":[{"reference":"Patient/1"},{"reference":"Practitioner/9"}],"effectiveDateTime":"2020-05-06"}`, true},
		"contained in it":             {`{"resourceType":"DiagnosticReport","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"718-7"}]},"subject":{"reference":"Patient/1"},"contained":[{"resourceType":"Observation","id":"o","status":"final","effectiveDateTime":"2020-05-06"}]}`, true},
		"an entry of a bundle":        {`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/1"},"effectiveDateTime":"2020-05-06"}}]}`, true},
		"two patients":                {`{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/1"},"performer":[{"reference":"Patient/2"}],"effectiveDateTime":"2020-05-06"}`, false},
		"a group":                     {`{"resourceType":"Observation","status":"final","subject":{"reference":"Group/1"},"effectiveDateTime":"2020-05-06"}`, false},
		"nobody":                      {`{"resourceType":"Observation","status":"final","effectiveDateTime":"2020-05-06"}`, false},
		"a patient by a number":       {`{"resourceType":"Observation","status":"final","subject":{"identifier":{"value":"7"}},"effectiveDateTime":"2020-05-06"}`, false},
		"another resource's patient":  {`{"resourceType":"Observation","status":"final","focus":[{"reference":"Patient/1"}],"effectiveDateTime":"2020-05-06"}`, false},
		"an organization, no patient": {`{"resourceType":"Account","status":"active","owner":{"reference":"Organization/1"},"servicePeriod":{"start":"2020-05-06"}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			out := run(c.line)
			got := between(out, `effectiveDateTime":"`, `"`)
			if strings.Contains(c.line, "servicePeriod") {
				got = between(out, `"start":"`, `"`)
			}
			if !c.shift {
				if got != "2020" {
					t.Errorf("the date becomes %q, not the year", got)
				}
				return
			}
			if by := day(got).days() - (date{year: 2020, month: 5, day: 6}).days(); by != moved {
				t.Errorf("it moves by %d days, the patient by %d", by, moved)
			}
			if strings.Contains(c.line, "T07") && got[10:] != "T07:08:09.5+02:00" {
				t.Errorf("the time becomes %q", got[10:])
			}
		})
	}
	if out := run(`{"resourceType":"Patient","id":"1","birthDate":"1900-01-01","deceasedDateTime":"9999-12-31"}`); !strings.Contains(out, `"birthDate":"1900"`) || !strings.Contains(out, `"9999"`) {
		t.Errorf("dates that stand for none are shifted: %s", out)
	}
	if other := run(`{"resourceType":"Patient","id":"2","birthDate":"1980-02-03"}`); strings.Contains(other, birth) {
		t.Error("two patients have the same shift")
	}
}

// TestProfilesCompile: each profile can be used with each FHIR version.
func TestProfilesCompile(t *testing.T) {
	for _, name := range policy.BuiltinNames() {
		for _, version := range []string{"STU3", "R4", "R4B", "R5"} {
			e := profileEngine(t, name, version)
			out, err := e.Resource(nil, []byte(`{"resourceType":"Patient","id":"1","name":[{"family":"Planted"}],"gender":"female","birthDate":"1980-02-03","address":[{"line":["1 Planted Street"],"city":"Springfield","state":"IL","postalCode":"62701"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(out), "Planted") || !strings.Contains(string(out), `"gender":"female"`) {
				t.Errorf("%s for %s: %s", name, version, out)
			}
		}
	}
}
