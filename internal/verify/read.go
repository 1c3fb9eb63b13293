package verify

import (
	"bytes"
	"math"
	"unicode/utf16"
	"unicode/utf8"
)

// reader reads one JSON text into a list of nodes that is used again for the
// next. It is strict, and the verifier's own: what another reader would take for
// something else must not pass here.
type reader struct {
	data  []byte
	nodes []node
	pos   int
	// plain holds the strings that had escapes.
	plain []byte
	// lenient lets bad UTF-8 and lone surrogates pass, for inputs.
	lenient bool
}

// node is a value with the member's name that it has in its object.
type node struct {
	// kind is the first character: { [ " t f n, or 0 for a number.
	kind byte
	// escaped says that the text is in plain, not in data; keyEscaped likewise.
	escaped, keyEscaped bool
	key, text           span
	// after is the index of the next node that is not in this one.
	after int32
}

type span struct{ begin, end int32 }

// maxDepth is how deeply objects and arrays may be nested.
const maxDepth = 200

// read reads a whole text: one value, and nothing behind it but white space.
func (r *reader) read(data []byte) bool {
	r.data, r.nodes, r.pos, r.plain = data, r.nodes[:0], 0, r.plain[:0]
	if len(data) > math.MaxInt32 || !r.lenient && !utf8.Valid(data) {
		return false
	}
	r.space()
	if !r.value(span{}, false, 0, false) {
		return false
	}
	r.space()
	return r.pos == len(data)
}

func (r *reader) space() {
	for r.pos < len(r.data) {
		switch r.data[r.pos] {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// peek is the next character behind white space, or 0.
func (r *reader) peek() byte {
	if r.pos < len(r.data) && r.data[r.pos] > ' ' {
		return r.data[r.pos]
	}
	r.space()
	if r.pos < len(r.data) {
		return r.data[r.pos]
	}
	return 0
}

// take takes the character c.
func (r *reader) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.pos++
	return true
}

func (r *reader) value(key span, keyEscaped bool, depth int, inArray bool) bool {
	i := len(r.nodes)
	kind := r.peek()
	r.nodes = append(r.nodes, node{kind: kind, key: key, keyEscaped: keyEscaped})
	ok := false
	switch kind {
	case '{':
		ok = depth < maxDepth && r.object(depth)
	case '[':
		ok = depth < maxDepth && !inArray && r.array(depth) // an array in an array is no FHIR
	case '"':
		var text span
		var escaped bool
		text, escaped, ok = r.text()
		n := &r.nodes[i]
		n.text, n.escaped = text, escaped
	case 't':
		ok = r.word("true")
	case 'f':
		ok = r.word("false")
	case 'n':
		ok = r.word("null")
	default:
		begin := r.pos
		ok = r.number()
		n := &r.nodes[i]
		n.kind, n.text = '0', span{int32(begin), int32(r.pos)}
	}
	r.nodes[i].after = int32(len(r.nodes))
	return ok
}

func (r *reader) object(depth int) bool {
	r.pos++
	if r.take('}') {
		return true
	}
	for {
		if r.peek() != '"' {
			return false
		}
		key, escaped, ok := r.text()
		if !ok || !r.take(':') || !r.value(key, escaped, depth+1, false) {
			return false
		}
		if r.take('}') {
			return true
		}
		if !r.take(',') {
			return false
		}
	}
}

func (r *reader) array(depth int) bool {
	r.pos++
	if r.take(']') {
		return true
	}
	for {
		if !r.value(span{}, false, depth+1, true) {
			return false
		}
		if r.take(']') {
			return true
		}
		if !r.take(',') {
			return false
		}
	}
}

func (r *reader) word(s string) bool {
	if len(r.data)-r.pos < len(s) || string(r.data[r.pos:r.pos+len(s)]) != s {
		return false
	}
	r.pos += len(s)
	return true
}

func (r *reader) digits() bool {
	begin := r.pos
	for r.pos < len(r.data) && r.data[r.pos]-'0' < 10 {
		r.pos++
	}
	return r.pos > begin
}

// number reads a number as RFC 8259 has it.
func (r *reader) number() bool {
	at := func(c byte) bool { return r.pos < len(r.data) && r.data[r.pos] == c }
	if at('-') {
		r.pos++
	}
	if at('0') {
		r.pos++
	} else if !r.digits() {
		return false
	}
	if at('.') {
		r.pos++
		if !r.digits() {
			return false
		}
	}
	if at('e') || at('E') {
		r.pos++
		if at('+') || at('-') {
			r.pos++
		}
		return r.digits()
	}
	return true
}

// text reads a string. Most have no escapes and are left where they are.
func (r *reader) text() (s span, escaped, ok bool) {
	r.pos++
	begin := r.pos
	for i := begin; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '"':
			r.pos = i + 1
			return span{int32(begin), int32(i)}, false, true
		case c == '\\':
			s, ok = r.unescape(begin, i)
			return s, true, ok
		case c < ' ':
			return s, false, false
		}
		// Long texts are mostly base64, without any of these.
		if i-begin == 64 {
			i = r.skip(i)
		}
	}
	return s, false, false
}

// skip goes on to the next character that matters in a long string, and stands
// before it.
func (r *reader) skip(i int) int {
	rest := r.data[i+1:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return i
	}
	for k, c := range rest[:end] {
		if c < ' ' || c == '\\' {
			return i + k
		}
	}
	return i + end
}

// unescape reads on from the first backslash of a string, at i.
func (r *reader) unescape(begin, i int) (s span, ok bool) {
	from := len(r.plain)
	r.plain = append(r.plain, r.data[begin:i]...)
	for i < len(r.data) {
		c := r.data[i]
		i++
		switch {
		case c == '"':
			r.pos = i
			return span{int32(from), int32(len(r.plain))}, true
		case c < ' ':
			return s, false
		case c != '\\':
			r.plain = append(r.plain, c)
			continue
		}
		if i == len(r.data) {
			return s, false
		}
		c = r.data[i]
		i++
		switch c {
		case '"', '\\', '/':
			r.plain = append(r.plain, c)
		case 'b':
			r.plain = append(r.plain, '\b')
		case 'f':
			r.plain = append(r.plain, '\f')
		case 'n':
			r.plain = append(r.plain, '\n')
		case 'r':
			r.plain = append(r.plain, '\r')
		case 't':
			r.plain = append(r.plain, '\t')
		case 'u':
			first, ok := r.hex(i)
			if !ok {
				return s, false
			}
			i += 4
			if utf16.IsSurrogate(first) {
				second, ok := rune(0), false
				if i+1 < len(r.data) && r.data[i] == '\\' && r.data[i+1] == 'u' {
					second, ok = r.hex(i + 2)
				}
				if pair := utf16.DecodeRune(first, second); ok && pair != utf8.RuneError {
					first = pair
					i += 6
				} else if !r.lenient {
					return s, false
				}
			}
			r.plain = utf8.AppendRune(r.plain, first) // a lone surrogate becomes U+FFFD
		default:
			return s, false
		}
	}
	return s, false
}

// hex reads four hexadecimal digits.
func (r *reader) hex(i int) (value rune, ok bool) {
	if len(r.data)-i < 4 {
		return 0, false
	}
	for _, c := range r.data[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			value = value<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			value = value<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return value, true
}

// keyOf and textOf are a node's name and text.
func (r *reader) keyOf(n *node) []byte {
	if n.keyEscaped {
		return r.plain[n.key.begin:n.key.end]
	}
	return r.data[n.key.begin:n.key.end]
}

func (r *reader) textOf(n *node) []byte {
	if n.escaped {
		return r.plain[n.text.begin:n.text.end]
	}
	return r.data[n.text.begin:n.text.end]
}

// child is the index of a member of an object, 0 if there is none.
func (r *reader) child(object int32, key string) int32 {
	if r.nodes[object].kind != '{' {
		return 0
	}
	for i := object + 1; i < r.nodes[object].after; i = r.nodes[i].after {
		if string(r.keyOf(&r.nodes[i])) == key {
			return i
		}
	}
	return 0
}

// childText is the text of a member that is a string or a number, or nil.
func (r *reader) childText(object int32, key string) []byte {
	if i := r.child(object, key); i != 0 && (r.nodes[i].kind == '"' || r.nodes[i].kind == '0') {
		return r.textOf(&r.nodes[i])
	}
	return nil
}
