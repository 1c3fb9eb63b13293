package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// node is a JSON value of a rule file, with the line it begins in.
type node struct {
	kind    kind
	line    int
	text    string // of a string, or the literal of a number
	boolean bool
	items   []*node
	members []member
}

type member struct {
	key   string
	value *node
}

type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "true or false", "a number", "a text", "an array", "an object"}[k]
}

// get returns a member by its exact name, or nil.
func (n *node) get(key string) *node {
	for _, m := range n.members {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// getFold returns a member whatever its case, or nil. Of several that differ in
// case the last wins, as with Microsoft's loader.
func (n *node) getFold(key string) *node {
	for _, m := range slices.Backward(n.members) {
		if strings.EqualFold(m.key, key) {
			return m.value
		}
	}
	return nil
}

// parser reads JSON as leniently as Newtonsoft's reader does.
type parser struct {
	data  []byte
	pos   int
	line  int
	depth int
}

const maxDepth = 64

func parseJSON(data []byte) (*node, error) {
	return parseFrom(toUTF8(data), 1)
}

// parseFrom reads JSON that begins in a line of the file.
func parseFrom(data []byte, line int) (*node, error) {
	p := &parser{data: data, line: line}
	if err := p.space(); err != nil {
		return nil, err
	}
	n, err := p.value()
	if err != nil {
		return nil, err
	}
	if err := p.space(); err != nil {
		return nil, err
	}
	if p.pos < len(p.data) {
		return nil, p.fault("there is something behind the end of the object")
	}
	return n, nil
}

func (p *parser) fault(format string, args ...any) error {
	return &Error{Line: p.line, Text: fmt.Sprintf(format, args...)}
}

// space skips white space and comments.
func (p *parser) space() error {
	for p.pos < len(p.data) {
		switch c := p.data[p.pos]; {
		case c == '\n':
			p.line++
			p.pos++
		case c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f':
			p.pos++
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(p.data[p.pos:])
			if !unicode.IsSpace(r) {
				return nil
			}
			p.pos += size
		case c == '/' && bytes.HasPrefix(p.data[p.pos:], []byte("//")):
			for p.pos < len(p.data) && p.data[p.pos] != '\n' {
				p.pos++
			}
		case c == '/' && bytes.HasPrefix(p.data[p.pos:], []byte("/*")):
			end := bytes.Index(p.data[p.pos:], []byte("*/"))
			if end < 0 {
				return p.fault("a comment is not closed")
			}
			p.line += bytes.Count(p.data[p.pos:p.pos+end], []byte{'\n'})
			p.pos += end + 2
		default:
			return nil
		}
	}
	return nil
}

func (p *parser) peek() byte {
	if p.pos < len(p.data) {
		return p.data[p.pos]
	}
	return 0
}

func (p *parser) value() (*node, error) {
	n := &node{line: p.line}
	var err error
	switch c := p.peek(); {
	case c == '{':
		n.kind = kindObject
		err = p.object(n)
	case c == '[':
		n.kind = kindArray
		err = p.array(n)
	case c == '"' || c == '\'':
		n.kind = kindString
		n.text, err = p.text()
	case c == '-' || c >= '0' && c <= '9':
		n.kind = kindNumber
		start := p.pos
		for p.pos < len(p.data) && strings.IndexByte("+-.eE0123456789", p.data[p.pos]) >= 0 {
			p.pos++
		}
		n.text = string(p.data[start:p.pos])
		if !isNumber(n.text) {
			err = p.fault("%q is no number; write it without a leading zero or plus", n.text)
		}
	default:
		word := p.word()
		switch word {
		case "true", "false":
			n.kind, n.boolean = kindBool, word == "true"
		case "null":
		case "":
			err = p.fault("a value is missing")
		default:
			err = p.fault("%q is no JSON value", word)
		}
	}
	return n, err
}

func (p *parser) word() string {
	start := p.pos
	for p.pos < len(p.data) {
		c := p.data[p.pos]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$') {
			break
		}
		p.pos++
	}
	return string(p.data[start:p.pos])
}

// list reads items until close, with commas between and perhaps behind them.
func (p *parser) list(close byte, item func() error) error {
	if p.depth++; p.depth > maxDepth {
		return p.fault("it is nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	p.pos++
	for {
		if err := p.space(); err != nil {
			return err
		}
		if p.peek() == close {
			p.pos++
			return nil
		}
		if p.pos >= len(p.data) {
			return p.fault("a closing %q is missing", string(close))
		}
		if err := item(); err != nil {
			return err
		}
		if err := p.space(); err != nil {
			return err
		}
		switch p.peek() {
		case ',':
			p.pos++
		case close:
		default:
			return p.fault("a comma or a closing %q is missing", string(close))
		}
	}
}

func (p *parser) array(n *node) error {
	return p.list(']', func() error {
		v, err := p.value()
		n.items = append(n.items, v)
		return err
	})
}

func (p *parser) object(n *node) error {
	seen := make(map[string]bool)
	return p.list('}', func() error {
		var key string
		var err error
		if c := p.peek(); c == '"' || c == '\'' {
			key, err = p.text()
		} else if key = p.word(); key == "" {
			err = p.fault("the name of a member is missing")
		}
		if err != nil {
			return err
		}
		if seen[key] {
			return p.fault("the member %q is there twice; remove one", key)
		}
		seen[key] = true
		if err := p.space(); err != nil {
			return err
		}
		if p.peek() != ':' {
			return p.fault("a colon is missing behind %q", key)
		}
		p.pos++
		if err := p.space(); err != nil {
			return err
		}
		v, err := p.value()
		n.members = append(n.members, member{key, v})
		return err
	})
}
