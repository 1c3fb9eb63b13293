package fhirpath

import (
	"fmt"
	"strings"
)

// tokenKind is what sort of word a token is.
type tokenKind uint8

const (
	tokenEnd        tokenKind = iota
	tokenIdentifier           // name, `name`, "name"
	tokenString
	tokenNumber
	tokenLong
	tokenDate     // @2015
	tokenDateTime // @2015T
	tokenTime     // @T14
	tokenVariable // %name
	tokenSpecial  // $this
	tokenSymbol
)

// token is a word of an expression. Of a delimited identifier or a string, text
// is what is between the quotes.
type token struct {
	kind      tokenKind
	text      string
	delimited bool
	pos       int
}

// Error says what is wrong with an expression, or why it could not be
// evaluated. It has no value of the document in it.
type Error struct {
	// Position is the byte in the expression, or -1.
	Position int
	Text     string
}

func (e *Error) Error() string {
	if e.Position < 0 {
		return e.Text
	}
	return fmt.Sprintf("at character %d: %s", e.Position+1, e.Text)
}

// maxExpression is how long an expression may be, in bytes.
const maxExpression = 64 << 10

// lex splits a text into tokens; the last is tokenEnd.
func lex(text string) ([]token, error) {
	if len(text) > maxExpression {
		return nil, &Error{-1, "the expression is too long"}
	}
	l := &lexer{text: text}
	for {
		if err := l.skipSpace(); err != nil {
			return nil, err
		}
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		l.tokens = append(l.tokens, t)
		if t.kind == tokenEnd {
			return l.tokens, nil
		}
	}
}

type lexer struct {
	text   string
	pos    int
	tokens []token
}

// skipSpace skips white space and comments.
func (l *lexer) skipSpace() error {
	for l.pos < len(l.text) {
		rest := l.text[l.pos:]
		switch {
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || rest[0] == '\n':
			l.pos++
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			l.pos += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return &Error{l.pos, "a comment is not closed"}
			}
			l.pos += end + 4
		case strings.HasPrefix(rest, "\u00a0"):
			l.pos += 2
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) next() (token, error) {
	start := l.pos
	if start == len(l.text) {
		return token{kind: tokenEnd, pos: start}, nil
	}
	c := l.text[start]
	switch {
	case isLetter(c):
		return token{kind: tokenIdentifier, text: l.word(), pos: start}, nil
	case c == '`', c == '"':
		text, err := l.quoted(c)
		return token{kind: tokenIdentifier, text: text, delimited: true, pos: start}, err
	case c == '\'':
		text, err := l.quoted(c)
		return token{kind: tokenString, text: text, pos: start}, err
	case isDigit(c):
		return l.number(), nil
	case c == '@':
		return l.temporal()
	case c == '%':
		l.pos++
		if l.pos < len(l.text) && (l.text[l.pos] == '`' || l.text[l.pos] == '\'' || l.text[l.pos] == '"') {
			text, err := l.quoted(l.text[l.pos])
			return token{kind: tokenVariable, text: text, pos: start}, err
		}
		name := l.word()
		for l.pos < len(l.text) && l.text[l.pos] == '-' { // %vs-name, %ext-name
			l.pos++
			name += "-" + l.word()
		}
		if name == "" {
			return token{}, &Error{start, "the name of a variable is missing"}
		}
		return token{kind: tokenVariable, text: name, pos: start}, nil
	case c == '$':
		l.pos++
		name := l.word()
		switch name {
		case "this", "index", "total":
			return token{kind: tokenSpecial, text: name, pos: start}, nil
		}
		return token{}, &Error{start, "there are only $this, $index and $total"}
	}
	for _, s := range []string{"<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "|", "&", "<", ">", "=", "~"} {
		if strings.HasPrefix(l.text[start:], s) {
			l.pos += len(s)
			return token{kind: tokenSymbol, text: s, pos: start}, nil
		}
	}
	return token{}, &Error{start, "a character that FHIRPath does not have"}
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexer) word() string {
	start := l.pos
	for l.pos < len(l.text) && (isLetter(l.text[l.pos]) || isDigit(l.text[l.pos])) {
		l.pos++
	}
	return l.text[start:l.pos]
}

func (l *lexer) number() token {
	start := l.pos
	l.digits()
	if l.pos+1 < len(l.text) && l.text[l.pos] == '.' && isDigit(l.text[l.pos+1]) {
		l.pos++
		l.digits()
		return token{kind: tokenNumber, text: l.text[start:l.pos], pos: start}
	}
	if l.pos < len(l.text) && l.text[l.pos] == 'L' {
		l.pos++
		return token{kind: tokenLong, text: l.text[start : l.pos-1], pos: start}
	}
	return token{kind: tokenNumber, text: l.text[start:l.pos], pos: start}
}

func (l *lexer) digits() {
	for l.pos < len(l.text) && isDigit(l.text[l.pos]) {
		l.pos++
	}
}
