package verify

import "strconv"

// unitsPerYear are the UCUM units in which ages are given.
var unitsPerYear = map[string]float64{"a": 1, "a_j": 1, "a_g": 1, "a_t": 1, "mo": 12, "wk": 365.25 / 7, "d": 365.25, "h": 8766, "min": 525960, "s": 31557600}

// tooOld reports whether an age is over 89 and not told as 90, the class of all
// of them.
func tooOld(text []byte, perYear float64) bool {
	value, err := strconv.ParseFloat(string(text), 64)
	return err != nil || value/perYear > oldest && !(perYear == 1 && string(text) == "90")
}

// ageIn finds ages above 89 in a quantity of time, whatever it is called: a
// Quantity or a Range in years is as good as an Age.
func (w *walk) ageIn(text []byte, quantity int32, t *typ) {
	perYear, known := unitsPerYear[string(w.childText(quantity, "code"))]
	if known && tooOld(text, perYear) || !known && t.path == "Age" {
		w.find(Hard, ClassAge)
	}
}

// ageCodes are the LOINC codes of ages.
var ageCodes = map[string]bool{
	"30525-0": true, "21611-9": true, "21612-7": true, "29553-5": true, "63900-5": true, "30972-4": true, "35659-2": true,
}

// ageObservation looks at the value of what its code calls an age, which may be
// a number without a unit.
func (w *walk) ageObservation(i int32, t *typ) {
	code := w.child(i, "code")
	if code == 0 || !w.hasAgeCode(code) {
		return
	}
	for c := i + 1; c < w.nodes[i].after; c = w.nodes[c].after {
		e := t.members.get(w.keyOf(&w.nodes[c]))
		if e == nil || e.name != "value" {
			continue
		}
		w.path = append(w.path, step{t, e})
		for k := c; k < w.nodes[c].after; k++ {
			n := &w.nodes[k]
			switch {
			case n.kind == '{' && unitsPerYear[string(w.childText(k, "code"))] != 0:
				k = n.after - 1 // in a unit: looked at as a quantity
			case n.kind == '0' && tooOld(w.textOf(n), 1):
				w.find(Hard, ClassAge)
			}
		}
		w.path = w.path[:len(w.path)-1]
	}
}

func (w *walk) hasAgeCode(concept int32) bool {
	for c := concept; c < w.nodes[concept].after; c++ {
		if w.nodes[c].kind == '{' && ageCodes[string(w.childText(c, "code"))] && string(w.childText(c, "system")) == "http://loinc.org" {
			return true
		}
	}
	return false
}
