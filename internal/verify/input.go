package verify

import (
	"unicode"
	"unicode/utf8"
)

// minToken is how long a token of the input must be to be looked for.
const minToken = 4

// inputs are what of an input line identifies: the words and numbers in its
// names, identifiers, telecom and address values, each as a whole, normalised,
// and the ids that could be taken for pseudonyms. They are kept as hashes.
type inputs struct {
	reader
	tokens, ids hashes
}

func (g *inputs) reset() {
	g.lenient = true
	g.tokens.reset()
	g.ids.reset()
}

// input reads the input line.
func (w *walk) input(in []byte) bool {
	g := &w.given
	if !g.read(in) || g.nodes[0].kind != '{' {
		return false
	}
	g.resource(0, w.c.model)
	return true
}

func (g *inputs) resource(i int32, m *model) {
	if t := m.types[string(g.childText(i, "resourceType"))]; t != nil {
		g.collect(i, t, m, false)
	}
}

// identifyingTypes are the types whose values identify.
var identifyingTypes = map[string]bool{"HumanName": true, "ContactPoint": true, "Identifier": true, "Address": true}

// publicParts are members of those that say nothing of a person.
var publicParts = map[string]bool{"use": true, "system": true, "type": true, "period": true, "state": true, "country": true, "rank": true, "assigner": true, "extension": true}

// identifyingElements are strings that identify outside those types.
var identifyingElements = map[string]bool{
	"subscriberId": true, "serialNumber": true, "lotNumber": true, "distinctIdentifier": true, "deviceIdentifier": true, "carrierHRF": true, "preAuthRef": true,
}

// collect goes through an object of a type; inside says that it identifies.
func (g *inputs) collect(i int32, t *typ, m *model, inside bool) {
	inside = inside || t.ident
	for c := i + 1; c < g.nodes[i].after; c = g.nodes[c].after {
		e := t.members.get(g.keyOf(&g.nodes[c]))
		if e == nil || inside && e.publicPart {
			continue
		}
		if g.nodes[c].kind == '[' {
			for item := c + 1; item < g.nodes[c].after; item = g.nodes[item].after {
				g.value(item, e, m, inside)
			}
		} else {
			g.value(c, e, m, inside)
		}
	}
}

func (g *inputs) value(i int32, e *elem, m *model, inside bool) {
	n := &g.nodes[i]
	switch {
	case n.kind == '{' && e.anyResource:
		g.resource(i, m)
	case n.kind == '{':
		g.collect(i, e.typ, m, inside)
	case n.kind == '"':
		text := g.textOf(n)
		if hash, ok := pseudonymLike(text); ok {
			g.ids.add(hash)
		}
		if inside || e.ident {
			for t := (tokenizer{text: text}); t.next(); {
				g.tokens.add(t.hash)
			}
		}
	}
}

// fromInput looks for an identifying value of the input in a text of the result.
func (w *walk) fromInput(text []byte, s Severity) {
	if w.given.tokens.size == 0 {
		return
	}
	for t := (tokenizer{text: text}); t.next(); {
		if w.given.tokens.has(t.hash) {
			w.find(s, ClassInput)
			return
		}
	}
}

// tokenizer cuts a text into words and numbers of some length, in lower case;
// digits that are only grouped, as in a telephone number, come once more, all
// together.
type tokenizer struct {
	text []byte
	// hash is that of the token that next has found.
	hash  uint64
	pos   int
	words int
	// digits are those of the whole text.
	digits     int
	digitsHash uint64
	ended      bool
}

func (t *tokenizer) next() bool {
	if t.ended {
		return false
	}
	if t.pos == 0 {
		t.digitsHash = hashBegin
	}
	length, hash := 0, uint64(hashBegin)
	for t.pos < len(t.text) {
		r, size := rune(t.text[t.pos]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(t.text[t.pos:])
			r = unicode.ToLower(r)
		} else if r >= 'A' && r <= 'Z' {
			r |= 0x20
		}
		t.pos += size
		digit := r >= '0' && r <= '9'
		if digit {
			t.digits++
			t.digitsHash = hashByte(t.digitsHash, byte(r))
		}
		switch {
		case digit || r >= 'a' && r <= 'z' || r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			length++
			for ; r >= 0x100; r >>= 8 {
				hash = hashByte(hash, byte(r))
			}
			hash = hashByte(hash, byte(r))
			continue
		case length > 0:
			t.words++
		}
		if length >= minToken {
			t.hash = hash
			return true
		}
		length, hash = 0, hashBegin
	}
	if length > 0 {
		t.words++
	}
	if length >= minToken {
		t.hash = hash
		return true
	}
	t.ended = true
	t.hash = t.digitsHash
	return t.digits >= 7 && t.words > 1
}

// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), 64 bits: two different
// tokens of one line never meet in practice.
const hashBegin = 14695981039346656037

func hashByte(h uint64, c byte) uint64 { return (h ^ uint64(c)) * 1099511628211 }

// hashes is a set of hashes that is emptied at little cost.
type hashes struct {
	slots []uint64
	used  []uint64
	size  int
}

func (s *hashes) reset() {
	for _, h := range s.used {
		for i := h; s.slots[i%uint64(len(s.slots))] != 0; i++ {
			s.slots[i%uint64(len(s.slots))] = 0
		}
	}
	s.used, s.size = s.used[:0], 0
}

func (s *hashes) add(h uint64) {
	h |= 1 // 0 is an empty slot
	if s.has(h) {
		return
	}
	if 2*len(s.used) >= len(s.slots) {
		s.slots = make([]uint64, max(64, 2*len(s.slots)))
		for _, old := range s.used {
			s.put(old)
		}
	}
	s.put(h)
	s.used = append(s.used, h)
	s.size++
}

func (s *hashes) put(h uint64) {
	i := h
	for s.slots[i%uint64(len(s.slots))] != 0 {
		i++
	}
	s.slots[i%uint64(len(s.slots))] = h
}

func (s *hashes) has(h uint64) bool {
	h |= 1
	if s.size == 0 {
		return false
	}
	for i := h; ; i++ {
		switch s.slots[i%uint64(len(s.slots))] {
		case h:
			return true
		case 0:
			return false
		}
	}
}
