package anonymize

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"fhirdeid/anonymize/fhirmodel"
)

// maxDepth is how deep a resource may be nested; deeper is no FHIR.
const maxDepth = 64

// scanner reads a line to a tape. It belongs to a worker and is used again for
// each line.
type scanner struct {
	model  *fhirmodel.Model
	rules  *automaton
	strict bool
	// lossless refuses what would have to be left out.
	lossless bool

	data  []byte
	pos   int
	depth int
	tape  []node
	// lastType is the type of the last resource.
	lastType *fhirmodel.Type
	members  []member
	fail     *LineError
	// nested says that there is a resource in the resource.
	nested bool
	// unescaped is for the text of a string while it is looked at.
	unescaped []byte
	// typeFirst says that resourceType is the root's first member.
	typeFirst bool
}

func newScanner(model *fhirmodel.Model, routes []route, strict bool) scanner {
	return scanner{model: model, strict: strict, rules: newAutomaton(model, routes)}
}

// member is the place of an object's member, for objects that are not in order.
type member struct {
	key   []byte
	value int // where it begins
}

// scan reads one resource. The tape's first node is the resource.
func (s *scanner) scan(line []byte) *LineError {
	s.data, s.pos, s.depth, s.fail, s.typeFirst, s.nested = line, 0, 0, nil, false, false
	s.tape = s.tape[:0]
	if !utf8.Valid(line) {
		if s.strict {
			return &LineError{Reason: ReasonJSON, detail: "it is not UTF-8"}
		}
		s.data = bytes.ToValidUTF8(line, []byte("\ufffd"))
	}
	s.space()
	if s.peek() != '{' {
		s.fault(ReasonJSON, -1, "a FHIR resource begins with {")
		return s.fail
	}
	s.resource(nil, -1, nil)
	if s.fail != nil {
		return s.fail
	}
	s.space()
	if s.pos != len(s.data) {
		s.fault(ReasonJSON, -1, "there is something behind the resource")
	}
	return s.fail
}

// fault notes the first fault of the line, at the node with the index.
func (s *scanner) fault(reason string, at int32, detail string) {
	if s.fail == nil {
		s.fail = &LineError{Reason: reason, Path: s.path(at), Offset: s.pos, detail: detail}
	}
}

// path is the element path of a node.
func (s *scanner) path(at int32) string {
	if at < 0 || int(at) >= len(s.tape) {
		return ""
	}
	n := &s.tape[at]
	if n.elem == nil {
		return n.typ.Name
	}
	return s.path(n.parent) + "." + n.elem.Key
}

func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

// space skips white space and says whether there was any.
func (s *scanner) space() bool {
	start := s.pos
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
			continue
		}
		break
	}
	return s.pos > start
}

// resource reads a resource whose { comes next. Its type has to be known before
// its members can be.
func (s *scanner) resource(elem *fhirmodel.Element, parent int32, from *state) {
	typ, first := s.leadingType(), true
	if typ == nil {
		first = false
		name := s.resourceType()
		if s.fail != nil {
			return
		}
		typ = s.model.ResourceType(name)
		if typ == nil {
			detail := "there is no resourceType"
			if name != nil {
				detail = "the resourceType is none of this FHIR version"
			}
			s.fault(ReasonType, parent, detail)
			return
		}
	}
	var st *state
	if from == nil {
		st = s.rules.root(typ)
		s.typeFirst = first
	} else {
		st = s.rules.child(from, elem, typ)
		s.nested = true
	}
	i := s.addNode(node{elem: elem, typ: typ, state: st, parent: parent})
	s.tape[i].flags |= resource
	if !first {
		s.tape[i].flags |= dirty
	}
	s.object(i, first)
}

// lead is how a resource begins, almost always.
const lead = `{"resourceType":"`

// leadingType is the type of the resource that comes next, where the type is its
// first member; it is nil where that needs a closer look.
func (s *scanner) leadingType() *fhirmodel.Type {
	rest := s.data[s.pos:]
	if len(rest) < len(lead) || string(rest[:len(lead)]) != lead {
		return nil
	}
	rest = rest[len(lead):]
	if t := s.lastType; t != nil && len(rest) > len(t.Name) && rest[len(t.Name)] == '"' && string(rest[:len(t.Name)]) == t.Name {
		return t
	}
	t := s.model.ResourceType(rest[:max(0, bytes.IndexByte(rest, '"'))])
	if t != nil {
		s.lastType = t
	}
	return t
}

// add puts a node on the tape.
func (s *scanner) add(e *edge, parent int32) int32 {
	return s.addNode(node{elem: e.elem, typ: e.typ, state: e.child, parent: parent})
}

func (s *scanner) addNode(n node) int32 {
	i := len(s.tape)
	if i == cap(s.tape) {
		s.tape = slices.Grow(s.tape, 1)
	}
	s.tape = s.tape[:i+1]
	s.tape[i] = n
	return int32(i)
}

// resourceType looks for the type of the object that comes next, wherever it is
// among its members. It is nil where there is none.
func (s *scanner) resourceType() (name []byte) {
	saved := *s
	defer func() {
		fail := s.fail
		*s = saved
		s.fail = fail
	}()
	s.pos++
	for {
		s.space()
		if s.peek() != '"' {
			return nil
		}
		start := s.pos + 1
		s.skipString()
		if s.fail != nil {
			return nil
		}
		key := s.data[start : s.pos-1]
		s.space()
		s.pos++ // the colon; the real pass finds out if it is none
		s.space()
		begin := s.pos
		s.skip()
		if s.fail != nil {
			return nil
		}
		if string(key) == "resourceType" {
			value := s.data[begin:s.pos]
			if len(value) < 2 || value[0] != '"' {
				return nil
			}
			return value[1 : len(value)-1]
		}
		s.space()
		if s.peek() != ',' {
			return nil
		}
		s.pos++
	}
}

// object reads the members of node at, whose { comes next. typeFirst says that
// it is a resource that begins with its type, in canonical form.
func (s *scanner) object(at int32, typeFirst bool) {
	if s.depth++; s.depth > maxDepth {
		s.fault(ReasonDepth, at, "it is nested too deep")
		return
	}
	n := &s.tape[at]
	typ, st := n.typ, n.state
	n.start = int32(s.pos)
	begin, tapeBegin := s.pos, len(s.tape)
	s.pos++
	end := false
	switch {
	case typeFirst:
		s.pos = begin + len(lead) + len(typ.Name) + 1
		end = s.separator(at)
	case s.space():
		s.tape[at].flags |= dirty
		fallthrough
	default:
		if s.peek() == '}' {
			s.pos++
			s.tape[at].flags |= dirty // an empty object is dropped
			end = true
		}
	}
	if !end && s.ordered(at, typ, st, typeFirst) && s.fail == nil {
		// Something is out of order: begin again, with a plan.
		s.pos = begin
		s.tape = s.tape[:tapeBegin]
		s.unordered(at)
	}
	if s.fail != nil {
		return
	}
	s.depth--
	n = &s.tape[at]
	n.end, n.after = int32(s.pos), int32(len(s.tape))
}

// ordered reads the members of an object to its end, the first of which comes
// next. odd says that they are not simply one behind the other. Here almost all of
// the time is spent, so the place is kept at hand while nothing else needs it.
func (s *scanner) ordered(at int32, typ *fhirmodel.Type, st *state, typeFirst bool) (odd bool) {
	latest := int32(-1) // the largest group there was
	guess := &st.firstEdge
	data, pos := s.data, s.pos
	for {
		e := *guess
		if e != nil && e.follows(data, pos) {
			pos += int(e.size)
		} else {
			s.pos = pos
			e, odd = s.member(at, typ, st)
			if odd || s.fail != nil {
				return odd
			}
			pos = s.pos
			*guess = e
			if e == nil {
				if typeFirst {
					s.tape[at].flags |= dirty // it says its type again
				}
				if s.separator(at) || s.fail != nil {
					return false
				}
				pos = s.pos
				continue
			}
		}
		if e.group > latest {
			latest = e.group
		} else if s.mayBeTwice(at, int(e.group)) {
			return true
		}
		guess = &e.next
		if next := 0; !e.array && pos < len(data) && e.shape.begins(data[pos]) {
			if e.shape == object {
				s.pos = pos
				s.object(s.add(e, at), false)
				next = s.pos
			} else if next = s.text(e, at, pos); next > 0 && e.shape == checkedText {
				s.checkValue(int32(len(s.tape) - 1))
			}
			s.pos = max(pos, next)
			if next == 0 {
				s.value(e, at)
			}
		} else {
			s.pos = pos
			s.value(e, at)
		}
		if s.fail != nil {
			return false
		}
		pos = s.pos
		if pos+1 < len(data) && data[pos+1] > ' ' { // the usual case first
			if c := data[pos]; c == ',' {
				pos++
				continue
			} else if c == '}' {
				s.pos = pos + 1
				return false
			}
		}
		if s.separator(at) || s.fail != nil {
			return false
		}
		pos = s.pos
	}
}

// separator reads the comma between two members, or the end of the object.
func (s *scanner) separator(at int32) (end bool) {
	if i := s.pos; i+1 < len(s.data) && s.data[i+1] > ' ' { // the usual case first
		switch s.data[i] {
		case ',':
			s.pos++
			return false
		case '}':
			s.pos++
			return true
		}
	}
	if s.space() {
		s.tape[at].flags |= dirty
	}
	switch s.peek() {
	case ',':
		s.pos++
		if s.space() {
			s.tape[at].flags |= dirty
		}
		return false
	case '}':
		s.pos++
		return true
	}
	s.fault(ReasonJSON, at, "a comma or } is missing")
	return false
}

// member reads a key and the colon behind it. The edge is nil for resourceType,
// whose value is read too. odd says that the object needs a plan.
func (s *scanner) member(at int32, typ *fhirmodel.Type, st *state) (e *edge, odd bool) {
	key := s.key(at)
	if s.fail != nil {
		return nil, false
	}
	if len(key) > 0 && key[0] == '_' {
		return nil, true
	}
	if elem := typ.Member(key); elem != nil {
		return s.edge(st, elem), false
	}
	switch {
	case string(key) == "resourceType" && typ.Kind == fhirmodel.Resource:
		if s.tape[at].flags&resource != 0 && int32(len(s.tape)-1) != at {
			s.tape[at].flags |= dirty
		}
		if s.strict {
			return nil, true // it may be there twice
		}
		s.sameType(at, s.pos)
		s.skip()
	case string(key) == "fhir_comments" && !s.strict:
		s.tape[at].flags |= dirty
		s.skip()
	default:
		s.fault(ReasonElement, at, "it has a member that "+typ.Path+" does not have in this FHIR version")
	}
	return nil, false
}

// sameType refuses a resource that says further on that it is of another type.
func (s *scanner) sameType(at int32, begin int) {
	name, rest := s.tape[at].typ.Name, s.data[begin:]
	if len(rest) < len(name)+2 || rest[0] != '"' || string(rest[1:len(name)+1]) != name || rest[len(name)+1] != '"' {
		s.fault(ReasonDuplicate, at, "it has two types")
	}
}

// key reads a member's name and the colon.
func (s *scanner) key(at int32) []byte {
	if s.peek() != '"' {
		s.fault(ReasonJSON, at, "the name of a member is missing")
		return nil
	}
	start := s.pos + 1
	s.skipString()
	if s.fail != nil {
		return nil
	}
	key := s.data[start : s.pos-1]
	if bytes.IndexByte(key, '\\') >= 0 {
		key = unescape(nil, key)
		s.tape[at].flags |= dirty
	}
	if s.space() {
		s.tape[at].flags |= dirty
	}
	if s.peek() != ':' {
		s.fault(ReasonJSON, at, "a colon is missing")
		return nil
	}
	s.pos++
	if s.space() {
		s.tape[at].flags |= dirty
	}
	return key
}

// value reads the value of an element: one, or an array of them.
func (s *scanner) value(e *edge, parent int32) {
	if s.peek() != '[' {
		if e.elem.Array {
			s.mismatch(parent, "it is an array in FHIR")
		}
		s.item(e, parent)
		return
	}
	array := e.elem.Array
	if !array {
		s.mismatch(parent, "it is no array in FHIR")
	}
	s.pos++
	s.dirtyIf(parent, s.space())
	if s.peek() == ']' {
		s.pos++
		s.tape[parent].flags |= dirty
		return
	}
	for count := 0; ; count++ {
		if count > 0 && !array {
			s.second(parent)
			s.skip()
		} else {
			s.item(e, parent)
		}
		if s.fail != nil {
			return
		}
		s.dirtyIf(parent, s.space())
		switch s.peek() {
		case ',':
			s.pos++
			s.dirtyIf(parent, s.space())
			continue
		case ']':
			s.pos++
			return
		}
		s.fault(ReasonJSON, parent, "a comma or ] is missing")
		return
	}
}

// second is for a second value where FHIR has one. Microsoft's tool takes the first
// only.
func (s *scanner) second(parent int32) {
	if s.lossless {
		s.fault(ReasonValue, parent, "it has several values of an element that FHIR has one of")
	}
}

func (s *scanner) dirtyIf(at int32, is bool) {
	if is {
		s.tape[at].flags |= dirty
	}
}

// mismatch is for JSON that Microsoft's tool mends and a strict policy refuses.
func (s *scanner) mismatch(at int32, detail string) {
	s.tape[at].flags |= dirty
	if s.strict {
		s.fault(ReasonValue, at, detail)
	}
}

// item reads one value of an element.
func (s *scanner) item(e *edge, parent int32) {
	c := s.peek()
	if e.shape.begins(c) {
		if e.shape == object {
			s.object(s.add(e, parent), false)
			return
		}
		if next := s.text(e, parent, s.pos); next > 0 {
			s.pos = next
			if e.shape == checkedText {
				s.checkValue(int32(len(s.tape) - 1))
			}
			return
		}
	}
	elem := e.elem
	switch kind := elem.Type.Kind; {
	case c == 'n':
		s.literal("null", parent)
		s.tape[parent].flags |= dirty
	case kind.Primitive():
		s.primitive(e, parent, -1)
	case kind == fhirmodel.Resource && c == '{':
		s.resource(elem, parent, s.tape[parent].state)
	case kind == fhirmodel.Resource:
		s.fault(ReasonValue, parent, "a resource is an object")
	default:
		s.fault(ReasonValue, parent, elem.Key+" is an object in FHIR")
	}
}

// mayBeTwice reports whether a member of the group may be among those of node at
// that were read; it is asked only where they are not in the order of the
// definition. What has left nothing on the tape has left the node dirty.
func (s *scanner) mayBeTwice(at int32, group int) bool {
	if s.tape[at].flags&dirty != 0 {
		return true
	}
	for i := int(at) + 1; i < len(s.tape); i = max(int(s.tape[i].after), i+1) {
		if s.tape[i].elem.Group == group {
			return true
		}
	}
	return false
}
