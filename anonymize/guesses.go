package anonymize

import "fhirdeid/anonymize/fhirmodel"

// guesses say what comes next: members mostly come in the same order as the last
// time. A guess is tried first, and costs one comparison where it is right, nine
// times out of ten.
type guesses struct {
	// first is, for each type, the member that came first; after, for each
	// element, the member that came behind it. The indices are Type.Index and
	// Element.ID.
	first, after []*fhirmodel.Element
	// resource is the last resource type.
	resource *fhirmodel.Type
}

func newGuesses(model *fhirmodel.Model) guesses {
	return guesses{
		first: make([]*fhirmodel.Element, model.NumTypes),
		after: make([]*fhirmodel.Element, model.NumElements),
	}
}
