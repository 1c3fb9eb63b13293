package anonymize

import "fhirdeid/anonymize/policy"

// substitute replaces a primitive's value by the rule's text. What is below the
// primitive, such as its extensions, is removed.
func (w *worker) substitute(i int32, n *node, r *policy.Rule) {
	if !n.state.direct {
		if !w.belowPrimitive(i) {
			w.fault(ReasonMethod, i, "a complex element cannot be substituted by a text")
			return
		}
		w.remove(n)
		return
	}
	w.record(i, opSubstitute)
	if r.ReplaceWith.Null {
		w.remove(n)
		return
	}
	w.setString(n, []byte(r.ReplaceWith.Text))
}

// belowPrimitive reports whether the node stands below a primitive that the same
// rule has reached.
func (w *worker) belowPrimitive(i int32) bool {
	rule := w.tape[i].state.rule
	for p := w.tape[i].parent; p >= 0; p = w.tape[p].parent {
		n := &w.tape[p]
		if n.state.rule != rule {
			return false
		}
		if n.typ.Kind.Primitive() {
			return true
		}
	}
	return false
}
