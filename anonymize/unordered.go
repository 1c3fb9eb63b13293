package anonymize

import (
	"bytes"

	"fhirdeid/anonymize/fhirmodel"
)

// unordered reads the members of node at, whose { comes next, when they are not
// simply one behind the other: there are primitives with "_x", or a member is
// there twice. First all places are noted, then each element is read at its
// turn, together with its "_x".
func (s *scanner) unordered(at int32) {
	base := len(s.members)
	defer func() { s.members = s.members[:base] }()
	end := s.notePlaces(at)
	if s.fail != nil {
		return
	}
	s.tape[at].flags |= dirty
	typ := s.tape[at].typ
	members := s.members[base:]
	for i := range members {
		m := &members[i]
		if m.value < 0 {
			continue // taken already, or said again further on
		}
		name, under := bytes.CutPrefix(m.key, []byte{'_'})
		partner := -1
		for j := i + 1; j < len(members); j++ {
			other, otherUnder := bytes.CutPrefix(members[j].key, []byte{'_'})
			if members[j].value >= 0 && otherUnder != under && bytes.Equal(other, name) {
				partner = members[j].value
				members[j].value = -1
				break
			}
		}
		value, extension := m.value, partner
		if under {
			value, extension = partner, m.value
		}
		s.logical(at, typ, name, value, extension)
		if s.fail != nil {
			return
		}
	}
	s.pos = end
}

// notePlaces notes where the members are. Of a name that is there twice the
// last value counts, at the place of the first; a strict policy refuses it.
func (s *scanner) notePlaces(at int32) (end int) {
	base := len(s.members)
	s.pos++
	s.space()
	if s.peek() == '}' {
		s.pos++
		return s.pos
	}
	for {
		start := s.pos + 1
		if s.peek() != '"' {
			s.fault(ReasonJSON, at, "the name of a member is missing")
			return 0
		}
		s.skipString()
		if s.fail != nil {
			return 0
		}
		m := member{key: s.data[start : s.pos-1]}
		if bytes.IndexByte(m.key, '\\') >= 0 {
			m.key = unescape(nil, m.key)
		}
		s.space()
		if s.peek() != ':' {
			s.fault(ReasonJSON, at, "a colon is missing")
			return 0
		}
		s.pos++
		s.space()
		m.value = s.pos
		if s.skip(); s.fail != nil {
			return 0
		}
		if !s.isMember(s.tape[at].typ, m.key) { // at once: there may be any number of them
			s.unknownMember(at)
			return 0
		}
		twice := false
		for i := base; i < len(s.members); i++ {
			if bytes.Equal(s.members[i].key, m.key) {
				if s.strict {
					s.fault(ReasonDuplicate, at, "it has a member twice")
					return 0
				}
				s.members[i].value = m.value
				twice = true
			}
		}
		if !twice {
			s.members = append(s.members, m)
		}
		s.space()
		c := s.peek()
		s.pos++
		switch c {
		case ',':
			s.space()
			continue
		case '}':
			return s.pos
		}
		s.fault(ReasonJSON, at, "a comma or } is missing")
		return 0
	}
}

// isMember reports whether a type has a member of that name, or one whose sibling it
// is.
func (s *scanner) isMember(typ *fhirmodel.Type, name []byte) bool {
	base, _ := bytes.CutPrefix(name, []byte{'_'})
	return typ.Member(base) != nil || string(name) == "resourceType" && typ.Kind == fhirmodel.Resource || string(name) == "fhir_comments" && !s.strict
}

func (s *scanner) unknownMember(at int32) {
	s.fault(ReasonElement, at, "it has a member that "+s.tape[at].typ.Path+" does not have in this FHIR version")
}

// logical reads one element whose value and "_x" begin at the places, or are
// not there (-1).
func (s *scanner) logical(at int32, typ *fhirmodel.Type, name []byte, value, extension int) {
	elem := typ.Member(name)
	switch {
	case elem != nil:
	case string(name) == "resourceType" && extension < 0:
		s.sameType(at, value)
		return
	default: // fhir_comments
		return
	}
	if s.secondChoice(at, elem) {
		return
	}
	if extension < 0 {
		s.pos = value
		s.value(s.edge(s.tape[at].state, elem), at)
		return
	}
	// Microsoft's tool lets a resource's id have one too, which FHIR does not.
	lenient := elem.Name == "id" && typ.Kind == fhirmodel.Resource && !s.strict
	if !elem.Type.Kind.Primitive() || elem.NoExtension && !lenient {
		s.fault(ReasonElement, at, "it has a member with _ whose element has no such sibling")
		return
	}
	s.pair(elem, at, value, extension)
}

// secondChoice reports whether another variant of a choice was read already.
// Microsoft's tool keeps the first.
func (s *scanner) secondChoice(at int32, elem *fhirmodel.Element) bool {
	if !elem.Choice {
		return false
	}
	for i := int(at) + 1; i < len(s.tape); i++ {
		n := &s.tape[i]
		if n.parent == at && n.elem != elem && n.elem.Group == elem.Group {
			if s.lossless {
				s.fault(ReasonDuplicate, at, "it has two variants of a choice")
			}
			return true
		}
	}
	return false
}

// pair reads a primitive, or an array of them, together with its "_x".
func (s *scanner) pair(elem *fhirmodel.Element, at int32, value, extension int) {
	values, array1 := s.places(value)
	extensions, array2 := s.places(extension)
	if s.fail != nil {
		return
	}
	if (array1 || array2) != elem.Array {
		s.mismatch(at, "it is an array in FHIR, or is none")
		if s.fail != nil {
			return
		}
	}
	for i := range max(len(values), len(extensions)) {
		v, x := -1, -1
		if i < len(values) && s.data[values[i]] != 'n' {
			v = values[i]
		}
		if i < len(extensions) && s.data[extensions[i]] != 'n' {
			x = extensions[i]
		}
		if v < 0 && x < 0 {
			continue
		}
		if i > 0 && !elem.Array {
			s.second(at)
			return
		}
		s.pos = v
		s.primitive(s.edge(s.tape[at].state, elem), at, x)
		if s.fail != nil {
			return
		}
	}
}

// places lists where the items of an array begin, or the one value.
func (s *scanner) places(begin int) (at []int, array bool) {
	if begin < 0 {
		return nil, false
	}
	s.pos = begin
	if s.peek() != '[' {
		return []int{begin}, false
	}
	s.pos++
	for {
		s.space()
		if s.peek() == ']' {
			return at, true
		}
		at = append(at, s.pos)
		s.skip()
		s.space()
		if s.fail != nil {
			return nil, true
		}
		if s.peek() == ',' {
			s.pos++
		}
	}
}
