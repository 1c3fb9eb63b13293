package anonymize

import "fhirdeid/anonymize/fhirmodel"

// A strict policy drops much, and what FHIR requires may be among it. An element
// that has lost a required part is dropped as well, if it may be left out itself;
// where nothing can be left out, what was there is marked as masked
// (http://hl7.org/fhir/StructureDefinition/data-absent-reason).

// masked is what stands for a required element that a resource has lost.
const masked = `{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}`

// mask is a required element that a resource has lost.
type mask struct {
	resource int32
	elem     *fhirmodel.Element
}

// checkRequired looks for required elements that node i had and has no longer.
// What the input lacked already is none of its concern.
func (w *worker) checkRequired(i int32) {
	n := &w.tape[i]
	if n.typ.Kind.Primitive() {
		return
	}
	for c := i + 1; c < n.after; {
		end := w.groupEnd(c, n.after)
		elem := w.tape[c].elem
		if elem.Required && !w.anyLeft(c, end) {
			if n.flags&resource == 0 {
				w.dropAll(i)
				return
			}
			w.masks = append(w.masks, mask{i, elem})
		}
		c = end
	}
}

// anyLeft reports whether something is left of the items of an element.
func (w *worker) anyLeft(c, end int32) bool {
	for ; c < end; c = w.next(c) {
		if w.tape[c].flags&alive != 0 {
			return true
		}
	}
	return false
}

// dropAll removes what is left of a node and below it.
func (w *worker) dropAll(i int32) {
	for c := i + 1; c < w.tape[i].after; c++ {
		n := &w.tape[c]
		if n.flags&hasValue != 0 {
			w.remove(n)
			w.record(c, opRedact)
		}
		n.flags &^= alive
	}
	w.tape[i].flags |= touched
	w.tape[i].flags &^= alive
}

// emitMasks appends what stands for the required elements that a resource has
// lost.
func (w *worker) emitMasks(dst []byte, begin int, i int32) []byte {
	for _, m := range w.masks {
		if m.resource != i {
			continue
		}
		under := ""
		if m.elem.Type.Kind.Primitive() {
			under = "_"
		}
		dst = appendKey(w.comma(dst, begin), under, m.elem.Key)
		if m.elem.Array {
			dst = append(dst, '[')
		}
		dst = append(dst, masked...)
		if m.elem.Array {
			dst = append(dst, ']')
		}
	}
	return dst
}
