package anonymize

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"

	"fhirdeid/anonymize/fhirmodel"
)

// primitive reads a primitive. The scanner stands at its value, or at -1 where
// it has none; extension is where the object of "_x" begins, or -1.
func (s *scanner) primitive(e *edge, parent int32, extension int) {
	i := s.add(e, parent)
	if s.pos >= 0 {
		s.scalar(i)
		if s.fail != nil {
			return
		}
	}
	if extension >= 0 {
		s.tape[i].flags |= dirty
		s.siblings(i, extension)
	}
	s.tape[i].after = int32(len(s.tape))
	if extension < 0 && s.tape[i].flags&hasValue == 0 {
		s.tape[parent].flags |= dirty // an empty value is dropped
	}
}

// siblings reads id and extensions of a primitive, from its "_x".
func (s *scanner) siblings(at int32, begin int) {
	s.pos = begin
	if s.peek() != '{' {
		s.fault(ReasonValue, at, "its member with _ is no object")
		return
	}
	// The members are those of Element; the node keeps its own type.
	own := s.tape[at]
	s.tape[at].typ = s.model.PrimitiveMembers()
	s.object(at, false)
	n := &s.tape[at]
	n.typ, n.start, n.end = own.typ, own.start, own.end
}

// scalar reads the JSON value of a primitive and checks it against its type.
func (s *scanner) scalar(at int32) {
	n := &s.tape[at]
	start := s.pos
	kind := n.typ.Kind
	switch c := s.peek(); {
	case c == '"':
		s.stringValue(at)
		if s.fail != nil {
			return
		}
		if kind == fhirmodel.Boolean || kind == fhirmodel.Integer || kind == fhirmodel.Decimal {
			n.flags |= wrongKind | dirty
			s.refuseKind(at)
		}
	case c == 't', c == 'f':
		if c == 't' {
			s.literal("true", at)
		} else {
			s.literal("false", at)
		}
		n.flags |= hasValue
		if kind != fhirmodel.Boolean {
			n.flags |= wrongKind | dirty
			s.refuseKind(at)
		}
	case c == '-' || c >= '0' && c <= '9':
		s.skipNumber()
		n.flags |= hasValue
		if kind != fhirmodel.Integer && kind != fhirmodel.Decimal {
			n.flags |= wrongKind | dirty
			s.refuseKind(at)
		}
	case c == 'n':
		s.literal("null", at)
		n.flags |= dirty
		return
	default:
		s.fault(ReasonValue, at, "its value is none of a primitive")
		return
	}
	n.start, n.end = int32(start), int32(s.pos)
	if s.fail == nil && n.flags&hasValue != 0 {
		s.checkValue(at)
	}
}

func (s *scanner) refuseKind(at int32) {
	if s.strict {
		s.fault(ReasonValue, at, "its JSON type is not that of "+s.tape[at].typ.Name)
	}
}

// text reads a string, whose quote is at start, if it has neither escapes nor
// anything beyond ASCII nor white space around it, as almost all. It returns the
// place behind it, or 0.
func (s *scanner) text(e *edge, parent int32, start int) (next int) {
	data := s.data
	end := plainEnd(data, start+1)
	if end >= len(data) || data[end] != '"' || end == start+1 || data[start+1] == ' ' || data[end-1] == ' ' {
		return 0
	}
	i := len(s.tape)
	if i == cap(s.tape) {
		s.tape = slices.Grow(s.tape, 1)
	}
	s.tape = s.tape[:i+1]
	n := &s.tape[i]
	n.elem, n.typ, n.state = e.elem, e.typ, e.child
	n.parent, n.start, n.end, n.after = parent, int32(start), int32(end+1), int32(i+1)
	n.flags, n.ops = hasValue, 0
	return end + 1
}

// stringValue reads a string and finds out whether it is in canonical form.
func (s *scanner) stringValue(at int32) {
	n := &s.tape[at]
	i := s.pos + 1
	for ; ; i++ {
		if i = plainEnd(s.data, i); i >= len(s.data) || s.data[i] == '"' {
			break
		}
		switch c := s.data[i]; {
		case c == '\\':
			n.flags |= escaped
			i++
			if i < len(s.data) && bytes.IndexByte([]byte(`"\bfnrt`), s.data[i]) < 0 {
				n.flags |= dirty
				if !s.knownEscape(i) {
					s.pos = i
					s.fault(ReasonJSON, at, "a string has an escape that JSON does not have")
					return
				}
			}
		case c < 0x20:
			s.pos = i
			s.fault(ReasonJSON, at, "a string has a control character")
			return
		case c == 0xc2 && i+1 < len(s.data) && s.data[i+1] == 0x85,
			c == 0xe2 && i+2 < len(s.data) && s.data[i+1] == 0x80 && (s.data[i+2] == 0xa8 || s.data[i+2] == 0xa9):
			n.flags |= dirty
		}
	}
	if i >= len(s.data) {
		s.pos = i
		s.fault(ReasonJSON, at, "a string is not closed")
		return
	}
	body := s.data[s.pos+1 : i]
	s.pos = i + 1
	if len(body) == 0 {
		return
	}
	n.flags |= hasValue
	if s.strict && n.flags&escaped != 0 && hasLoneSurrogate(body) {
		s.fault(ReasonJSON, at, "a string has half a character")
		return
	}
	if first, last := body[0], body[len(body)-1]; first <= ' ' || last <= ' ' || first >= 0x80 || last >= 0x80 || n.flags&escaped != 0 {
		s.trimmed(at, body)
	}
}

// plain are the bytes of a string that need no look.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 256; c++ {
		t[c] = c != '"' && c != '\\' && c != 0xc2 && c != 0xe2
	}
	return t
}()

func (s *scanner) knownEscape(i int) bool {
	switch s.data[i] {
	case '/':
		return true
	case 'u':
		if i+4 >= len(s.data) {
			return false
		}
		for _, c := range s.data[i+1 : i+5] {
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return false
			}
		}
		return true
	}
	return false
}

// trimmed finds out whether the string has white space around it, which is cut,
// and is nothing else.
func (s *scanner) trimmed(at int32, body []byte) {
	n := &s.tape[at]
	text := body
	if n.flags&escaped != 0 {
		s.unescaped = unescape(s.unescaped[:0], body)
		text = s.unescaped
	}
	first, _ := utf8.DecodeRune(text)
	last, _ := utf8.DecodeLastRune(text)
	if !unicode.IsSpace(first) && !unicode.IsSpace(last) {
		return
	}
	n.flags |= dirty
	if len(bytes.TrimSpace(text)) == 0 {
		n.flags &^= hasValue
	}
}
