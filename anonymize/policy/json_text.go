package policy

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

func (p *parser) text() (string, error) {
	quote := p.data[p.pos]
	p.pos++
	var b strings.Builder
	for p.pos < len(p.data) {
		c := p.data[p.pos]
		switch {
		case c == quote:
			p.pos++
			return b.String(), nil
		case c == '\\':
			if err := p.escape(&b); err != nil {
				return "", err
			}
		default:
			if c == '\n' {
				p.line++
			}
			r, size := utf8.DecodeRune(p.data[p.pos:])
			b.WriteRune(r)
			p.pos += size
		}
	}
	return "", p.fault("a text is not closed")
}

func (p *parser) escape(b *strings.Builder) error {
	if p.pos+1 >= len(p.data) {
		return p.fault("a text is not closed")
	}
	c := p.data[p.pos+1]
	p.pos += 2
	if i := strings.IndexByte(`bfnrt"\/'`, c); i >= 0 {
		b.WriteByte("\b\f\n\r\t\"\\/'"[i])
		return nil
	}
	if c != 'u' || p.pos+4 > len(p.data) {
		return p.fault("an escape in a text is none that JSON has")
	}
	n, err := strconv.ParseUint(string(p.data[p.pos:p.pos+4]), 16, 16)
	if err != nil {
		return p.fault("an escape in a text is none that JSON has")
	}
	p.pos += 4
	r := rune(n)
	if utf16.IsSurrogate(r) && bytes.HasPrefix(p.data[p.pos:], []byte(`\u`)) && p.pos+6 <= len(p.data) {
		if low, err := strconv.ParseUint(string(p.data[p.pos+2:p.pos+6]), 16, 16); err == nil {
			if pair := utf16.DecodeRune(r, rune(low)); pair != utf8.RuneError {
				r = pair
				p.pos += 6
			}
		}
	}
	b.WriteRune(r) // half a pair becomes U+FFFD
	return nil
}

// isNumber reports whether a literal is a number of JSON whose value a float64
// can hold. Microsoft's loader reads more, such as 010 as 8: a trap.
func isNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' || len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return false
	}
	f, err := strconv.ParseFloat(text, 64)
	return err == nil && !math.IsInf(f, 0)
}

// toUTF8 takes off a byte order mark, and turns UTF-16 with one into UTF-8.
func toUTF8(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte("\ufeff")):
		return data[len("\ufeff"):]
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return data
	}
	units := make([]uint16, 0, len(data)/2)
	for data = data[2:]; len(data) >= 2; data = data[2:] {
		units = append(units, order.Uint16(data))
	}
	return []byte(string(utf16.Decode(units)))
}
