package anonymize

import (
	"slices"

	"fhirdeid/anonymize/fhirmodel"
)

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

// completeRequired goes from the leaves to the root. What the input lacked already
// is none of its concern.
func (w *worker) completeRequired() {
	w.masks = w.masks[:0]
	w.left = slices.Grow(w.left[:0], len(w.tape))[:len(w.tape)]
	clear(w.left)
	for i := int32(len(w.tape)) - 1; i >= 0; i-- {
		n := &w.tape[i]
		switch {
		case n.typ.Kind.Primitive():
			w.left[i] = w.left[i] || n.flags&hasValue != 0
		case n.flags&resource != 0:
			w.left[i] = !w.dropsWhole(i)
		}
		if w.left[i] && n.flags&touched != 0 {
			w.checkRequired(i)
		}
		if i > 0 {
			w.left[n.parent] = w.left[n.parent] || w.left[i]
			w.tape[n.parent].flags |= n.flags & touched
		}
	}
}

// checkRequired looks for required elements that node i had and has no longer.
func (w *worker) checkRequired(i int32) {
	n := &w.tape[i]
	for c := i + 1; c < n.after; {
		end := w.groupEnd(c, n.after)
		elem := w.tape[c].elem
		if elem.Required && !w.anyLeft(c, end) {
			if n.flags&resource == 0 {
				w.dropAll(i)
				w.left[i] = false
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
		if w.left[c] {
			return true
		}
	}
	return false
}

// dropAll removes what is left below a node.
func (w *worker) dropAll(i int32) {
	for c := i + 1; c < w.tape[i].after; c++ {
		if n := &w.tape[c]; n.flags&hasValue != 0 {
			w.remove(n)
			w.record(c, opRedact)
		}
		w.left[c] = false
	}
	w.tape[i].flags |= touched
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
