package anonymize

import (
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// generalize replaces a value by what the first case gives whose condition holds.
// What stands below a primitive, such as its extensions, would tell what the
// value no longer does, and is removed.
func (w *worker) generalize(i int32, n *node, c claim) {
	r := &w.engine.policy.Rules[c.rule]
	if w.belowPrimitive(i) {
		w.record(i, opGeneralize)
		w.remove(n)
		return
	}
	w.record(i, opGeneralize)
	v := &view{w, w.decidedAt(i), i}
	evaluator := w.enter()
	defer w.leave()
	for _, k := range r.Generalize.Cases {
		holds, ok := w.holds(i, c, evaluator, v, k.Condition)
		if !ok {
			return
		}
		if !holds {
			continue
		}
		items, err := evaluator.Eval(k.Target, v, i)
		switch {
		case err != nil:
			w.faultProcessing(i, w.ruleText(c.rule)+": a case cannot be evaluated: "+err.Error())
		case len(items) > 1:
			w.faultProcessing(i, w.ruleText(c.rule)+": a case gives more than one value")
		case len(items) == 0:
			w.remove(n)
		default:
			w.setItem(i, n, evaluator, items[0])
		}
		return
	}
	if !r.Generalize.KeepOthers {
		w.remove(n)
	}
}

// holds evaluates a condition. To Microsoft's tool a condition also holds that
// gives nothing, as a comparison with a date of another precision does, so that
// a value meant for another case, or for none, comes through.
func (w *worker) holds(i int32, c claim, evaluator *fhirpath.Evaluator, v *view, condition *fhirpath.Expression) (holds, ok bool) {
	items, err := evaluator.Eval(condition, v, i)
	if err != nil {
		w.faultProcessing(i, w.ruleText(c.rule)+": a condition cannot be evaluated: "+err.Error())
		return false, false
	}
	if len(items) == 1 {
		if value, isBoolean := evaluator.Truth(items[0]); isBoolean {
			return value, true
		}
	}
	return w.engine.exact, true
}

// setItem gives a node the value of an item: as a number or a boolean where the
// element is one, else as a text. Microsoft's tool writes a long number, which is
// what div of decimals gives, as a text.
func (w *worker) setItem(i int32, n *node, evaluator *fhirpath.Evaluator, item fhirpath.Item) {
	if item.Kind == fhirpath.KindNode {
		if item.Node == i {
			return
		}
		value, ok := evaluator.Value(item)
		if !ok {
			w.faultProcessing(i, "a case gives an element without a value")
			return
		}
		item = value
	}
	bare, number := false, n.typ.Kind == fhirmodel.Integer || n.typ.Kind == fhirmodel.Decimal
	switch item.Kind {
	case fhirpath.KindBoolean:
		bare = n.typ.Kind == fhirmodel.Boolean
	case fhirpath.KindInteger, fhirpath.KindDecimal:
		bare = number
	case fhirpath.KindLong:
		bare = number && !w.engine.exact
	}
	if !bare {
		w.setString(n, []byte(item.Text()))
		return
	}
	begin := len(w.values)
	w.values = append(w.values, item.Text()...)
	w.set(n, begin)
}

// faultProcessing is a fault that "processingErrors": "skip" passes over.
func (w *worker) faultProcessing(i int32, detail string) {
	if w.fail == nil { // the first fault counts
		w.skippable = true
	}
	w.fault(ReasonMethod, i, detail)
}
