package anonymize

import (
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
)

// decide applies to each node the method of the rule that won it, and notes up
// to the root where something changed.
func (w *worker) decide() *LineError {
	w.begin()
	if len(w.lists) > 0 {
		w.applyRest()
		w.rebuild()
	}
	w.finish()
	return w.fail
}

// finish goes from the last node to the first: children come behind their parents,
// so one way back tells all parents. It applies what is not applied yet, and notes
// whether something below a node has changed, and whether anything is left.
func (w *worker) finish() {
	w.masks = w.masks[:0]
	for i := int32(len(w.tape)) - 1; i > 0; i-- {
		n := &w.tape[i]
		if n.flags&(hasValue|dropped|done) == hasValue {
			n.flags |= done
			q := slow
			if n.state != nil && len(w.claims) == 0 {
				q = n.state.quick
			}
			switch q {
			case leave:
			case drop, dropUnlisted:
				if n.elem == w.engine.postalCode && !w.strict {
					w.apply(i, n)
					break
				}
				w.methods[q.method()]++
				n.flags = n.flags&^hasValue | removed | touched
				if w.nested {
					w.record(i, opRedact)
				} else {
					w.tape[0].ops |= opRedact
				}
			default:
				if w.apply(i, n); w.fail != nil {
					return
				}
			}
		}
		p := &w.tape[n.parent]
		if n.flags&hasValue != 0 {
			n.flags |= alive
		}
		if n.flags&resource != 0 {
			n.flags |= alive
			if n.ops != 0 {
				w.recordAt(w.above(n.parent, 0), n.ops)
				p.flags |= touched
			}
		}
		if n.flags&(touched|alive) == touched|alive && (w.strict || n.typ == w.extensions) {
			w.complete(i, n)
		}
		up := n.flags & (dirty | touched | alive)
		if w.strict && p.typ == w.engine.extensionType && n.elem.Name == "url" {
			up &^= alive // an extension without a value is no FHIR
		}
		p.flags |= up
	}
	if w.strict && w.fail == nil {
		w.checkRequired(0)
	}
}

// quick is what is done to a value by most rules: nothing, or it is removed, without
// a look at it.
type quick uint8

const (
	slow         quick = iota // the method has to be asked
	leave                     // no rule decides the value
	drop                      // redact removes it
	dropUnlisted              // no rule of a strict policy decides it
)

func (q quick) method() int {
	if q == drop {
		return methodRedact
	}
	return unlisted
}

// quick is what a rule, or none, does to values of a type. What redact may leave in
// part it has to look at; of texts that is the postal code.
func (e *Engine) quick(rule int, t *fhirmodel.Type) quick {
	switch {
	case rule == none && e.strict:
		return dropUnlisted
	case rule == none:
		return leave
	case e.methods[rule] != methodRedact:
		return slow
	case e.strict:
		return drop
	}
	switch t.Kind {
	case fhirmodel.Date, fhirmodel.DateTime, fhirmodel.Instant, fhirmodel.Decimal:
		return slow
	}
	return drop
}

// complete drops what cannot stand without what it has lost.
func (w *worker) complete(i int32, n *node) {
	switch {
	case w.strict && n.flags&resource != 0 && w.dropsWhole(i):
		n.flags &^= alive
	case w.strict:
		w.checkRequired(i)
	case !w.engine.exact && n.typ == w.engine.extensionType && w.lostURL(i):
		w.dropAll(i) // nobody could tell what is left of it
	}
}

// begin does what has to be done before values are looked at one by one.
func (w *worker) begin() {
	w.values = w.values[:0]
	clear(w.methods[:])
	w.shiftBefore, w.shiftAfter, w.owner = shift{}, shift{}, ownerShift{}
	w.rootID = -1
	for i := int32(1); i < int32(len(w.tape)); i++ {
		n := &w.tape[i]
		if n.parent == 0 && n.elem.NoExtension && n.elem.Name == "id" {
			w.rootID = i
			break
		}
	}
	if w.engine.special {
		w.decideSpecial()
	}
	if w.strict {
		w.dropByList()
	}
}

// applyRest applies the methods to the values that have not met theirs yet.
func (w *worker) applyRest() {
	for i := range w.tape {
		n := &w.tape[i]
		if n.flags&(hasValue|dropped|done) != hasValue || w.fail != nil {
			continue
		}
		n.flags |= done
		w.apply(int32(i), n)
	}
}

// decideSpecial does what only some policies need: rules whose paths have to be
// evaluated, and methods that work on more than a primitive with a value.
func (w *worker) decideSpecial() {
	w.claims, w.skippable = w.claims[:0], false
	clear(w.lists)
	if w.refuseUnknown(); w.fail != nil {
		return
	}
	if len(w.engine.generals) > 0 {
		w.evaluate()
	}
	if !w.engine.elements {
		return
	}
	if w.engine.substitutes && w.fail == nil {
		w.settleBefore(0, never)
		return
	}
	for i := int32(0); int(i) < len(w.tape) && w.fail == nil; i++ {
		if c := w.claimOf(i); c.rule != none && !w.tape[i].typ.Kind.Primitive() && w.engine.policy.Rules[c.rule].Method == policy.GeneralizeBy {
			w.applyNow(i)
		}
	}
}

// refuseUnknown refuses a resource that a rule with an unknown method applies to.
func (w *worker) refuseUnknown() {
	for _, rule := range w.engine.unknown {
		for i := range w.tape {
			if n := &w.tape[i]; n.flags&resource != 0 && appliesTo(w.engine.policy.Rules[rule].Prefix, n.typ.Name) {
				w.fault(ReasonMethod, int32(i), w.ruleText(rule)+": its method is unknown")
				return
			}
		}
	}
}

// applyNow applies to a node what decides it, ahead of its turn.
func (w *worker) applyNow(i int32) {
	n := &w.tape[i]
	if n.flags&(done|dropped) != 0 {
		return
	}
	c := w.claimOf(i)
	if c.rule != none {
		switch r := &w.engine.policy.Rules[c.rule]; {
		case r.Method == policy.Substitute:
			w.substitute(i, c)
			return
		case r.Method == policy.GeneralizeBy && c.direct && !n.typ.Kind.Primitive() && !w.belowPrimitive(i):
			w.fault(ReasonMethod, i, w.ruleText(c.rule)+": generalize applies to primitive elements only")
			return
		}
	}
	n.flags |= done
	if n.flags&hasValue != 0 {
		w.apply(i, n)
	}
}

// apply applies the winning rule to a primitive with a value.
func (w *worker) apply(i int32, n *node) {
	c := w.claimOf(i)
	if c.rule == none {
		if w.strict {
			w.methods[unlisted]++
			w.redact(i, n, false)
		}
		return
	}
	m := w.engine.methods[c.rule]
	w.methods[m]++
	switch m { // the two that most values meet
	case methodKeep:
	case methodRedact:
		w.redact(i, n, !w.strict)
	default:
		if apply := w.engine.table[m].apply; apply != nil {
			apply(w, i, n, c)
		}
	}
}

// belowPrimitive reports whether the node stands below a primitive that the same
// rule has reached.
func (w *worker) belowPrimitive(i int32) bool {
	rule := w.claimOf(i).rule
	for p := w.tape[i].parent; p >= 0 && w.claimOf(p).rule == rule; p = w.tape[p].parent {
		if w.tape[p].typ.Kind.Primitive() {
			return true
		}
	}
	return false
}

// isQuantity reports whether a type is Quantity or one that is made of it.
func isQuantity(t *fhirmodel.Type) bool {
	switch t.Name {
	case "Age", "Count", "Duration", "Distance", "Money", "Quantity", "MoneyQuantity", "SimpleQuantity":
		return true
	}
	return false
}
