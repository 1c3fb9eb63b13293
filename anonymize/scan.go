package anonymize

import (
	"bytes"
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

	data  []byte
	pos   int
	depth int
	tape  []node
	// predicted is, for each element, the member that came behind it the last
	// time: members mostly come in the same order.
	predicted map[*fhirmodel.Element]*fhirmodel.Element
	members   []member
	fail      *LineError
	// nested says that there is a resource in the resource.
	nested bool
	// typeFirst says that resourceType is the root's first member.
	typeFirst bool
}

func newScanner(model *fhirmodel.Model, routes []route, strict bool) scanner {
	return scanner{
		model: model, strict: strict,
		rules:     newAutomaton(model, routes),
		predicted: make(map[*fhirmodel.Element]*fhirmodel.Element),
	}
}

// member is the place of an object's member, for objects that are not in order.
type member struct {
	keyStart, keyEnd int
	value            int // where it begins
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
	name, first := s.resourceType()
	typ := s.model.ResourceType(name)
	if typ == nil {
		detail := "there is no resourceType"
		if name != nil {
			detail = "the resourceType is none of this FHIR version"
		}
		s.fault(ReasonType, parent, detail)
		return
	}
	var st *state
	if from == nil {
		st = s.rules.root(typ)
		s.typeFirst = first
	} else {
		st = s.rules.child(from, elem, typ)
		s.nested = true
	}
	i := s.add(elem, typ, st, parent)
	s.tape[i].flags |= resource
	if !first {
		s.tape[i].flags |= dirty
	}
	s.object(i)
}

// add puts a node on the tape.
func (s *scanner) add(elem *fhirmodel.Element, typ *fhirmodel.Type, st *state, parent int32) int32 {
	s.tape = append(s.tape, node{elem: elem, typ: typ, state: st, parent: parent})
	return int32(len(s.tape) - 1)
}

// resourceType looks for the type of the object that comes next, mostly its
// first member. It is nil where there is none.
func (s *scanner) resourceType() (name []byte, first bool) {
	const lead = `{"resourceType":"`
	if bytes.HasPrefix(s.data[s.pos:], []byte(lead)) {
		rest := s.data[s.pos+len(lead):]
		if end := bytes.IndexByte(rest, '"'); end >= 0 {
			return rest[:end], true
		}
		return nil, false
	}
	saved := *s
	defer func() { *s = saved }()
	s.pos++
	for index := 0; ; index++ {
		s.space()
		if s.peek() != '"' {
			return nil, false
		}
		start := s.pos + 1
		s.skipString()
		if s.fail != nil {
			return nil, false
		}
		key := s.data[start : s.pos-1]
		s.space()
		s.pos++ // the colon; the real pass finds out if it is none
		s.space()
		begin := s.pos
		s.skip()
		if s.fail != nil {
			return nil, false
		}
		if string(key) == "resourceType" {
			value := s.data[begin:s.pos]
			if len(value) < 2 || value[0] != '"' {
				return nil, false
			}
			return value[1 : len(value)-1], false
		}
		s.space()
		if s.peek() != ',' {
			return nil, false
		}
		s.pos++
	}
}

// object reads the members of node at, whose { comes next.
func (s *scanner) object(at int32) {
	if s.depth++; s.depth > maxDepth {
		s.fault(ReasonDepth, at, "it is nested too deep")
		return
	}
	typ := s.tape[at].typ
	s.tape[at].start = int32(s.pos)
	begin, tapeBegin := s.pos, len(s.tape)
	var seen seenSet
	var last *fhirmodel.Element
	s.pos++
	if s.space() {
		s.tape[at].flags |= dirty
	}
	if s.peek() == '}' {
		s.pos++
		s.tape[at].flags |= dirty // an empty object is dropped
	} else {
		for {
			elem, odd := s.member(at, typ, last)
			if s.fail != nil {
				return
			}
			if elem != nil && seen.add(elem.Group) && !odd {
				odd = true
			}
			if odd {
				// Something is out of order: begin again, with a plan.
				s.pos = begin
				s.tape = s.tape[:tapeBegin]
				s.unordered(at)
				break
			}
			if elem != nil {
				last = elem
				s.value(elem, at)
				if s.fail != nil {
					return
				}
			}
			if s.separator(at) {
				break
			}
			if s.fail != nil {
				return
			}
		}
	}
	if s.fail != nil {
		return
	}
	s.depth--
	s.tape[at].end = int32(s.pos)
	s.tape[at].after = int32(len(s.tape))
}

// separator reads the comma between two members, or the end of the object.
func (s *scanner) separator(at int32) (end bool) {
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

// member reads a key and the colon behind it. elem is nil for resourceType,
// whose value is read too. odd says that the object needs a plan.
func (s *scanner) member(at int32, typ *fhirmodel.Type, last *fhirmodel.Element) (elem *fhirmodel.Element, odd bool) {
	if last != nil {
		if p := s.predicted[last]; p != nil && s.follows(p.Key) {
			return p, false
		}
	}
	key := s.key(at)
	if s.fail != nil {
		return nil, false
	}
	if len(key) > 0 && key[0] == '_' {
		return nil, true
	}
	elem = typ.Member(key)
	if elem != nil {
		if last != nil {
			s.predicted[last] = elem
		}
		return elem, false
	}
	switch {
	case string(key) == "resourceType" && typ.Kind == fhirmodel.Resource:
		if s.tape[at].flags&resource != 0 && int32(len(s.tape)-1) != at {
			s.tape[at].flags |= dirty
		}
		s.skip()
	case string(key) == "fhir_comments" && !s.strict:
		s.tape[at].flags |= dirty
		s.skip()
	default:
		s.fault(ReasonElement, at, "it has a member that "+typ.Path+" does not have in this FHIR version")
	}
	return nil, false
}

// follows reads "key": if just that comes next.
func (s *scanner) follows(key string) bool {
	end := s.pos + 1 + len(key)
	if end+2 < len(s.data) && s.data[s.pos] == '"' && s.data[end] == '"' && s.data[end+1] == ':' &&
		string(s.data[s.pos+1:end]) == key && s.data[end+2] > ' ' {
		s.pos = end + 2
		return true
	}
	return false
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
func (s *scanner) value(elem *fhirmodel.Element, parent int32) {
	if s.peek() != '[' {
		if elem.Array {
			s.mismatch(parent, "it is an array in FHIR")
		}
		s.item(elem, parent, -1)
		return
	}
	if !elem.Array {
		s.mismatch(parent, "it is no array in FHIR")
	}
	count := 0
	s.pos++
	s.dirtyIf(parent, s.space())
	if s.peek() == ']' {
		s.pos++
		s.tape[parent].flags |= dirty
		return
	}
	for {
		if count > 0 && !elem.Array {
			s.skip() // Microsoft's tool takes the first only
		} else {
			s.item(elem, parent, -1)
		}
		count++
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

// item reads one value of an element. extension is where the object of "_x"
// begins, or -1.
func (s *scanner) item(elem *fhirmodel.Element, parent int32, extension int) {
	st := s.tape[parent].state
	switch {
	case s.peek() == 'n' && extension < 0:
		s.literal("null", parent)
		s.tape[parent].flags |= dirty
	case elem.Type.Kind == fhirmodel.Resource:
		if s.peek() != '{' {
			s.fault(ReasonValue, parent, "a resource is an object")
			return
		}
		s.resource(elem, parent, st)
	case elem.Type.Kind.Primitive():
		s.primitive(elem, parent, s.rules.child(st, elem, elem.Type), extension)
	default:
		if s.peek() != '{' {
			s.fault(ReasonValue, parent, elem.Key+" is an object in FHIR")
			return
		}
		s.object(s.add(elem, elem.Type, s.rules.child(st, elem, elem.Type), parent))
	}
}

// seenSet is a set of small numbers.
type seenSet [3]uint64

// add says whether the number was there.
func (s *seenSet) add(n int) bool {
	word, bit := n/64, uint64(1)<<(n%64)
	if word >= len(s) {
		return false // there is no such type
	}
	was := s[word]&bit != 0
	s[word] |= bit
	return was
}
