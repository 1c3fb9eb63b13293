package anonymize

import (
	"strconv"

	"fhirdeid/anonymize/fhirmodel"
)

// yearsPer are the units of an age in UCUM, as years.
var yearsPer = map[string]float64{"a": 1, "a_j": 1, "a_g": 1, "a_t": 1, "mo": 1.0 / 12, "wk": 7 / 365.25, "d": 1 / 365.25, "h": 1 / 8766.0, "min": 1 / 525960.0}

// quantity keeps a number with its UCUM unit, or an amount of money. Any quantity
// in years may be an age: one over 89 becomes 90, and in a smaller unit it is
// dropped. A number without a unit may be an age too, and is dropped, as is one
// that is as long as an identifier.
func (w *worker) quantity(i int32, n *node) {
	parent := &w.tape[n.parent]
	if parent.typ.Name == "Money" {
		text := w.text(n)
		if ok := n.elem.Name == "value" && !isLong(text) || n.elem.Name != "value" && isCurrency(text); !ok {
			w.redact(i, n, false)
		}
		return
	}
	if string(w.childText(n.parent, "system")) != "http://unitsofmeasure.org" {
		w.redact(i, n, false)
		return
	}
	unit := w.childText(n.parent, "code")
	if !w.isUnit(unit) {
		w.redact(i, n, false)
		return
	}
	switch n.elem.Name {
	case "system", "code":
		return
	case "comparator":
		switch string(w.text(n)) {
		case "<", "<=", ">=", ">":
			return
		}
	case "value":
		if n.typ.Kind == fhirmodel.Decimal {
			w.ageOrNumber(i, n, unit, parent.typ.Name == "Age")
			return
		}
	}
	w.redact(i, n, false)
}

// isUnit reports whether a code is a unit of UCUM.
func (w *worker) isUnit(code []byte) bool {
	return w.memo.verdict(knownUnit, code, func() bool { return isUnit(string(code)) })
}

func (w *worker) ageOrNumber(i int32, n *node, unit []byte, age bool) {
	years, isTime := yearsPer[string(unit)]
	text := w.text(n)
	value, err := strconv.ParseFloat(string(text), 64)
	switch {
	case err != nil || age && !isTime || isLong(text):
		w.redact(i, n, false)
	case !isTime || value*years <= oldest || !w.engine.capAges:
	case years == 1:
		w.record(i, opAbstract)
		begin := len(w.values)
		w.values = append(w.values, "90"...)
		w.set(n, begin)
	default:
		w.redact(i, n, false)
	}
}

func isCurrency(b []byte) bool {
	if len(b) != 3 {
		return false
	}
	for _, c := range b {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}
