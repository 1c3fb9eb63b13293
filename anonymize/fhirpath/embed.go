package fhirpath

// What a program needs that takes expressions apart and puts nodes in.

// NodeItem is a node of the document as an item.
func NodeItem(n int32) Item { return nodeItem(n) }

// WithRoot is the expression with another outermost part, in the same dialect.
func (x *Expression) WithRoot(root Node) *Expression {
	return &Expression{Root: root, Dialect: x.Dialect, text: x.text}
}

// TypeArgument reads the argument of ofType(), as() and is(), which is a type
// written as an expression; ok is false where it is none.
func TypeArgument(x Node) (t TypeName, ok bool) { return typeOf(x) }

// Value is the System value of an item of the last evaluation; ok is false for an
// element without one.
func (e *Evaluator) Value(i Item) (v Item, ok bool) { return e.value(i) }

// Truth is an item of the last evaluation as a boolean; ok is false where it is
// none.
func (e *Evaluator) Truth(i Item) (holds, ok bool) {
	v, ok := e.value(i)
	if !ok || v.Kind != KindBoolean {
		return false, false
	}
	return v.num != 0, true
}
