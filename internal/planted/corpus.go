package planted

import (
	"iter"

	"fhirdeid/anonymize/fhirmodel"
)

// Resource is one made resource.
type Resource struct {
	Type string
	// JSON is one line without its end.
	JSON   []byte
	Tokens []Token
}

// Find finds the resource's tokens in what has become of it. part is that of
// NewIndex.
func (r *Resource) Find(out []byte, part int) []Hit { return NewIndex(r.Tokens, part).Find(out) }

// Corpus makes resources of every type of a version: of each type as many as it
// takes for every type of every choice to occur, and some by hand for what hides
// in several places. The same version and seed give the same resources.
func Corpus(version fhirmodel.Version, seed uint64) iter.Seq[*Resource] {
	return func(yield func(*Resource) bool) {
		x, err := newTables(version)
		if err != nil {
			return
		}
		for _, t := range x.resources {
			for variant := range variants(t) {
				if !yield(makeResource(x, t, variant, seed)) {
					return
				}
			}
		}
		for _, r := range byHand(version) {
			if !yield(r) {
				return
			}
		}
	}
}

// Sample makes one resource of every type of a version.
func Sample(version fhirmodel.Version, seed uint64) iter.Seq[*Resource] {
	return func(yield func(*Resource) bool) {
		x, err := newTables(version)
		if err != nil {
			return
		}
		for i, t := range x.resources {
			if !yield(makeResource(x, t, i, seed)) {
				return
			}
		}
	}
}

// least is how many resources of a type there are at least: so many forms have
// codes, quantities and references.
const least = 5

// variants is how many resources of a type it takes: as many as its largest
// choice has types.
func variants(t *fhirmodel.Type) int {
	return max(least, widest(t, make(map[*fhirmodel.Type]bool)))
}

// widest is how many types the largest choice of a type and its backbones has.
func widest(t *fhirmodel.Type, seen map[*fhirmodel.Type]bool) int {
	if seen[t] {
		return 0
	}
	seen[t] = true
	most, count := 0, make(map[string]int)
	for _, e := range t.Elements {
		if e.Choice {
			count[e.Name]++
			most = max(most, count[e.Name])
		}
		if isBackbone(e.Type) {
			most = max(most, widest(e.Type, seen))
		}
	}
	return most
}

func isBackbone(t *fhirmodel.Type) bool {
	return t.Kind == fhirmodel.Complex && t.Path != t.Name
}
