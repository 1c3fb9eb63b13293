package fhirpath

// Rewrite is the expression with parts replaced: f is called for each part,
// those inside before those around them, and gives the part or another in its
// place. The expression itself is not changed. Nodes may be put there that were
// found before, as Slots:
//
//	y := x.Rewrite(func(n fhirpath.Node) fhirpath.Node {
//		if m, ok := n.(*fhirpath.Member); ok && m.Input == nil && m.Name == "identifier" {
//			return &fhirpath.Slot{Number: 0}
//		}
//		return n
//	})
//
// The arguments of is, as and ofType are types, not parts, and are left alone.
func (x *Expression) Rewrite(f func(Node) Node) *Expression {
	root := rewrite(x.Root, f)
	return &Expression{Root: root, Dialect: x.Dialect, text: Format(root)}
}

// rewrite copies a part with what f makes of the parts in it. nil stays nil.
func rewrite(n Node, f func(Node) Node) Node {
	switch x := n.(type) {
	case nil:
		return nil
	case *Member:
		c := *x
		c.Input = rewrite(x.Input, f)
		n = &c
	case *Call:
		c := *x
		c.Input = rewrite(x.Input, f)
		if !x.takesType() {
			c.Args = make([]Node, len(x.Args))
			for i, arg := range x.Args {
				c.Args[i] = rewrite(arg, f)
			}
			c.pattern = nil
			if x.fn != nil && x.fn.check != nil {
				x.fn.check(&c)
			}
		}
		n = &c
	case *Index:
		c := *x
		c.Input, c.Of = rewrite(x.Input, f), rewrite(x.Of, f)
		n = &c
	case *Unary:
		c := *x
		c.X = rewrite(x.X, f)
		n = &c
	case *Binary:
		c := *x
		c.Left, c.Right = rewrite(x.Left, f), rewrite(x.Right, f)
		n = &c
	case *TypeTest:
		c := *x
		c.X = rewrite(x.X, f)
		n = &c
	}
	return f(n)
}

// Walk calls f for each part of an expression, those around before those inside;
// where f says false, what is inside is passed over. The arguments of is, as and
// ofType are types, not parts.
func Walk(n Node, f func(Node) bool) {
	if n == nil || !f(n) {
		return
	}
	switch x := n.(type) {
	case *Member:
		Walk(x.Input, f)
	case *Call:
		Walk(x.Input, f)
		if !x.takesType() {
			for _, arg := range x.Args {
				Walk(arg, f)
			}
		}
	case *Index:
		Walk(x.Input, f)
		Walk(x.Of, f)
	case *Unary:
		Walk(x.X, f)
	case *Binary:
		Walk(x.Left, f)
		Walk(x.Right, f)
	case *TypeTest:
		Walk(x.X, f)
	}
}

func (x *Call) takesType() bool { return x.fn != nil && x.fn.typeArg }
