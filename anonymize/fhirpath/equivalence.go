package fhirpath

import (
	"strings"
	"unicode"

	"github.com/cockroachdb/apd/v3"
)

// equivalent is ~ of collections, whatever their order.
func (e *Evaluator) equivalent(a, b Collection) bool {
	if len(a) != len(b) {
		return false
	}
	used := make([]bool, len(b))
	if !e.spend(len(a) * len(b)) {
		return false
	}
next:
	for _, x := range a {
		for i, y := range b {
			if !used[i] && e.equivalentItems(x, y) {
				used[i] = true
				continue next
			}
		}
		return false
	}
	return true
}

func (e *Evaluator) equivalentItems(a, b Item) bool {
	x, ok1 := e.value(a)
	y, ok2 := e.value(b)
	if !ok1 || !ok2 {
		return ok1 == ok2 && a.Kind == KindNode && b.Kind == KindNode && e.similarTree(a.Node, b.Node)
	}
	switch {
	case x.isNumber() && y.isNumber():
		return similarNumbers(x.decimal(), y.decimal())
	case x.Kind == KindQuantity || y.Kind == KindQuantity:
		p, ok1 := asQuantity(x)
		q, ok2 := asQuantity(y)
		return ok1 && ok2 && similarQuantities(p, q)
	case isTemporal(x) && isTemporal(y):
		t, u := x.temporal(), y.temporal()
		order, known := e.compareTemporal(t, u)
		return sameTemporalKind(t, u) && known && order == 0
	case x.Kind == KindString && y.Kind == KindString:
		return similarText(x.text(), y.text())
	}
	return e.equalValues(x, y) == yes
}

// similarNumbers rounds to the lower precision of the two.
func similarNumbers(a, b *apd.Decimal) bool {
	places := min(decimals(a), decimals(b))
	return roundTo(a, places).Cmp(roundTo(b, places)) == 0
}

// similarQuantities compares in the finer of the two units.
func similarQuantities(p, q quantity) bool {
	p, q = settle(p, q)
	if p.unit == q.unit && p.calendar == q.calendar {
		return similarNumbers(p.value, q.value)
	}
	p.unit, _ = p.ucum()
	q.unit, _ = q.ucum()
	p.calendar, q.calendar = false, false
	unit, ok := finer(p, q)
	if !ok {
		return false
	}
	p, ok1 := p.convertTo(unit)
	q, ok2 := q.convertTo(unit)
	return ok1 && ok2 && similarNumbers(p.value, q.value)
}

// decimals is how many decimals count: trailing zeros do not.
func decimals(d *apd.Decimal) int {
	var r apd.Decimal
	r.Reduce(d)
	return max(0, int(-r.Exponent))
}

// similarText ignores case and the kind of white space.
func similarText(a, b []byte) bool {
	return strings.EqualFold(strings.Map(plainSpace, string(a)), strings.Map(plainSpace, string(b)))
}

func plainSpace(r rune) rune {
	if unicode.IsSpace(r) {
		return ' '
	}
	return r
}

func (e *Evaluator) similarTree(a, b int32) bool {
	if !e.spend(1) {
		return false
	}
	x, ok1 := e.nodeValue(a)
	y, ok2 := e.nodeValue(b)
	if ok1 != ok2 || ok1 && !e.equivalentItems(x, y) {
		return false
	}
	var left, right Collection
	for c := e.doc.First(a); c != None; c = e.doc.Next(c) {
		left = append(left, nodeItem(c))
	}
	for c := e.doc.First(b); c != None; c = e.doc.Next(c) {
		right = append(right, nodeItem(c))
	}
	if len(left) != len(right) {
		return false
	}
	used := make([]bool, len(right))
next:
	for _, l := range left {
		for i, r := range right {
			if !used[i] && e.doc.Element(l.Node).Key == e.doc.Element(r.Node).Key && e.equivalentItems(l, r) {
				used[i] = true
				continue next
			}
		}
		return false
	}
	return true
}
