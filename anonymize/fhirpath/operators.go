package fhirpath

import (
	"bytes"
	"strings"

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
			v = decimalItem(negative(v.decimal()))
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

func (e *Evaluator) numbers(x *Binary, a, b Item) Collection {
	if a.Kind != KindDecimal && b.Kind != KindDecimal && x.Op != "/" {
		return e.wholeNumbers(x.Op, a, b)
	}
	d, ok := calculate(x.Op, a.decimal(), b.decimal())
	if !ok {
		return nil
	}
	if x.Op == "div" {
		n, err := d.Int64()
		if err != nil {
			return nil
		}
		if e.dialect.Microsoft { // of decimals it is a Long there
			return e.list(Item{Kind: KindLong, Node: None, num: n})
		}
		return e.list(Integer(n))
	}
	return e.list(decimalItem(d))
}

// wholeNumbers calculates with integers; what is too large is nothing.
func (e *Evaluator) wholeNumbers(op string, a, b Item) Collection {
	kind := max(a.Kind, b.Kind)
	x, y := apd.NewBigInt(a.num), apd.NewBigInt(b.num)
	r := new(apd.BigInt)
	switch op {
	case "+":
		r.Add(x, y)
	case "-":
		r.Sub(x, y)
	case "*":
		r.Mul(x, y)
	default:
		if b.num == 0 {
			return nil
		}
		if op == "div" {
			r.Quo(x, y)
		} else {
			r.Rem(x, y)
		}
	}
	if !r.IsInt64() || kind == KindInteger && (r.Int64() > 1<<31-1 || r.Int64() < -1<<31) {
		return nil
	}
	return e.list(Item{Kind: kind, Node: None, num: r.Int64()})
}

// calculate calculates with decimals; ok is false where there is no result.
func calculate(op string, a, b *apd.Decimal) (*apd.Decimal, bool) {
	r := new(apd.Decimal)
	var err error
	switch op {
	case "+":
		_, err = wide.Add(r, a, b)
	case "-":
		_, err = wide.Sub(r, a, b)
	case "*":
		_, err = wide.Mul(r, a, b)
	default:
		if b.IsZero() {
			return nil, false
		}
		switch op {
		case "/":
			narrow := wide
			narrow.Precision = 28
			if _, err = narrow.Quo(r, a, b); err == nil && r.Exponent < 0 {
				r.Reduce(r)
			}
		case "div":
			_, err = wide.QuoInteger(r, a, b)
		case "mod":
			_, err = wide.Rem(r, a, b)
		}
	}
	if err == nil && r.Exponent > 0 {
		_, err = wide.Quantize(r, r, 0)
	}
	return r, err == nil && r.Form == apd.Finite
}

func (e *Evaluator) quantities(x *Binary, a, b quantity) Collection {
	switch x.Op {
	case "+", "-":
		return e.addQuantities(x, a, b)
	case "*", "/":
		return e.multiplyQuantities(x, a, b)
	}
	p, ok1 := a.pure()
	q, ok2 := b.pure()
	if !ok1 || !ok2 {
		return e.fail(x, "%s does not take quantities with units", x.Op)
	}
	return e.numbers(x, decimalItem(p), decimalItem(q))
}

// addQuantities gives the sum in the finer of the two units.
func (e *Evaluator) addQuantities(x *Binary, a, b quantity) Collection {
	a, b = settle(a, b)
	if _, _, ok := sameMeasure(a, b, true); !ok {
		return nil
	}
	if a.calendar != b.calendar && (a.unit == "a" || b.unit == "a" || a.unit == "mo" || b.unit == "mo") {
		return nil
	}
	unit, ok := finer(a, b)
	if !ok {
		if a.unit != b.unit || !knownUnits(a, b) {
			return nil
		}
		unit = a.unit
	}
	if a.unit != b.unit {
		a, ok = a.convertTo(unit)
		var ok2 bool
		if b, ok2 = b.convertTo(unit); !ok || !ok2 {
			return nil
		}
	}
	d, ok := calculate(x.Op, a.value, b.value)
	if !ok {
		return nil
	}
	a.either = false
	return e.list(a.with(d).item())
}

// multiplyQuantities multiplies or divides. A calendar duration only takes
// numbers.
func (e *Evaluator) multiplyQuantities(x *Binary, a, b quantity) Collection {
	number, plain := b.pure()
	if !plain && x.Op == "*" {
		if number, plain = a.pure(); plain {
			a = b
		}
	}
	if plain {
		d, ok := calculate(x.Op, a.value, number)
		if !ok || !a.calendar && !knownUnits(a, a) {
			return nil
		}
		return e.list(a.with(d).item())
	}
	if a.calendar || b.calendar || !knownUnits(a, b) {
		return nil
	}
	d, ok := calculate(x.Op, a.value, b.value)
	if !ok {
		return nil
	}
	return e.list(newQuantity(d, joinUnits(x.Op, a.unit, b.unit), false))
}

func knownUnits(a, b quantity) bool {
	_, ok1 := parseUnit(a.unit)
	_, ok2 := parseUnit(b.unit)
	return (ok1 || a.calendar) && (ok2 || b.calendar)
}

// joinUnits is the unit of a product or a quotient.
func joinUnits(op, x, y string) string {
	switch {
	case op == "/" && x == y:
		return "1"
	case op == "/":
		if strings.ContainsAny(y, "./") {
			y = "(" + y + ")"
		}
		if x == "1" {
			return "/" + y
		}
		return x + "/" + y
	case x == "1":
		return y
	}
	return x + "." + y
}
