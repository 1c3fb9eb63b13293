package anonymize

import (
	"fmt"
	"slices"

	"fhirdeid/anonymize/fhirmodel"
)

// Decision says which rule decides an element of a resource type.
type Decision struct {
	// Path is the element's path by JSON members, such as
	// "Observation.valueQuantity.unit".
	Path    string
	Type    *fhirmodel.Type
	Element *fhirmodel.Element // nil for the resource itself
	// Rule is the rule's number in the file, 0 where none decides the element.
	Rule int
	// Direct says that the rule's path leads to the element, not only to one
	// above it.
	Direct bool
	// Maybe are the numbers of earlier rules that decide the element in some
	// resources, as their conditions have it.
	Maybe []int
}

// Decisions calls visit for a resource type and for every element that such a
// resource can have, in the order of the definition. What is below an element
// follows if visit returns true; a type inside itself, and a resource in the
// resource, are not entered. The error is a type that this FHIR version does not
// have.
func (e *Engine) Decisions(resourceType string, visit func(Decision) bool) error {
	typ := e.model.ResourceType([]byte(resourceType))
	if typ == nil {
		return fmt.Errorf("there is no resource type %q in FHIR %s", resourceType, e.model.Version)
	}
	a := newAutomaton(e.model, e.routes)
	w := decisionWalk{e: e, a: a, visit: visit}
	w.node(nil, typ, a.root(typ), resourceType, nil)
	return nil
}

// Model returns the FHIR version's element types that the engine works with.
func (e *Engine) Model() *fhirmodel.Model { return e.model }

// decisionWalk goes through the elements of a type.
type decisionWalk struct {
	e     *Engine
	a     *automaton
	visit func(Decision) bool
	// open are the types that the walk is in.
	open []*fhirmodel.Type
}

// node visits an element. maybe are the rules whose conditions may lead to an
// element above it.
func (w *decisionWalk) node(elem *fhirmodel.Element, typ *fhirmodel.Type, s *state, path string, maybe []int) {
	for _, h := range s.hits {
		maybe = append(maybe[:len(maybe):len(maybe)], w.e.routes[h.route].rule)
	}
	d := Decision{Path: path, Type: typ, Element: elem, Direct: s.direct}
	if s.rule != none {
		d.Rule = w.e.policy.Rules[s.rule].Number
	}
	for _, rule := range maybe {
		if s.rule == none || rule < s.rule {
			d.Maybe = append(d.Maybe, w.e.policy.Rules[rule].Number)
		}
	}
	slices.Sort(d.Maybe)
	d.Maybe = slices.Compact(d.Maybe)
	if !w.visit(d) || elem != nil && typ.Kind == fhirmodel.Resource || slices.Contains(w.open, typ) {
		return
	}
	w.open = append(w.open, typ)
	elements := typ.Elements
	if typ.Kind.Primitive() && !(elem != nil && elem.NoExtension) {
		elements = w.e.model.PrimitiveMembers().Elements
	}
	for _, child := range elements {
		w.node(child, child.Type, w.a.child(s, child, child.Type), path+"."+child.Key, maybe)
	}
	w.open = w.open[:len(w.open)-1]
}

// Explained says what decided one value of a resource.
type Explained struct {
	// Path is the element's path with places in arrays, such as
	// "Patient.name[0].given[1]".
	Path string
	Type *fhirmodel.Type
	// Rule is the rule's number in the file, 0 where none decides the value.
	Rule int
	// Direct says that the rule's path leads to the element, not only to one
	// above it.
	Direct bool
	// Outcome is what became of the value.
	Outcome Outcome
}

// Outcome is what became of a value.
type Outcome string

// The outcomes.
const (
	Kept    Outcome = "kept"
	Changed Outcome = "changed"
	Removed Outcome = "removed"
)

// ExplainResource says for each value of a resource which rule decided it, in the
// order of the resource. The error is a *LineError.
func (e *Engine) ExplainResource(line []byte) ([]Explained, error) {
	w := newWorker(e)
	if fail := w.scan(line); fail != nil {
		return nil, fail
	}
	w.begin()
	if w.applyRest(); w.fail != nil {
		return nil, w.fail
	}
	var all []Explained
	for i := range w.tape {
		n := &w.tape[i]
		if !n.typ.Kind.Primitive() || n.end == 0 || n.state == nil {
			continue
		}
		c := w.claimOf(int32(i))
		x := Explained{Path: w.indexedPath(int32(i)), Type: n.typ, Direct: c.direct, Outcome: Kept}
		if c.rule != none {
			x.Rule = e.policy.Rules[c.rule].Number
		}
		switch {
		case n.flags&hasValue == 0:
			x.Outcome = Removed
		case n.flags&replaced != 0:
			x.Outcome = Changed
		}
		all = append(all, x)
	}
	return all, nil
}
