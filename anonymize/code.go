package anonymize

import (
	"fhirdeid/anonymize/fhirmodel"
)

// code keeps what has only so many values: yes or no, the name of a resource type
// in a reference, and a code that the definition lists, one of the element's
// required value set. Any other may be a text that somebody wrote where a code
// belongs.
func (w *worker) code(i int32, n *node) {
	switch {
	case n.typ.Kind == fhirmodel.Boolean:
		return
	case n.elem.Name == "type" && w.tape[n.parent].typ.Name == "Reference":
		if w.model.ResourceType(w.text(n)) == nil {
			w.redact(i, n, false)
		}
		return
	}
	if n.typ.Kind != fhirmodel.String || n.elem.ValueSet == "" {
		w.redact(i, n, false)
		return
	}
	if has, known := w.model.HasCode(n.elem.ValueSet, string(w.text(n))); !known || !has {
		w.redact(i, n, false)
	}
}

// maxDigits is how many digits a number may have that is kept: identifiers have
// nine and more.
const maxDigits = 8

// isLong reports whether a number is as long as an identifier, before its point
// and without the zeros at its end: a count of 250000000000 cells is none. Eight
// digits that are a date, 19800203, are too long as well.
func isLong(text []byte) bool {
	digits, zeros := 0, 0
	for _, c := range text {
		if c == '.' || c == 'e' || c == 'E' {
			break
		}
		if c >= '0' && c <= '9' {
			digits++
			if zeros++; c != '0' {
				zeros = 0
			}
		}
	}
	return digits-zeros > maxDigits || digits == maxDigits && isDigitDate(text)
}

// isDigitDate reports whether a number begins like a date of these two centuries
// without separators.
func isDigitDate(text []byte) bool {
	year, month, day := text[:2], text[4:6], text[6:8]
	return (string(year) == "19" || string(year) == "20") && string(month) >= "01" && string(month) <= "12" && string(day) >= "01" && string(day) <= "31"
}

// number keeps a number, if it is not as long as an identifier. In an observation
// of an age, one over 89 becomes 90.
func (w *worker) number(i int32, n *node) {
	if n.typ.Kind != fhirmodel.Integer && n.typ.Kind != fhirmodel.Decimal {
		w.redact(i, n, false)
		return
	}
	text := w.text(n)
	switch {
	case isLong(text):
		w.redact(i, n, false)
	case w.engine.capAges && w.inAgeObservation(i) && ageAbove(text, oldest):
		w.record(i, opAbstract)
		begin := len(w.values)
		w.values = append(w.values, "90"...)
		w.set(n, begin)
	}
}

// ageCodes are the LOINC codes of observations of an age
// (https://loinc.org; 45 CFR 164.514(b)(2)(i)(C) speaks of all ages over 89).
var ageCodes = map[string]bool{
	"30525-0": true, "21611-9": true, "21612-7": true, "29553-5": true, "63900-5": true, "30972-4": true, "35659-2": true,
}

// inAgeObservation reports whether the nearest element with a code above a node,
// such as an Observation or a component of it, is an age by its code.
func (w *worker) inAgeObservation(i int32) bool {
	for p := w.tape[i].parent; p >= 0; p = w.tape[p].parent {
		for c := p + 1; c < w.tape[p].after; c = w.next(c) {
			if n := &w.tape[c]; n.elem.Name == "code" && n.typ.Name == "CodeableConcept" && w.hasAgeCode(c) {
				return true
			}
		}
		if w.tape[p].flags&resource != 0 {
			return false
		}
	}
	return false
}

func (w *worker) hasAgeCode(concept int32) bool {
	for c := concept + 1; c < w.tape[concept].after; c++ {
		n := &w.tape[c]
		if n.elem.Name == "code" && w.tape[n.parent].typ.Name == "Coding" && n.end > 0 && ageCodes[string(w.plainText(n))] {
			return true
		}
	}
	return false
}
