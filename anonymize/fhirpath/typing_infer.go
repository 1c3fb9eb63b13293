package fhirpath

import "fhirdeid/anonymize/fhirmodel"

// infer finds the shape of a part with a focus.
func (t *typer) infer(x Node, focus *shape) *shape {
	if t.depth++; t.depth > 2*maxNesting {
		t.depth--
		return anyShape()
	}
	defer func() { t.depth-- }()
	switch x := x.(type) {
	case *Literal:
		s := valueShape(x.Value.Kind)
		s.never = x.Value.Kind == KindBoolean && !x.Value.IsTrue()
		return s
	case *Empty:
		return &shape{}
	case *Special:
		switch x.Name {
		case "index":
			return valueShape(KindInteger)
		case "total":
			return t.scope.total
		}
		return t.scope.this
	case *Variable:
		return t.variable(x)
	case *Member:
		return t.member(x, focus)
	case *Index:
		in := t.infer(x.Input, focus)
		if t.infer(x.Of, t.scope.this).empty() {
			return &shape{}
		}
		return in.filter(func(Possible) bool { return true })
	case *Call:
		return t.call(x, focus)
	case *Unary:
		in := t.infer(x.X, focus)
		if in.empty() {
			return in
		}
		return numbersOf(in.kinds())
	case *Binary:
		return t.binary(x, focus)
	case *TypeTest:
		in := t.infer(x.X, focus)
		if x.As {
			return t.ofType(x, in, x.Type)
		}
		return t.isType(in, x.Type)
	}
	return anyShape() // a Slot, or what is new
}

// alone is infer for a part whose variables nobody else sees.
func (t *typer) alone(x Node, focus *shape) *shape {
	vars := t.scope.vars
	s := t.infer(x, focus)
	t.scope.vars = vars
	return s
}

// each is infer for a part that is evaluated for each item, as $this.
func (t *typer) each(x Node, in *shape) *shape {
	saved := t.scope
	t.scope.this = in
	s := t.infer(x, in)
	t.scope = saved
	return s
}

func (t *typer) variable(x *Variable) *shape {
	for v := t.scope.vars; v != nil; v = v.next {
		if v.name == x.Name {
			return v.value
		}
	}
	if _, ok := constant(x.Name); ok {
		return valueShape(KindString)
	}
	switch x.Name {
	case "context":
		return t.context
	case "resource":
		for _, p := range t.context.nodes {
			if p.Type.Kind != fhirmodel.Resource {
				return anyShape() // the context stands in an unknown resource
			}
		}
		return t.context
	}
	return anyShape()
}

func (t *typer) member(x *Member, focus *shape) *shape {
	if x.Input != nil {
		return t.step(x.position(), t.infer(x.Input, focus), x.Name)
	}
	if x.Name == "" || x.Name[0] < 'A' || x.Name[0] > 'Z' {
		return t.step(x.position(), focus, x.Name)
	}
	named := focus.filter(func(p Possible) bool { return t.isContextType(p.Type, x.Name) })
	named.values = 0
	if len(named.nodes) > 0 || focus.any {
		return named
	}
	return t.step(x.position(), focus, x.Name)
}

func (t *typer) isContextType(typ *fhirmodel.Type, name string) bool {
	if typ.Name == name {
		return true
	}
	return typ.Kind == fhirmodel.Resource && (name == "Resource" || name == "DomainResource" && (t.dialect.Rules || isDomainResource(typ.Name)))
}

// step goes to the children with a name.
func (t *typer) step(position int, in *shape, name string) *shape {
	out := t.named(in, name)
	if out.empty() && !in.empty() {
		if name == "resourceType" && !t.dialect.Rules {
			return valueShape(KindString)
		}
		t.remarkAt(position, NoElement, name, in, t.nearestElement(in, name))
	}
	return out
}

// nearestElement is the element that was perhaps meant. Where the name has its
// type behind it, that is the element without.
func (t *typer) nearestElement(in *shape, name string) string {
	for _, p := range in.nodes {
		for _, e := range t.elements(p) {
			if e.Choice && e.Key == name {
				return e.Name
			}
		}
	}
	return Nearest(name, t.childNames(in))
}

// typeIs reports whether a node can be of a type; a System type may be that of
// any primitive.
func (t *typer) typeIs(p Possible, want TypeName) bool {
	if want.Namespace == "System" || want.Name == "String" {
		return p.Type.Kind.Primitive() || want.Name == "Quantity" && kindsOf(p.Type) == 1<<KindQuantity
	}
	if p.Type.Name == want.Name || want.Name == "Any" {
		return true
	}
	if t.dialect.Rules {
		return false
	}
	for name := base(p.Type); name != ""; {
		if name == want.Name {
			return true
		}
		super := t.m.Type(name)
		if super == nil {
			return name == "Quantity" && want.Name == "Element"
		}
		name = base(super)
	}
	// Abstract types that only later versions have are not told apart.
	super := t.m.Type(want.Name)
	return super != nil && super.Abstract
}

// ofType leaves what is of a type. Values have System types.
func (t *typer) ofType(n Node, in *shape, want TypeName) *shape {
	out := in.filter(func(p Possible) bool { return t.typeIs(p, want) })
	if want.Namespace == "FHIR" || !systemTypes[want.Name] {
		out.values = 0
	}
	if out.empty() && !in.empty() {
		nearest := ""
		if t.m.Type(want.Name) == nil {
			nearest = Nearest(want.Name, t.m.TypeNames())
		}
		t.remark(n, NoType, want.Name, in, nearest)
	}
	return out
}

func (t *typer) isType(in *shape, want TypeName) *shape {
	if in.empty() {
		return in
	}
	s := valueShape(KindBoolean)
	s.never = !in.any && in.values == 0 && len(in.filter(func(p Possible) bool { return t.typeIs(p, want) }).nodes) == 0
	return s
}

func numbersOf(kinds uint16) *shape {
	const numbers = 1<<KindInteger | 1<<KindLong | 1<<KindDecimal | 1<<KindQuantity
	if kinds&numbers == 0 {
		kinds = numbers
	}
	return &shape{values: kinds & numbers}
}

func (t *typer) binary(x *Binary, focus *shape) *shape {
	l := t.alone(x.Left, focus)
	r := t.alone(x.Right, focus)
	switch x.Op {
	case "|":
		t.checkUnion(x, "|", l, r)
		return joined(l, r)
	case "and":
		s := valueShape(KindBoolean)
		s.never = !l.canHold() || !r.canHold()
		return s
	case "or", "xor":
		s := valueShape(KindBoolean)
		s.never = !l.canHold() && !r.canHold()
		return s
	case "implies", "~", "!~":
		return valueShape(KindBoolean)
	case "in", "contains":
		s := valueShape(KindBoolean)
		s.never = l.empty() || r.empty()
		return s
	case "&":
		return valueShape(KindString)
	}
	// The others give nothing where an operand is empty.
	if l.empty() || r.empty() {
		return &shape{}
	}
	switch x.Op {
	case "=", "!=":
		return valueShape(KindBoolean)
	case "<", "<=", ">", ">=":
		if !comparable(l.kinds(), r.kinds()) {
			t.remark(x, Incomparable, x.Op, joined(l, r), "")
		}
		return valueShape(KindBoolean)
	}
	return &shape{values: l.kinds() | r.kinds()} // arithmetic
}

// comparable reports whether values of some of the kinds can be ordered: equal
// kinds, numbers with numbers, a date with a date and time.
func comparable(a, b uint16) bool {
	const numbers = 1<<KindInteger | 1<<KindLong | 1<<KindDecimal | 1<<KindQuantity
	const dates = 1<<KindDate | 1<<KindDateTime
	return a&b != 0 || a&numbers != 0 && b&numbers != 0 || a&dates != 0 && b&dates != 0
}

// checkUnion notes a union of nodes.
func (t *typer) checkUnion(n Node, name string, l, r *shape) {
	if len(l.nodes) > 0 || len(r.nodes) > 0 || l.any || r.any {
		t.remark(n, UnionOfNodes, name, joined(l, r), "")
	}
}
