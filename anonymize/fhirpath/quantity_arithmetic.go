package fhirpath

import "strings"

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
