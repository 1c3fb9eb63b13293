package fhirpath

import (
	"bytes"
	"math"

	"github.com/cockroachdb/apd/v3"
)

func (e *Evaluator) unary(x *Unary, focus Collection) Collection {
	c := e.alone(x.X, focus)
	if len(c) == 0 || e.err != nil {
		return nil
	}
	v, ok := e.value(c[0])
	if len(c) > 1 || !ok {
		return e.fail(x, "%s takes one number", x.Op)
	}
	switch v.Kind {
	case KindInteger, KindLong:
		if x.Op == "-" {
			v.num = -v.num
		}
		return e.list(v)
	case KindDecimal:
		if x.Op == "-" {
			d := negative(v.decimal())
			if n, err := d.Int64(); err == nil && n == math.MinInt32 && d.Exponent == 0 {
				return e.list(Integer(n)) // its digits alone are no Integer
			}
			v = decimalItem(d)
		}
		return e.list(v)
	case KindQuantity:
		q := v.quantity()
		if x.Op == "-" {
			q = q.with(negative(q.value))
		}
		return e.list(q.item())
	}
	return e.fail(x, "%s takes one number", x.Op)
}

func negative(d *apd.Decimal) *apd.Decimal { return new(apd.Decimal).Neg(d) }

func (e *Evaluator) binary(x *Binary, focus Collection) Collection {
	if isCondition(x.Op) {
		return e.condition(e.decide(x, focus))
	}
	left := e.alone(x.Left, focus)
	right := e.alone(x.Right, focus)
	if e.err != nil {
		return nil
	}
	switch x.Op {
	case "|":
		return e.union(left, right)
	case "&":
		return e.concatenate(x, left, right)
	}
	return e.arithmetic(x, left, right)
}

// union is both without duplicates.
func (e *Evaluator) union(a, b Collection) Collection {
	d := e.startDistinct()
	for _, i := range a {
		d.push(i)
	}
	for _, i := range b {
		d.push(i)
	}
	return d.done()
}

// concatenate is &: an empty side is an empty text.
func (e *Evaluator) concatenate(x Node, left, right Collection) Collection {
	var text []byte
	for _, c := range [2]Collection{left, right} {
		if len(c) > 1 {
			return e.fail(x, "& takes single items")
		}
		if len(c) == 1 {
			v, ok := e.value(c[0])
			switch {
			case !ok && !e.isPrimitive(c[0]), ok && v.Kind != KindString && (!isTemporal(v) || c[0].Kind != KindNode):
				return e.fail(x, "& takes texts")
			case ok && v.Kind == KindString:
				text = append(text, v.text()...)
			case ok: // FHIR has dates as texts
				text = append(text, v.Text()...)
			}
		}
	}
	return e.newText(x, text)
}

// arithmetic is + - * / div mod.
func (e *Evaluator) arithmetic(x *Binary, left, right Collection) Collection {
	if len(left) == 0 || len(right) == 0 {
		return nil
	}
	if len(left) > 1 || len(right) > 1 {
		return e.fail(x, "%s takes single items", x.Op)
	}
	a, ok1 := e.value(left[0])
	b, ok2 := e.value(right[0])
	if !ok1 || !ok2 {
		return nil
	}
	switch {
	case a.isNumber() && b.isNumber():
		return e.numbers(x, a, b)
	case x.Op == "+" && a.Kind == KindString && b.Kind == KindString:
		return e.newText(x, append(bytes.Clone(a.text()), b.text()...))
	case x.Op == "+" && a.Kind == KindQuantity && isTemporal(b):
		return e.arithmetic(x, right, left)
	case (x.Op == "+" || x.Op == "-") && isTemporal(a) && b.Kind == KindQuantity:
		sign := 1
		if x.Op == "-" {
			sign = -1
		}
		t, ok, err := a.temporal().addQuantity(b.quantity(), sign)
		if err != nil {
			return e.fail(x, "%s", err.Error())
		}
		if !ok {
			return nil
		}
		return e.list(t.item())
	case a.Kind == KindQuantity || b.Kind == KindQuantity:
		p, ok1 := asQuantity(a)
		q, ok2 := asQuantity(b)
		if ok1 && ok2 {
			return e.quantities(x, p, q)
		}
	}
	return e.fail(x, "%s does not take %s and %s", x.Op, a.Kind, b.Kind)
}
