package fhirpath

import "bytes"

// truth is a condition: unknown where it is empty.
type truth int8

const (
	no truth = iota
	yes
	unknown
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func not(t truth) truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unknown
}

// truth takes a collection as a condition: a boolean is itself, another single
// item is true (https://hl7.org/fhirpath/#singleton-evaluation-of-collections).
func (e *Evaluator) truth(n Node, c Collection) truth {
	switch len(c) {
	case 0:
		return unknown
	case 1:
		if v, ok := e.value(c[0]); ok && v.Kind == KindBoolean {
			return truthOf(v.num != 0)
		}
		return yes
	}
	e.fail(n, "a condition has more than one item")
	return unknown
}

func (e *Evaluator) condition(t truth) Collection {
	if t == unknown {
		return nil
	}
	return e.boolean(t == yes)
}

// test evaluates a part as a condition, without making a collection of it where
// that can be.
func (e *Evaluator) test(x Node, focus Collection) truth {
	mark := e.mark()
	var t truth
	switch x := x.(type) {
	case *Binary:
		if isCondition(x.Op) && e.spend(1) {
			return e.decide(x, focus)
		}
		t = e.truth(x, e.alone(x, focus))
	case *TypeTest:
		if !x.As && e.spend(1) {
			t = e.is(x, e.alone(x.X, focus), x.Type)
			break
		}
		t = e.truth(x, e.alone(x, focus))
	default:
		t = e.truth(x, e.alone(x, focus))
	}
	e.arena = e.arena[:mark]
	return t
}

// isCondition reports whether an operator gives a boolean or nothing.
func isCondition(op string) bool {
	switch op {
	case "|", "&", "+", "-", "*", "/", "div", "mod":
		return false
	}
	return true
}

// decide evaluates an operator that gives a boolean or nothing. The right side of
// and, or and implies is not evaluated where the left one is enough.
func (e *Evaluator) decide(x *Binary, focus Collection) truth {
	switch x.Op {
	case "and", "or", "xor", "implies":
		return e.logic(x, focus)
	}
	mark := e.mark()
	left := e.alone(x.Left, focus)
	right := e.alone(x.Right, focus)
	if e.err != nil {
		return unknown
	}
	t := unknown
	switch x.Op {
	case "=":
		t = e.equal(left, right)
	case "!=":
		t = not(e.equal(left, right))
	case "~":
		t = truthOf(e.equivalent(left, right))
	case "!~":
		t = truthOf(!e.equivalent(left, right))
	case "in":
		t = e.contains(x, right, left)
	case "contains":
		t = e.contains(x, left, right)
	case "<", "<=", ">", ">=":
		t = e.compare(x, left, right)
	default:
		e.fail(x, "there is no operator %s", x.Op)
	}
	e.arena = e.arena[:mark]
	return t
}

// logic is three-valued: https://hl7.org/fhirpath/#boolean-logic.
func (e *Evaluator) logic(x *Binary, focus Collection) truth {
	a := e.test(x.Left, focus)
	switch {
	case e.err != nil:
		return unknown
	case x.Op == "and" && a == no:
		return no
	case x.Op == "or" && a == yes, x.Op == "implies" && a == no:
		return yes
	}
	b := e.test(x.Right, focus)
	switch x.Op {
	case "and":
		if b == no || a == yes && b == yes {
			return b
		}
	case "or":
		if b == yes || a == no && b == no {
			return b
		}
	case "xor":
		if a != unknown && b != unknown {
			return truthOf(a != b)
		}
	case "implies":
		if b == yes || a == yes && b == no {
			return b
		}
	}
	return unknown
}

// contains looks for one item in a collection, by what it holds.
func (e *Evaluator) contains(x Node, in, of Collection) truth {
	if len(of) == 0 {
		return unknown
	}
	if len(of) > 1 {
		e.fail(x, "in and contains look for one item")
		return unknown
	}
	if !e.spend(len(in)) {
		return unknown
	}
	for _, i := range in {
		if e.equalItems(i, of[0]) == yes {
			return yes
		}
	}
	return no
}

func (e *Evaluator) compare(x *Binary, left, right Collection) truth {
	if len(left) == 0 || len(right) == 0 {
		return unknown
	}
	if len(left) > 1 || len(right) > 1 {
		e.fail(x, "%s compares single items", x.Op)
		return unknown
	}
	a, ok1 := e.value(left[0])
	b, ok2 := e.value(right[0])
	if !ok1 || !ok2 {
		if e.isPrimitive(left[0]) || e.isPrimitive(right[0]) {
			return unknown // a primitive without a value
		}
		e.fail(x, "%s does not compare these types", x.Op)
		return unknown
	}
	order, t, fits := e.order(a, b)
	if !fits {
		e.fail(x, "%s does not compare %s with %s", x.Op, a.Kind, b.Kind)
		return unknown
	}
	if t == unknown {
		return unknown
	}
	switch x.Op {
	case "<":
		return truthOf(order < 0)
	case "<=":
		return truthOf(order <= 0)
	case ">":
		return truthOf(order > 0)
	}
	return truthOf(order >= 0)
}

// order compares two values; fits is false where their types cannot be.
func (e *Evaluator) order(a, b Item) (order int, t truth, fits bool) {
	switch {
	case a.isNumber() && b.isNumber():
		return compareNumbers(a, b), yes, true
	case a.Kind == KindString && b.Kind == KindString:
		return bytes.Compare(a.text(), b.text()), yes, true
	case isTemporal(a) && isTemporal(b):
		x, y := a.temporal(), b.temporal()
		if !sameTemporalKind(x, y) {
			return 0, no, false
		}
		order, known := e.compareTemporal(x, y)
		if !known {
			return 0, unknown, true
		}
		return order, yes, true
	case isTemporal(a) && b.Kind == KindString && !e.dialect.Rules:
		if y, ok := parseTemporal(b.text(), a.temporal().of); ok {
			return e.order(a, y.item())
		}
	case a.Kind == KindString && isTemporal(b) && !e.dialect.Rules:
		if x, ok := parseTemporal(a.text(), b.temporal().of); ok {
			return e.order(x.item(), b)
		}
	case a.Kind == KindQuantity || b.Kind == KindQuantity:
		p, ok1 := asQuantity(a)
		q, ok2 := asQuantity(b)
		if !ok1 || !ok2 {
			return 0, no, false
		}
		v, w, ok := sameMeasure(p, q, true)
		if !ok {
			return 0, unknown, true
		}
		return v.Cmp(w), yes, true
	}
	return 0, no, false
}
