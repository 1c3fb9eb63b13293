package anonymize

import (
	"bytes"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
)

// dateShift moves a date by a number of days that its key and the root's id
// say. What is no full date, or tells an age over 89, is redacted.
func (w *worker) dateShift(i int32, n *node, c claim) {
	switch n.typ.Kind {
	case fhirmodel.Date, fhirmodel.DateTime, fhirmodel.Instant:
	default:
		return
	}
	text := w.text(n)
	d, _, ok := parseDate(dateOf(text))
	if !ok || d.precision != precisionDay || d.ageAt(w.today) > oldest {
		w.redactDate(i, n)
		return
	}
	moved := civil(d.days() + w.shiftDays(w.momentOf(i, c)))
	if moved.year < 1 || moved.year > 9999 {
		// Microsoft's tool ends here. An open end such as 9999-12-31 tells
		// nothing of a person; it is redacted like a date that cannot be moved.
		w.redactDate(i, n)
		return
	}
	w.record(i, opPerturb)
	begin := len(w.values)
	w.values = append(w.values, '"')
	w.values = moved.append(w.values)
	w.values = appendZeroTime(w.values, text)
	w.values = append(w.values, '"')
	w.set(n, begin)
}

// appendZeroTime appends the time of a dateTime, every digit of it 0, with its
// zone as it is, if it has both seconds and zone.
func appendZeroTime(dst, text []byte) []byte {
	at := bytes.IndexByte(text, 'T')
	if at < 0 {
		return dst
	}
	c, zone, ok := parseClock(text[at+1:])
	if !ok || !c.seconds || !isZone(zone) {
		return dst
	}
	dst = append(dst, "T00:00:00"...)
	if c.fraction > 0 {
		dst = append(dst, '.')
		for range c.fraction - 1 {
			dst = append(dst, '0')
		}
	}
	return append(dst, zone...)
}

// shiftDays is the offset of the document, from -50 to 50 days.
func (w *worker) shiftDays(now moment) int {
	p := &w.engine.policy.Parameters
	if p.DateShiftFixedOffsetInDays != nil {
		return *p.DateShiftFixedOffsetInDays
	}
	var prefix []byte
	switch p.DateShiftScope {
	case policy.ScopeFile:
		prefix = []byte(w.place.File)
	case policy.ScopeFolder:
		prefix = []byte(w.place.Folder)
	}
	if len(prefix) > 0 {
		return shiftOf(prefix, w.engine.keys.DateShift)
	}
	// The id is another before and after the rule that changes it.
	known := &w.shiftBefore
	if w.rootID >= 0 && w.decidedAt(w.rootID).before(now) {
		known = &w.shiftAfter
	}
	if !known.known {
		*known = shift{true, shiftOf(w.rootIDAt(now), w.engine.keys.DateShift)}
	}
	return known.days
}

// shift is the offset of a document, once it is known.
type shift struct {
	known bool
	days  int
}

// shiftOf is the hash of Microsoft's tool, as an offset: h = h*131 + byte, modulo
// 101. Eight bytes are taken at a time, with the powers of 131 modulo 101.
func shiftOf(prefix, key []byte) int {
	h := uint(0)
	for _, p := range [2][]byte{prefix, key} {
		for ; len(p) >= 8; p = p[8:] {
			h = h*97 + uint(p[0])*47 + uint(p[1])*79 + uint(p[2])*6 + uint(p[3])*81 +
				uint(p[4])*33 + uint(p[5])*92 + uint(p[6])*30 + uint(p[7])
			h %= 101
		}
		for _, b := range p {
			h = (h*30 + uint(b)) % 101
		}
	}
	return int(h) - 50
}

// rootIDAt is the id of the document's root at a moment: what earlier rules have
// left of it.
func (w *worker) rootIDAt(now moment) []byte {
	if w.rootID < 0 {
		return nil
	}
	v := view{w, now, none}
	text, _ := v.Text(w.rootID)
	return text
}
