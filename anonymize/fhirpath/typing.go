package fhirpath

import (
	"slices"

	"fhirdeid/anonymize/fhirmodel"
)

// Possible is a node that an expression can give.
type Possible struct {
	Type *fhirmodel.Type
	// Element is where the node stands in its parent, nil for the context.
	Element *fhirmodel.Element
	// Bare says that first(), last() or single() has given it. Where it is a
	// primitive, Microsoft's tool has only its value left then, and no node.
	Bare bool
}

// Typing is what can be said of an expression without a resource: from the types
// of its context and the definitions of a FHIR version.
type Typing struct {
	// Results are the nodes that it can give. Where there are none and neither
	// Values nor Unknown holds, it never gives anything.
	Results []Possible
	// Values says that it can give values that are no nodes, such as that of
	// count().
	Values bool
	// Unknown says that it can give more than could be found out.
	Unknown bool
	// Remarks are what is odd in it, by position.
	Remarks []Remark
}

// Dead reports whether the expression can give nothing, whatever the resource.
func (t *Typing) Dead() bool { return len(t.Results) == 0 && !t.Values && !t.Unknown }

// Remark is something odd at a place of an expression.
type Remark struct {
	// Position is the byte in the expression.
	Position int
	Kind     RemarkKind
	// Name is the element, type or function that it is about.
	Name string
	// In are types that were looked in, at most a few.
	In []string
	// Nearest is the existing name that was perhaps meant, or "".
	Nearest string
}

// RemarkKind is what a remark says.
type RemarkKind uint8

// The kinds of remarks.
const (
	// NoElement: none of the types In has an element Name.
	NoElement RemarkKind = iota
	// NoType: there is no type Name in this version, or nothing of it here.
	NoType
	// NeverTrue: the criterion of where() can never hold.
	NeverTrue
	// UnionOfNodes: the operands of | or the like are nodes. Microsoft's tool
	// compares them by value and leaves out the second of two equal ones.
	UnionOfNodes
	// TextOfNode: a function of texts is applied to an element. Microsoft's tool
	// crashes where the element has no value.
	TextOfNode
	// Incomparable: the operands of < or the like are never of one type, which is
	// an error.
	Incomparable
	// Refused: the function Name is an error always.
	Refused
)

// Infer types an expression for contexts of any of the given types. It is sound:
// what it calls dead can match nothing in a valid resource of the version.
func Infer(x *Expression, m *fhirmodel.Model, contexts ...*fhirmodel.Type) *Typing {
	t := newTyper(m, x.Dialect, contexts)
	return t.result(t.infer(x.Root, t.context))
}

// InferLookup types the look-up of all nodes below contexts that have a type, or
// else a name; nested resources count as nodes and are not entered. suffix is one
// more element below them, or "".
func InferLookup(m *fhirmodel.Model, d Dialect, byType bool, of, suffix string, contexts ...*fhirmodel.Type) *Typing {
	t := newTyper(m, d, contexts)
	below := t.below(t.context, true)
	out := t.lookup(0, byType, of, below)
	if suffix != "" && !out.empty() {
		out = t.step(0, out, suffix)
	}
	return t.result(out)
}

// typer infers the shapes of one expression.
type typer struct {
	m         *fhirmodel.Model
	dialect   Dialect
	context   *shape
	resources []*fhirmodel.Type
	scope     typeScope
	remarks   []Remark
	// nesting has an element for each name of those that hold resources.
	nesting map[string]*fhirmodel.Element
	// quiet is above zero while a part is looked at that will be again.
	quiet int
	depth int
}

// typeScope is what a part sees besides its focus.
type typeScope struct {
	this, total *shape
	vars        *typedVariable
}

type typedVariable struct {
	name  string
	value *shape
	next  *typedVariable
}

func newTyper(m *fhirmodel.Model, d Dialect, contexts []*fhirmodel.Type) *typer {
	t := &typer{m: m, dialect: d, resources: m.ResourceTypes(), nesting: make(map[string]*fhirmodel.Element)}
	t.context = &shape{}
	for _, c := range contexts {
		t.context.add(Possible{Type: c})
	}
	t.scope = typeScope{this: t.context, total: &shape{}}
	return t
}

func (t *typer) result(s *shape) *Typing {
	slices.SortStableFunc(t.remarks, func(a, b Remark) int { return a.Position - b.Position })
	return &Typing{Results: s.nodes, Values: s.values != 0, Unknown: s.any, Remarks: t.remarks}
}

func (t *typer) remark(n Node, kind RemarkKind, name string, in *shape, nearest string) {
	t.remarkAt(n.position(), kind, name, in, nearest)
}

func (t *typer) remarkAt(position int, kind RemarkKind, name string, in *shape, nearest string) {
	if t.quiet > 0 || slices.ContainsFunc(t.remarks, func(r Remark) bool {
		return r.Position == position && r.Kind == kind && r.Name == name
	}) {
		return
	}
	t.remarks = append(t.remarks, Remark{Position: position, Kind: kind, Name: name, In: in.typeNames(), Nearest: nearest})
}
