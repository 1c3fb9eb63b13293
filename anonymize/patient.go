package anonymize

import (
	"encoding/binary"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
)

// shift moves a date by a number of days that is the same for all that belongs to
// one patient, so that intervals stay. The time of day stays too. Of what belongs
// to no patient, or to several, and of a date without a day, the year is left.
func (w *worker) shift(i int32, n *node) {
	switch n.typ.Kind {
	case fhirmodel.Date, fhirmodel.DateTime, fhirmodel.Instant:
	default:
		w.redact(i, n, false)
		return
	}
	text := w.text(n)
	d, rest, ok := parseDate(dateOf(text))
	if !ok || len(rest) > 0 || d.precision != precisionDay || isPlaceholder(d) {
		w.year(i, n)
		return
	}
	days, ok := w.patientShift(i)
	if !ok {
		w.year(i, n)
		return
	}
	moved := civil(d.days() + days)
	if moved.year < 1 {
		w.year(i, n)
		return
	}
	w.record(i, opPerturb)
	begin := len(w.values)
	w.values = append(w.values, '"')
	w.values = moved.append(w.values)
	w.values = append(w.values, text[10:]...) // the time: digits, colons and the like
	w.values = append(w.values, '"')
	w.set(n, begin)
}

// isPlaceholder reports whether a date stands for none: everybody knows what it
// was, so a shifted one would tell the shift.
func isPlaceholder(d date) bool {
	return d.year >= 9999 || d.month == 1 && d.day == 1 && (d.year <= 1 || d.year == 1900)
}

// maxShift is how far a date is moved back at the most: a year, so that no date
// lies in the future.
const maxShift = 365

// patientShift is the shift of the patient that a node's resource belongs to.
func (w *worker) patientShift(i int32) (days int, ok bool) {
	owner := w.above(i, 0)
	for w.tape[owner].elem != nil && w.tape[owner].elem.Name == "contained" {
		owner = w.above(w.tape[owner].parent, 0)
	}
	if !w.owner.known || w.owner.resource != owner {
		w.owner = ownerShift{known: true, resource: owner}
		if id := w.patientOf(owner); id != "" {
			w.shiftKeyH.Reset()
			w.shiftKeyH.Write([]byte(id))
			w.sum = w.shiftKeyH.Sum(w.sum[:0])
			w.owner.days = -1 - int(binary.BigEndian.Uint64(w.sum)%maxShift)
			w.owner.ok = true
		}
	}
	return w.owner.days, w.owner.ok
}

// ownerShift is the shift of one resource, once it is known.
type ownerShift struct {
	known, ok bool
	resource  int32
	days      int
}

// patientOf is the id of the one patient that a resource belongs to, or "": a
// patient itself, or what the references of its patient compartment lead to.
func (w *worker) patientOf(owner int32) string {
	typ := w.tape[owner].typ.Name
	if typ == "Patient" {
		return string(w.childOriginal(owner, "id"))
	}
	paths := w.model.PatientPaths(typ)
	if len(paths) == 0 {
		return ""
	}
	patient := ""
	for i := owner + 1; i < w.tape[owner].after; i++ {
		n := &w.tape[i]
		if n.flags&resource != 0 {
			i = n.after - 1 // what is contained refers for itself
			continue
		}
		if n.typ.Name != "Reference" || !w.isPatientPath(paths, owner, i) {
			continue
		}
		id, isPatient := w.referredPatient(i)
		switch {
		case !isPatient:
		case id == "" || patient != "" && id != patient:
			return ""
		default:
			patient = id
		}
	}
	return patient
}

// isPatientPath reports whether a reference stands at one of the paths; in R5 it
// may be the reference of a CodeableReference there.
func (w *worker) isPatientPath(paths []string, owner, i int32) bool {
	for _, path := range paths {
		if w.isAt(path, owner, i) || w.tape[i].elem.Name == "reference" && w.isAt(path, owner, w.tape[i].parent) {
			return true
		}
	}
	return false
}

// isAt reports whether a node stands at a path below its resource.
func (w *worker) isAt(path string, owner, i int32) bool {
	for ; i != owner; i = w.tape[i].parent {
		rest, ok := strings.CutSuffix(path, w.tape[i].elem.Name)
		if !ok || !strings.HasSuffix(rest, ".") {
			return false
		}
		path = rest[:len(rest)-1]
	}
	return path == w.tape[owner].typ.Name
}

// referredPatient is the id of the patient that a reference leads to; isPatient
// says that it leads to one at all, known or not.
func (w *worker) referredPatient(i int32) (id string, isPatient bool) {
	text := w.childOriginal(i, "reference")
	if _, typ, ref, ok := w.splitReference(text); ok {
		if string(typ) != "Patient" {
			return "", false
		}
		return string(ref), true
	}
	typ := string(w.childOriginal(i, "type"))
	return "", typ == "Patient" || typ == "" // by an identifier, a uuid, or in words
}

// childOriginal is the text of a primitive child as it came, or nil.
func (w *worker) childOriginal(i int32, name string) []byte {
	for c := i + 1; c < w.tape[i].after; c = w.next(c) {
		if n := &w.tape[c]; n.elem.Name == name && n.end > 0 {
			return w.plainText(n)
		}
	}
	return nil
}
