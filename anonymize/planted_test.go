package anonymize_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/planted"
	"fhirdeid/internal/verify"
)

var (
	plantedAsOf     = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	plantedVersions = []fhirmodel.Version{fhirmodel.STU3, fhirmodel.R4, fhirmodel.R4B, fhirmodel.R5}
)

// allowed says which tokens a profile may leave, in which form.
var allowed = map[string]func(planted.Hit) bool{
	"safe-harbor": func(planted.Hit) bool { return false },
	"limited-data-set": func(h planted.Hit) bool {
		switch h.Token.Kind {
		case planted.Old, planted.Age, planted.ZIP: // where a ZIP code may be the verifier knows
			return true
		case planted.Date: // a shifted date may be in the month of another
			return h.Form == "month"
		case planted.Town:
			return strings.HasSuffix(h.Token.Path, ".city")
		}
		return false
	},
	"pseudonymized": func(h planted.Hit) bool {
		switch h.Token.Kind {
		case planted.Date, planted.Old, planted.Age, planted.ZIP, planted.Time, planted.Code:
			return true // they stay, and stand in more than one place
		}
		for _, name := range strings.Split(h.Token.Types, ".") {
			if directIdentifiers[name] {
				return false
			}
		}
		return !strings.HasSuffix(h.Token.Types, "Reference") || !strings.HasSuffix(h.Token.Path, ".reference")
	},
}

// directIdentifiers are the types of which the profile pseudonymized leaves no
// text.
var directIdentifiers = map[string]bool{
	"HumanName": true, "ContactPoint": true, "ContactDetail": true, "Identifier": true, "Signature": true,
	"Attachment": true, "Narrative": true, "Annotation": true, "Extension": true, "Contributor": true,
}

// parts are how many letters of a planted word are as good as the word. Where
// many words may stay, one of them has six letters of another by chance.
var parts = map[string]int{"safe-harbor": 6, "limited-data-set": 9, "pseudonymized": 11}

// TestPlanted: of the values planted in every leaf of every type, none is left in
// any form; the verifier finds nothing; and the result is FHIR.
func TestPlanted(t *testing.T) {
	for _, version := range plantedVersions {
		t.Run(string(version), func(t *testing.T) {
			t.Parallel()
			testPlanted(t, version)
		})
	}
}

// trial is one profile at work on the planted resources.
type trial struct {
	profile string
	engine  *anonymize.Engine
	checker *verify.Checker // nil: the profile claims nothing
	shapes  *shapeChecker
	kept    int
	faults  map[string]int
}

func newTrial(t *testing.T, profile string, version fhirmodel.Version) *trial {
	x := &trial{profile: profile, engine: plantedEngine(t, profile, version), shapes: newShapeChecker(t, version), faults: make(map[string]int)}
	if profile == "pseudonymized" {
		return x
	}
	var err error
	if x.checker, err = verify.New(profile, verify.Options{FHIRVersion: string(version), AsOf: plantedAsOf}); err != nil {
		t.Fatal(err)
	}
	return x
}

func testPlanted(t *testing.T, version fhirmodel.Version) {
	trials := []*trial{newTrial(t, "safe-harbor", version), newTrial(t, "limited-data-set", version), newTrial(t, "pseudonymized", version)}
	n := 0
	for r := range planted.Corpus(version, 1) {
		if n++; testing.Short() && n%7 != 0 {
			continue
		}
		for _, x := range trials {
			if x.checker != nil || n%5 == 0 { // what claims nothing keeps much, which takes long to look through
				x.try(t, r)
			}
		}
	}
	for _, x := range trials {
		if x.checker != nil && x.kept < n/2 && !testing.Short() {
			t.Errorf("%s: only %d of %d resources are left", x.profile, x.kept, n)
		}
		x.tell(t)
	}
}

func (x *trial) try(t *testing.T, r *planted.Resource) {
	out, err := x.engine.Resource(nil, r.JSON)
	if err != nil {
		t.Fatalf("%s: %v", r.Type, err)
	}
	if len(out) == 0 {
		return
	}
	x.kept++
	for _, hit := range r.Find(out, parts[x.profile]) {
		if !allowed[x.profile](hit) {
			x.faults[fmt.Sprintf("leak: %s as %s of %s", hit.Token.Kind, hit.Form, leaf(hit.Token))]++
		}
	}
	for _, fault := range x.shapes.check(r.JSON, out) {
		x.faults["shape: "+fault]++
	}
	if x.checker == nil {
		return
	}
	for _, f := range x.checker.Check(1, r.JSON, out) {
		if f.Severity == verify.Hard {
			x.faults["verifier: "+f.Class+" "+f.Path]++
		}
	}
}

func (x *trial) tell(t *testing.T) {
	list := make([]string, 0, len(x.faults))
	for fault, count := range x.faults {
		list = append(list, fmt.Sprintf("%s: %6d × %s", x.profile, count, fault))
	}
	slices.Sort(list)
	slices.Reverse(list)
	for i, fault := range list {
		if i == 60 {
			t.Errorf("and %d more kinds", len(list)-i)
			break
		}
		t.Error(fault)
	}
}

// leaf is the type that a token is in with the element's name: what is wrong is
// mostly wrong at every path of it.
func leaf(t planted.Token) string {
	return t.Types[strings.LastIndexByte(t.Types, '.')+1:] + t.Path[strings.LastIndexByte(t.Path, '.'):]
}

func plantedEngine(t testing.TB, profile string, version fhirmodel.Version) *anonymize.Engine {
	t.Helper()
	p, err := policy.Builtin(profile)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("a key of good length for tests")
	e, err := anonymize.Compile(p, anonymize.Options{AsOf: plantedAsOf, FHIRVersion: string(version), Keys: anonymize.Keys{Pseudonym: key, DateShift: key}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}
