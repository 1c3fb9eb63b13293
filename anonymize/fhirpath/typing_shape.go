package fhirpath

import (
	"slices"

	"fhirdeid/anonymize/fhirmodel"
)

// shape is what a part of an expression can give.
type shape struct {
	nodes []Possible
	has   map[Possible]bool
	// values are the kinds of values that are no nodes, a bit each.
	values uint16
	// any says that everything is possible.
	any bool
	// never says that it does not hold as a condition, though it gives a value:
	// false.
	never bool
}

func valueShape(kinds ...Kind) *shape {
	s := &shape{}
	for _, k := range kinds {
		s.values |= 1 << k
	}
	return s
}

func anyShape() *shape { return &shape{any: true} }

func (s *shape) empty() bool { return len(s.nodes) == 0 && s.values == 0 && !s.any }

// canHold reports whether it can be a condition that holds.
func (s *shape) canHold() bool { return !s.empty() && !s.never }

func (s *shape) add(p Possible) bool {
	if s.has == nil {
		s.has = make(map[Possible]bool)
	}
	if s.has[p] {
		return false
	}
	s.has[p] = true
	s.nodes = append(s.nodes, p)
	return true
}

func (s *shape) addAll(o *shape) bool {
	grown := o.any && !s.any || s.values|o.values != s.values
	s.any = s.any || o.any
	s.values |= o.values
	for _, p := range o.nodes {
		grown = s.add(p) || grown
	}
	return grown
}

// joined is what either can give.
func joined(a, b *shape) *shape {
	s := &shape{}
	s.addAll(a)
	s.addAll(b)
	s.never = !a.canHold() && !b.canHold()
	return s
}

// filter leaves the nodes that keep accepts; values stay.
func (s *shape) filter(keep func(Possible) bool) *shape {
	out := &shape{any: s.any, values: s.values}
	for _, p := range s.nodes {
		if keep(p) {
			out.add(p)
		}
	}
	return out
}

// kinds are the kinds of values that it can have, of nodes too; all where nobody
// knows.
func (s *shape) kinds() uint16 {
	if s.any {
		return ^uint16(0)
	}
	k := s.values
	for _, p := range s.nodes {
		k |= kindsOf(p.Type)
	}
	return k
}

// kindsOf are the kinds of values a type has.
func kindsOf(t *fhirmodel.Type) uint16 {
	switch t.Kind {
	case fhirmodel.Boolean:
		return 1 << KindBoolean
	case fhirmodel.Integer:
		return 1 << KindInteger
	case fhirmodel.Decimal:
		return 1 << KindDecimal
	case fhirmodel.Date:
		return 1 << KindDate
	case fhirmodel.DateTime, fhirmodel.Instant:
		return 1 << KindDateTime
	case fhirmodel.Time:
		return 1 << KindTime
	case fhirmodel.Complex, fhirmodel.Resource:
		if t.Name == "Quantity" || base(t) == "Quantity" {
			return 1 << KindQuantity
		}
		return ^uint16(0)
	}
	if t.Name == "integer64" {
		return 1 << KindLong
	}
	return 1 << KindString
}

// typeNames are some of the types of its nodes, for a message.
func (s *shape) typeNames() []string {
	const few = 3
	var names []string
	for _, p := range s.nodes {
		if name := p.Type.Path; !slices.Contains(names, name) {
			if len(names) == few {
				return append(names, "…")
			}
			names = append(names, name)
		}
	}
	return names
}

// elements are the elements of a node's type; of a primitive id and extension.
func (t *typer) elements(p Possible) []*fhirmodel.Element {
	if p.Type.Kind.Primitive() {
		return t.m.PrimitiveMembers().Elements
	}
	return p.Type.Elements
}

// enter calls visit for what can stand at an element: of an abstract resource
// every resource. All elements "contained" are one there, so that there are not as
// many as resources squared.
func (t *typer) enter(e *fhirmodel.Element, visit func(Possible)) {
	if e.Type.Kind == fhirmodel.Resource && e.Type.Abstract {
		if first := t.nesting[e.Name]; first != nil {
			e = first
		} else {
			t.nesting[e.Name] = e
		}
		for _, r := range t.resources {
			visit(Possible{Type: r, Element: e})
		}
		return
	}
	visit(Possible{Type: e.Type, Element: e})
}

// children are all nodes one step below.
func (t *typer) children(in *shape) *shape {
	out := &shape{any: in.any}
	for _, p := range in.nodes {
		for _, e := range t.elements(p) {
			t.enter(e, func(c Possible) { out.add(c) })
		}
	}
	return out
}

// below are all nodes below, without what is in nested resources if closed is
// set.
func (t *typer) below(in *shape, closed bool) *shape {
	out := &shape{any: in.any}
	todo := slices.Clone(in.nodes)
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range t.elements(p) {
			t.enter(e, func(c Possible) {
				if out.add(c) && !(closed && c.Type.Kind == fhirmodel.Resource) {
					todo = append(todo, c)
				}
			})
		}
	}
	return out
}

// named are the children with a name. The name with the type, such as
// valueQuantity, is understood too, but not in rule files.
func (t *typer) named(in *shape, name string) *shape {
	out := &shape{any: in.any}
	for _, p := range in.nodes {
		for _, e := range t.elements(p) {
			if e.Name == name || e.Choice && e.Key == name && !t.dialect.Rules {
				t.enter(e, func(c Possible) { out.add(c) })
			}
		}
	}
	if in.values&(1<<KindQuantity) != 0 {
		switch name {
		case "value":
			out.values |= 1 << KindDecimal
		case "unit", "code":
			out.values |= 1 << KindString
		}
	}
	if in.values&(1<<KindType) != 0 && (name == "name" || name == "namespace") {
		out.values |= 1 << KindString
	}
	return out
}

// childNames are the names of all children, for the nearest one.
func (t *typer) childNames(in *shape) []string {
	var names []string
	for _, p := range in.nodes {
		for _, e := range t.elements(p) {
			names = append(names, e.Name)
		}
	}
	return names
}
