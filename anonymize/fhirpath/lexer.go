package fhirpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
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

// quoted reads up to the closing quote and undoes the escapes.
func (l *lexer) quoted(quote byte) (string, error) {
	start := l.pos
	l.pos++
	var b strings.Builder
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		l.pos++
		if c == quote {
			return b.String(), nil
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		if l.pos == len(l.text) {
			break
		}
		c = l.text[l.pos]
		l.pos++
		switch c {
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'f':
			b.WriteByte('\f')
		case 'u':
			r, ok := l.hex()
			if !ok { // no escape: the letter stands for itself
				b.WriteByte('u')
				break
			}
			if utf16.IsSurrogate(r) && strings.HasPrefix(l.text[l.pos:], `\u`) {
				at := l.pos
				l.pos += 2
				low, ok := l.hex()
				if both := utf16.DecodeRune(r, low); ok && both != utf8.RuneError {
					r = both
				} else {
					l.pos = at
				}
			}
			b.WriteRune(r)
		default: // \' \" \` \\ \/, and as engines do, any other character
			b.WriteByte(c)
		}
	}
	return "", &Error{start, "a quote is not closed"}
}

// hex reads four hexadecimal digits.
func (l *lexer) hex() (rune, bool) {
	if l.pos+4 > len(l.text) {
		return 0, false
	}
	n, err := strconv.ParseUint(l.text[l.pos:l.pos+4], 16, 32)
	if err != nil {
		return 0, false
	}
	l.pos += 4
	return rune(n), true
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

// temporal reads @2015-02-04, @2015-02-04T14:34:28Z or @T14:34:28.
func (l *lexer) temporal() (token, error) {
	start := l.pos
	l.pos++
	rest := l.text[l.pos:]
	kind, end := tokenDate, 0
	digits := func(n int) bool {
		if len(rest) < end+n {
			return false
		}
		for _, c := range []byte(rest[end : end+n]) {
			if !isDigit(c) {
				return false
			}
		}
		end += n
		return true
	}
	follows := func(c byte, n int) bool { // the character and n digits
		if end < len(rest) && rest[end] == c {
			end++
			if digits(n) {
				return true
			}
			end--
		}
		return false
	}
	if strings.HasPrefix(rest, "T") {
		kind = tokenTime
	} else {
		if !digits(4) {
			return token{}, &Error{start, "a date begins with four digits"}
		}
		if follows('-', 2) {
			follows('-', 2)
		}
		if end < len(rest) && rest[end] == 'T' {
			kind = tokenDateTime
		}
	}
	if kind != tokenDate {
		end++ // the T
		if digits(2) && follows(':', 2) && follows(':', 2) && end+1 < len(rest) && rest[end] == '.' && isDigit(rest[end+1]) {
			for end++; end < len(rest) && isDigit(rest[end]); end++ {
			}
		}
		if kind == tokenDateTime && end < len(rest) {
			switch {
			case rest[end] == 'Z':
				end++
			case rest[end] == '+', rest[end] == '-':
				if at := end; follows(rest[end], 2) && !follows(':', 2) {
					end = at
				}
			}
		}
	}
	l.pos += end
	return token{kind: kind, text: rest[:end], pos: start}, nil
}
