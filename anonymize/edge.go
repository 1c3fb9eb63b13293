package anonymize

import (
	"encoding/binary"

	"fhirdeid/anonymize/fhirmodel"
)

// edge leads from a state to the state of a member: all that the scanner needs to
// know of the member, side by side in memory. Edges are made when a line first
// needs them, and belong to a worker, as states do.
type edge struct {
	elem *fhirmodel.Element
	// child is the member's state; nil where a resource stands there, whose state
	// its type tells.
	child *state
	// next is the edge that was taken after this one the last time. Members mostly
	// come in the same order, so it is tried first, and costs one comparison where
	// it is right: nine times out of ten.
	next *edge
	// first and last are the first and the last eight bytes of how the member
	// begins, size is its length. A shorter one is shifted before it is compared.
	first, last uint64
	size, shift uint8
	shape       shape
	// group and typ are the element's.
	group int32
	typ   *fhirmodel.Type
	array bool
}

// shape says what may stand behind a member's name, without a closer look.
type shape uint8

const (
	// What has none of these needs a closer look.
	_ shape = iota
	// plainText: a string that is not checked further, alone or in an array.
	plainText
	// checkedText: a string that is, such as a date.
	checkedText
	// object: an object that is no resource.
	object
)

// begins reports whether a value of that shape may begin with the byte.
func (s shape) begins(c byte) bool { return c == firstByte[s] }

// firstByte is what values of the shapes begin with. No text has a byte 0xff.
var firstByte = [...]byte{0xff, plainText: '"', checkedText: '"', object: '{'}

// edge is the one to an element, from a state.
func (s *scanner) edge(st *state, elem *fhirmodel.Element) *edge {
	if elem.Index >= len(st.edges) {
		st.edges = append(st.edges, make([]*edge, elem.Index+1-len(st.edges))...)
	}
	e := st.edges[elem.Index]
	if e == nil {
		e = s.newEdge(st, elem)
		st.edges[elem.Index] = e
	}
	return e
}

func (s *scanner) newEdge(st *state, elem *fhirmodel.Element) *edge {
	e := &edge{elem: elem, typ: elem.Type, group: int32(elem.Group), array: elem.Array, size: uint8(len(elem.Head))}
	if elem.Type.Kind != fhirmodel.Resource {
		e.child = s.rules.child(st, elem, elem.Type)
	}
	var padded [8]byte
	copy(padded[:], elem.Head)
	e.first = binary.LittleEndian.Uint64(padded[:])
	if n := len(elem.Head); n < 8 {
		e.shift = uint8(64 - 8*n)
		e.first <<= e.shift
	} else {
		e.last = binary.LittleEndian.Uint64([]byte(elem.Head[n-8:]))
	}
	switch kind := elem.Type.Kind; {
	case kind == fhirmodel.Complex:
		e.shape = object
	case kind == fhirmodel.String && !elem.NoExtension:
		e.shape = plainText
	case kind.Text():
		e.shape = checkedText
	}
	return e
}

// follows reports whether just this member comes next in the data, at pos, and
// its value behind it.
func (e *edge) follows(data []byte, pos int) bool {
	end := pos + int(e.size)
	if end+8 > len(data) { // no line that goes on ends so soon
		return false
	}
	if binary.LittleEndian.Uint64(data[pos:])<<e.shift != e.first {
		return false
	}
	if e.size > 8 {
		if binary.LittleEndian.Uint64(data[end-8:]) != e.last {
			return false
		}
		if e.size > 16 && string(data[pos+8:end-8]) != e.elem.Head[8:e.size-8] {
			return false
		}
	}
	return data[end] > ' '
}
