package fhirpath

import (
	"bytes"

	"github.com/cockroachdb/apd/v3"

	"fhirdeid/anonymize/fhirmodel"
)

// equalItems compares two items as = does; unknown where precisions or units do
// not tell.
func (e *Evaluator) equalItems(a, b Item) truth {
	switch {
	case a.Kind == KindNode && b.Kind == KindString && e.isText(a.Node): // the most frequent of all
		return e.equalText(a.Node, b)
	case b.Kind == KindNode && a.Kind == KindString && e.isText(b.Node):
		return e.equalText(b.Node, a)
	}
	x, ok1 := e.value(a)
	y, ok2 := e.value(b)
	if !ok1 || !ok2 {
		if ok1 != ok2 || a.Kind != KindNode || b.Kind != KindNode {
			return no
		}
		return truthOf(e.sameTree(a.Node, b.Node))
	}
	return e.equalValues(x, y)
}

// isText reports whether a node is a primitive with texts as values.
func (e *Evaluator) isText(n int32) bool {
	typ := e.doc.Type(n)
	return typ.Kind == fhirmodel.String && typ.Name != "integer64"
}

func (e *Evaluator) equalText(n int32, s Item) truth {
	text, ok := e.doc.Text(n)
	return truthOf(ok && bytes.Equal(text, s.text()))
}

func (e *Evaluator) equalValues(x, y Item) truth {
	switch {
	case x.isNumber() && y.isNumber():
		if compareNumbers(x, y) == 0 {
			return yes
		}
		if x.Kind != KindDecimal && y.Kind != KindDecimal || e.dialect.Rules {
			return no
		}
		return truthOf(e.equalNumbers(x.decimal(), y.decimal()))
	case x.Kind == KindQuantity || y.Kind == KindQuantity:
		p, ok1 := asQuantity(x)
		q, ok2 := asQuantity(y)
		if !ok1 || !ok2 {
			return no
		}
		v, w, ok := sameMeasure(p, q, true)
		if !ok {
			if knownUnits(p, q) {
				return unknown
			}
			return no
		}
		if v == p.value && w == q.value || p.unit == "1" || q.unit == "1" { // the units are the same, or none
			return truthOf(e.equalNumbers(v, w))
		}
		return truthOf(v.Cmp(w) == 0)
	case isTemporal(x) && isTemporal(y):
		t, u := x.temporal(), y.temporal()
		if !sameTemporalKind(t, u) {
			return no
		}
		order, known := e.compareTemporal(t, u)
		if !known {
			return unknown
		}
		return truthOf(order == 0)
	case isTemporal(x) && y.Kind == KindString:
		return e.equalAsTemporal(x, y)
	case isTemporal(y) && x.Kind == KindString:
		return e.equalAsTemporal(y, x)
	case x.Kind != y.Kind:
		return no
	}
	switch x.Kind {
	case KindBoolean:
		return truthOf(x.num == y.num)
	case KindString:
		return truthOf(bytes.Equal(x.text(), y.text()))
	case KindType:
		return truthOf(x.typeName() == y.typeName())
	}
	return no
}

// equalNumbers compares decimals by the step that the specification gives them,
// 1e-8, so that a quotient equals its literal; rule files compare all digits.
func (e *Evaluator) equalNumbers(a, b *apd.Decimal) bool {
	if a.Cmp(b) == 0 {
		return true
	}
	if e.dialect.Rules || a.Exponent >= -8 && b.Exponent >= -8 {
		return false
	}
	return roundTo(a, 8).Cmp(roundTo(b, 8)) == 0
}

// equalAsTemporal compares a date with a text that may be one.
func (e *Evaluator) equalAsTemporal(t, s Item) truth {
	u, ok := parseTemporal(s.text(), t.temporal().of)
	if !ok || e.dialect.Rules {
		return no
	}
	order, known := e.compareTemporal(t.temporal(), u)
	if !known {
		return unknown
	}
	return truthOf(order == 0)
}

func isTemporal(i Item) bool {
	return i.Kind == KindDate || i.Kind == KindDateTime || i.Kind == KindTime
}

// asQuantity converts a number to a quantity without a unit.
func asQuantity(i Item) (quantity, bool) {
	if i.Kind == KindQuantity {
		return i.quantity(), true
	}
	if i.isNumber() {
		return quantity{value: i.decimal(), unit: "1"}, true
	}
	return quantity{}, false
}

// sameTree compares two nodes with all below them.
func (e *Evaluator) sameTree(a, b int32) bool {
	if a == b {
		return true
	}
	if !e.spend(1) {
		return false
	}
	x, ok1 := e.nodeValue(a)
	y, ok2 := e.nodeValue(b)
	if ok1 != ok2 || ok1 && e.equalValues(x, y) != yes {
		return false
	}
	if e.doc.IsResource(a) != e.doc.IsResource(b) || e.doc.IsResource(a) && e.doc.Type(a).Name != e.doc.Type(b).Name {
		return false
	}
	c, d := e.doc.First(a), e.doc.First(b)
	for ; c != None && d != None; c, d = e.doc.Next(c), e.doc.Next(d) {
		twin := d
		if e.doc.Element(c).Key != e.doc.Element(d).Key { // JSON has no order of members
			if twin = e.twin(c, a, b); twin == None {
				return false
			}
		}
		if !e.sameTree(c, twin) {
			return false
		}
	}
	return c == d // both None
}

// twin is the child of b with the name and the place among its like that child c
// has in a.
func (e *Evaluator) twin(c, a, b int32) int32 {
	key, place := e.doc.Element(c).Key, 0
	for d := e.doc.First(a); d != c; d = e.doc.Next(d) {
		if e.doc.Element(d).Key == key {
			place++
		}
	}
	for d := e.doc.First(b); d != None; d = e.doc.Next(d) {
		if e.doc.Element(d).Key == key {
			if place == 0 {
				return d
			}
			place--
		}
	}
	return None
}

// equal is = of collections.
func (e *Evaluator) equal(a, b Collection) truth {
	if len(a) == 0 || len(b) == 0 {
		return unknown
	}
	if len(a) != len(b) {
		return no
	}
	result := yes
	for i := range a {
		switch e.equalItems(a[i], b[i]) {
		case no:
			return no
		case unknown:
			result = unknown
		}
	}
	return result
}
