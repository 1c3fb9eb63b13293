package anonymize

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"fhirdeid/anonymize/fhirmodel"
)

// redact removes a value, or with partial set leaves what the policy's
// parameters allow of dates, ages and ZIP codes.
func (w *worker) redact(i int32, n *node, partial bool) {
	p := &w.engine.policy.Parameters
	switch kind := n.typ.Kind; {
	case partial && (kind == fhirmodel.Date || kind == fhirmodel.DateTime || kind == fhirmodel.Instant):
		w.redactDate(i, n)
		return
	case partial && kind == fhirmodel.Decimal && w.tape[n.parent].typ.Name == "Age":
		w.record(i, opRedact)
		if !p.PartialAges || ageAbove(w.text(n), oldest) {
			w.remove(n)
		}
		return
	case partial && n.elem.Name == "postalCode" && p.PartialZIPCodes:
		text := w.text(n)
		if !w.engine.exact && !isPostalNumber(text) {
			break // three characters of it may be all of it, or a whole town
		}
		w.record(i, opAbstract)
		w.sum = partialZIP(w.sum[:0], text, p.RestrictedZIPCodes)
		w.setString(n, w.sum)
		return
	}
	w.record(i, opRedact)
	w.remove(n)
}

// redactDate leaves the year, if partial dates are on and the age allows it.
func (w *worker) redactDate(i int32, n *node) {
	w.record(i, opRedact)
	d, _, ok := parseDate(dateOf(w.text(n)))
	if !w.engine.policy.Parameters.PartialDates || !ok || d.ageAt(w.today) > oldest {
		w.remove(n)
		return
	}
	w.setYear(n, d)
}

// setYear leaves the year of a date.
func (w *worker) setYear(n *node, d date) {
	begin := len(w.values)
	w.values = append(w.values, '"')
	w.values = append(d.append(w.values)[:begin+5], '"')
	w.set(n, begin)
}

// dateOf is the date at the beginning of a date, dateTime or instant.
func dateOf(text []byte) []byte {
	if len(text) > 10 {
		return text[:10]
	}
	return text
}

// ageAbove compares an age. Ages with decimals, which end Microsoft's tool, are
// compared as what they are.
func ageAbove(text []byte, limit int) bool {
	age, err := strconv.ParseFloat(string(text), 64)
	return err != nil || age > float64(limit)
}

// isPostalNumber reports whether a code has digits enough to keep three of them.
// Four digits are let pass, as ZIP codes lose a leading zero in many systems.
func isPostalNumber(text []byte) bool {
	digits := 0
	for _, c := range text {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c != '-' && c != ' ':
			return false
		}
	}
	return digits >= 4
}

// partialZIP appends the first three characters of a ZIP code, or none of its
// digits where few people live.
func partialZIP(dst, text []byte, restricted []string) []byte {
	kept := 3
	for _, r := range restricted {
		if r != "" && len(text) >= len(r) && string(text[:len(r)]) == r {
			kept = 0
		}
	}
	if utf8.RuneCount(text) < kept {
		return append(dst, text...)
	}
	for rest := text; len(rest) > 0; kept-- {
		r, size := utf8.DecodeRune(rest)
		if kept <= 0 && unicode.IsDigit(r) {
			dst = append(dst, '0')
		} else {
			dst = append(dst, rest[:size]...)
		}
		rest = rest[size:]
	}
	return dst
}
