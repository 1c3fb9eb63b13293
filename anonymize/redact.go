package anonymize

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"

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
		w.setString(n, partialZIP(text, p.RestrictedZIPCodes))
		return
	}
	w.record(i, opRedact)
	w.remove(n)
}

// redactDate leaves the year, if partial dates are on and the age allows it.
func (w *worker) redactDate(i int32, n *node) {
	w.record(i, opRedact)
	d, _, ok := parseDate(dateOf(w.text(n)))
	if !w.engine.policy.Parameters.PartialDates || !ok || d.ageAt(w.engine.asOf) > oldest {
		w.remove(n)
		return
	}
	w.setString(n, []byte(pad(d.year, 4)))
}

// dateOf is the date at the beginning of a date, dateTime or instant.
func dateOf(text []byte) []byte {
	if len(text) > 10 {
		return text[:10]
	}
	return text
}

func pad(n, width int) string {
	s := strconv.Itoa(n)
	return strings.Repeat("0", max(0, width-len(s))) + s
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

// partialZIP keeps the first three characters of a ZIP code, or none of its
// digits where few people live.
func partialZIP(text []byte, restricted []string) []byte {
	out := bytes.Runes(text)
	from := 3
	for _, r := range restricted {
		if r != "" && bytes.HasPrefix(text, []byte(r)) {
			from = 0
		}
	}
	if len(out) < from {
		return text
	}
	for i := from; i < len(out); i++ {
		if unicode.IsDigit(out[i]) {
			out[i] = '0'
		}
	}
	return []byte(string(out))
}
