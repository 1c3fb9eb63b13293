package anonymize

import (
	"fhirdeid/anonymize/fhirmodel"
)

// dropByList drops codings whose system is not listed, and extensions whose URL
// is not, with all that is in them.
func (w *worker) dropByList() {
	for i := int32(0); i < int32(len(w.tape)); {
		n := &w.tape[i]
		next := i + 1
		if rule := w.claimOf(i).rule; rule != none && n.flags&dropped == 0 {
			switch method := w.engine.methods[rule]; {
			case n.typ == w.engine.codingType && (method == methodCoding || method == methodExtension):
				if !w.isListed(i) {
					w.drop(i, method)
					next = n.after
				}
			case n.typ == w.engine.extensionType && method == methodExtension:
				if !w.isListedExtension(i) {
					w.drop(i, method)
					next = n.after
				} else {
					w.dropOddValues(i, method)
				}
			}
		}
		i = next
	}
}

// isListedExtension reports whether an extension's URL is on the list. In one
// that is, the names of its parts may be on it too, or are those of US Core.
func (w *worker) isListedExtension(i int32) bool {
	url := w.childText(i, "url")
	if url == nil {
		return false
	}
	if w.engine.lists.extensions[string(url)] {
		return true
	}
	if w.tape[w.tape[i].parent].typ != w.engine.extensionType {
		return false
	}
	switch string(url) {
	case "ombCategory", "detailed", "text":
		return true
	}
	return false
}

// dropOddValues drops from an extension of US Core what it ought not to have: a
// value of another type than it is defined with.
func (w *worker) dropOddValues(i int32, method int) {
	member, known := usCore[string(w.childText(i, "url"))]
	for c := i + 1; known && c < w.tape[i].after; c = w.next(c) {
		if e := w.tape[c].elem; e.Name == "value" && e.Key != member || e.Name == "extension" && member != "" {
			w.drop(c, method)
		}
	}
}

// isListed reports whether a coding's system is on the list, and its code looks
// like one of it.
func (w *worker) isListed(coding int32) bool {
	key := append(w.sum[:0], w.childText(coding, "system")...)
	n := len(key)
	key = append(key, w.childText(coding, "code")...)
	end := len(key)
	key = append(key, byte(n), byte(n>>8)) // where the one ends and the other begins
	w.sum = key
	return w.memo.verdict(listedCode, key, func() bool {
		system, code := key[:n], key[n:end]
		return w.engine.lists.codeSystems[string(system)] && isCode(system, code) || w.engine.lists.ownSystems[string(system)] && isOwnCode(system, code)
	})
}

// childText is the text of a primitive child, or nil.
func (w *worker) childText(i int32, name string) []byte {
	for c := i + 1; c < w.tape[i].after; c = max(w.tape[c].after, c+1) {
		n := &w.tape[c]
		if n.elem.Name == name && n.flags&hasValue != 0 {
			return w.text(n)
		}
	}
	return nil
}

// drop drops a node with all below it.
func (w *worker) drop(i int32, method int) {
	for c := i; c < w.tape[i].after; c++ {
		n := &w.tape[c]
		if n.flags&hasValue != 0 {
			w.methods[method]++
			w.record(c, opRedact)
		}
		w.remove(n)
		n.flags |= dropped
	}
}

// coding keeps system and code of a coding, which was dropped before if its system
// is not listed.
func (w *worker) coding(i int32, n *node) {
	if w.tape[n.parent].typ != w.engine.codingType || n.elem.Name != "system" && n.elem.Name != "code" {
		w.redact(i, n, false)
	}
}

// inAddress reports whether a node is a part of an address itself, and not the id
// or an extension of one.
func (w *worker) inAddress(n *node) bool { return w.tape[n.parent].typ.Name == "Address" }

// state keeps the state of an address in the United States, and the country.
func (w *worker) state(i int32, n *node) {
	if !w.inAddress(n) || !isState(n.elem.Name, w.text(n)) {
		w.redact(i, n, false)
	}
}

// year leaves the year of a date. An instant has no year to leave; and a date
// so long ago that it tells an age over 89 leaves nothing.
func (w *worker) year(i int32, n *node) {
	if n.typ.Kind != fhirmodel.Date && n.typ.Kind != fhirmodel.DateTime {
		w.redact(i, n, false)
		return
	}
	d, _, ok := parseDate(dateOf(w.text(n)))
	// A year alone, or a month, may be any day of it: the earliest counts.
	if !ok || w.engine.capAges && w.engine.asOf.Year()-d.year > oldest {
		w.redact(i, n, false)
		return
	}
	w.record(i, opAbstract)
	w.setYear(n, d)
}

// zip3 leaves the first three digits of a US ZIP code where more than 20,000
// people live, else 000. What is no ZIP code is dropped.
func (w *worker) zip3(i int32, n *node) {
	text := w.text(n)
	if !w.inAddress(n) || !isZIP(text) || !w.inUSA(n.parent) {
		w.redact(i, n, false)
		return
	}
	w.record(i, opAbstract)
	prefix := text[:3]
	if !w.engine.lists.zip3[string(prefix)] {
		prefix = []byte("000")
	}
	w.setString(n, prefix)
}

func isZIP(b []byte) bool {
	if len(b) != 5 && (len(b) != 10 || b[5] != '-') && len(b) != 9 {
		return false
	}
	for i, c := range b {
		if (c < '0' || c > '9') && !(i == 5 && len(b) == 10) {
			return false
		}
	}
	return true
}

// inUSA reports whether the address names no other country.
func (w *worker) inUSA(address int32) bool {
	country := w.childText(address, "country")
	return len(country) == 0 || isUSA(country)
}

// sexes are the codes of US Core's extension for the sex at birth.
var sexes = map[string]bool{"F": true, "M": true, "UNK": true, "OTH": true, "ASKU": true}

// usCore are the extensions of US Core that hold one kind of value only: by URL
// the member that holds it, or "" where it has parts.
var usCore = map[string]string{
	"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race":      "",
	"http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity": "",
	"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex":  "valueCode",
	"ombCategory": "valueCoding", "detailed": "valueCoding", "text": "valueString",
}

// extension keeps of a listed extension its URL, codes and booleans.
func (w *worker) extension(i int32, n *node) {
	parent := &w.tape[n.parent]
	switch {
	case n.elem.Name == "url" && parent.typ.Name == "Extension":
	case parent.typ.Name == "Coding" && (n.elem.Name == "system" || n.elem.Name == "code"):
	case parent.typ.Name == "Extension" && n.typ.Name == "boolean":
	case parent.typ.Name == "Extension" && n.typ.Name == "code" && sexes[string(w.text(n))]:
	default:
		w.redact(i, n, false)
	}
}
