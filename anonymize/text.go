package anonymize

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"fhirdeid/anonymize/fhirmodel"
)

// unescape appends the text of a JSON string's inside. The escapes have been
// checked.
func unescape(dst, body []byte) []byte {
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c != '\\' || i+1 == len(body) {
			dst = append(dst, c)
			continue
		}
		i++
		switch body[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r := hexRune(body, i)
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(0)
				if i+2 < len(body) && body[i+1] == '\\' && body[i+2] == 'u' {
					low = hexRune(body, i+2)
				}
				if whole := utf16.DecodeRune(r, low); whole != utf8.RuneError {
					r = whole
					i += 6
				} else {
					r = utf8.RuneError
				}
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, body[i])
		}
	}
	return dst
}

// hasLoneSurrogate reports whether the inside of a string has an escape that is half
// of a pair. The escapes have been checked.
func hasLoneSurrogate(body []byte) bool {
	for i := 0; i+1 < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		if i++; body[i] != 'u' {
			continue
		}
		r := hexRune(body, i)
		i += 4
		if !utf16.IsSurrogate(r) {
			continue
		}
		if i+2 >= len(body) || body[i+1] != '\\' || body[i+2] != 'u' || utf16.DecodeRune(r, hexRune(body, i+2)) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

// hexRune reads the four digits behind body[at], which is the u.
func hexRune(body []byte, at int) rune {
	if at+5 > len(body) {
		return utf8.RuneError
	}
	n, err := strconv.ParseUint(string(body[at+1:at+5]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// appendString appends a text as a JSON string in Microsoft's canonical form:
// only what has to be is escaped, and the three line ends beyond ASCII.
func appendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(text); {
		c := text[i]
		if plain[c] {
			i++
			continue
		}
		size := 1
		var escape string
		switch {
		case c == '"':
			escape = `\"`
		case c == '\\':
			escape = `\\`
		case c == '\b':
			escape = `\b`
		case c == '\f':
			escape = `\f`
		case c == '\n':
			escape = `\n`
		case c == '\r':
			escape = `\r`
		case c == '\t':
			escape = `\t`
		case c < 0x20:
			escape = `\u00` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15])
		default:
			var r rune
			r, size = utf8.DecodeRune(text[i:])
			switch r {
			case '\u0085':
				escape = `\u0085`
			case '\u2028':
				escape = `\u2028`
			case '\u2029':
				escape = `\u2029`
			}
		}
		if escape != "" {
			dst = append(append(dst, text[start:i]...), escape...)
			start = i + size
		}
		i += size
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}

// text is the text of a primitive's value as the methods see it: strings without
// escapes and trimmed, numbers in plain digits, booleans as .NET writes them.
// The result may be part of the line, or of buf.
func (w *worker) text(n *node) []byte {
	raw := w.data[n.start:n.end]
	switch raw[0] {
	case '"':
		if n.flags&wrongKind != 0 {
			return textOfKind(n.typ.Kind, raw)
		}
		body := raw[1 : len(raw)-1]
		if n.flags&escaped != 0 {
			w.scratch = unescape(w.scratch[:0], body)
			body = w.scratch
		}
		if n.flags&dirty != 0 {
			body = bytes.TrimSpace(body)
		}
		return body
	case 't':
		return []byte("True")
	case 'f':
		return []byte("False")
	}
	if n.flags&dirty == 0 {
		return raw
	}
	return canonicalNumber(raw)
}

// textNow is the text of a value as rules have left it.
func (w *worker) textNow(n *node) []byte {
	if n.flags&replaced == 0 {
		return w.text(n)
	}
	raw := w.values[n.outStart:n.outEnd]
	if raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
		if bytes.IndexByte(raw, '\\') >= 0 {
			raw = unescape(nil, raw)
		}
	}
	return raw
}

// textOfKind is the text of a boolean or a number that the line has as a string.
func textOfKind(kind fhirmodel.Kind, raw []byte) []byte {
	if kind != fhirmodel.Boolean {
		return canonicalNumber(raw)
	}
	if string(bytes.TrimSpace(bytes.Trim(raw, `"`))) == "true" {
		return []byte("True")
	}
	return []byte("False")
}
