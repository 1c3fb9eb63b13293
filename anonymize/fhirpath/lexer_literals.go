package fhirpath

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

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
