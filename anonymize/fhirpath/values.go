package fhirpath

import (
	"strconv"

	"fhirdeid/anonymize/fhirmodel"
)

// slab hands out values that live until the next evaluation, so that reading the
// values of nodes takes no memory.
type slab[T any] struct {
	chunks [][]T
	used   int
}

const slabSize = 64

func (s *slab[T]) take() *T {
	chunk := s.used / slabSize
	if chunk == len(s.chunks) {
		s.chunks = append(s.chunks, make([]T, slabSize))
	}
	v := &s.chunks[chunk][s.used%slabSize]
	s.used++
	return v
}

// maxChunks is how much of it is kept for the next evaluation.
const maxChunks = 64

func (s *slab[T]) reset() {
	s.used = 0
	if len(s.chunks) > maxChunks {
		s.chunks = s.chunks[:maxChunks]
	}
}

func (e *Evaluator) bytesItem(b []byte) Item {
	p := e.texts.take()
	*p = b
	return Item{Kind: KindString, Node: None, ref: p}
}

func (e *Evaluator) temporalItem(t temporal) Item {
	p := e.temporals.take()
	*p = t
	return Item{Kind: t.kind(), Node: None, ref: p}
}

// nodeValue is the System value of a primitive node; ok is false where the node
// has none, or is complex and no quantity.
func (e *Evaluator) nodeValue(n int32) (Item, bool) {
	typ := e.doc.Type(n)
	if !typ.Kind.Primitive() {
		return Item{}, false
	}
	text, ok := e.doc.Text(n)
	if !ok {
		return Item{}, false
	}
	return e.systemValue(typ, text)
}

// systemValue reads the text of a primitive as its System type
// (https://hl7.org/fhir/fhirpath.html#types). Of a text that does not fit, the
// text itself is the value.
func (e *Evaluator) systemValue(typ *fhirmodel.Type, text []byte) (Item, bool) {
	switch typ.Kind {
	case fhirmodel.Boolean:
		return Boolean(string(text) == "true"), true
	case fhirmodel.Integer:
		if n, ok := parseWhole(text); ok {
			return Integer(n), true
		}
		if d, ok := parseDecimal(string(text)); ok { // 1e2
			if n, err := d.Int64(); err == nil {
				return Integer(n), true
			}
		}
	case fhirmodel.Decimal:
		if d := e.decimals.take(); smallDecimal(d, text) {
			return decimalItem(d), true
		}
		if d, ok := parseDecimal(string(text)); ok {
			return decimalItem(d), true
		}
	case fhirmodel.Date:
		if t, ok := parseTemporal(text, tokenDate); ok {
			return e.temporalItem(t), true
		}
	case fhirmodel.DateTime, fhirmodel.Instant:
		if t, ok := parseTemporal(text, tokenDateTime); ok {
			return e.temporalItem(t), true
		}
	case fhirmodel.Time:
		if t, ok := parseTemporal(text, tokenTime); ok {
			return e.temporalItem(t), true
		}
	}
	if typ.Name == "integer64" {
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return Item{Kind: KindLong, Node: None, num: n}, true
		}
	}
	return e.bytesItem(text), true
}

// value is the System value of any item; ok is false for a node without one.
func (e *Evaluator) value(i Item) (Item, bool) {
	if i.Kind != KindNode {
		return i, true
	}
	if v, ok := e.nodeValue(i.Node); ok {
		return v, true
	}
	return e.quantityOf(i.Node)
}

// isPrimitive reports whether an item is a primitive node, with or without a
// value.
func (e *Evaluator) isPrimitive(i Item) bool {
	return i.Kind == KindNode && e.doc.Type(i.Node).Kind.Primitive()
}
