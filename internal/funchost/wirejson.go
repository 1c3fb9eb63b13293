package funchost

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// The host writes its bodies with Newtonsoft.Json. This file writes the same
// bytes: no spaces, keys in a fixed order, no escapes that are not needed.

// member is a key with the JSON text of its value.
type member struct{ key, value string }

// object is a JSON object whose members keep their order.
type object []member

// set replaces the member of that name, compared without case and keeping the
// spelling that is there, or appends it.
func (o *object) set(key, value string) {
	for i := range *o {
		if strings.EqualFold((*o)[i].key, key) {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, member{key, value})
}

// String is the object as JSON.
func (o object) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		quoteTo(&b, m.key)
		b.WriteByte(':')
		b.WriteString(m.value)
	}
	b.WriteByte('}')
	return b.String()
}

// quote is s as a JSON string, escaped as Newtonsoft does by default: quotes,
// backslashes, control characters and the three Unicode line ends.
func quote(s string) string {
	var b strings.Builder
	quoteTo(&b, s)
	return b.String()
}

func quoteTo(b *strings.Builder, s string) {
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	start := 0
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		var escape string
		switch r {
		case '"':
			escape = `\"`
		case '\\':
			escape = `\\`
		case '\b':
			escape = `\b`
		case '\f':
			escape = `\f`
		case '\n':
			escape = `\n`
		case '\r':
			escape = `\r`
		case '\t':
			escape = `\t`
		case 0x85, 0x2028, 0x2029:
			escape = fmt.Sprintf(`\u%04x`, r)
		default:
			if r < 0x20 {
				escape = fmt.Sprintf(`\u%04x`, r)
			}
		}
		if escape != "" {
			b.WriteString(s[start:i])
			b.WriteString(escape)
			start = i + size
		}
		i += size
	}
	b.WriteString(s[start:])
	b.WriteByte('"')
}

// scalar is a value that the host encodes twice: JSON text inside a JSON
// string. Strings, numbers, booleans and null go this way; objects do not.
func scalar(jsonText string) string { return quote(jsonText) }

// scalarString is a string that the host encodes twice.
func scalarString(s string) string { return quote(quote(s)) }

// bytesValue is how the host writes a byte array.
func bytesValue(b []byte) string { return `"` + base64.StdEncoding.EncodeToString(b) + `"` }

// utcTime is a DateTime of kind UTC: up to seven decimals, none at the end that
// is zero, and Z.
func utcTime(t time.Time) string {
	return quote(t.UTC().Truncate(100).Format("2006-01-02T15:04:05.9999999Z"))
}

// offsetTime is a DateTimeOffset, or a local DateTime of a host that runs in
// UTC: as utcTime, with an offset.
func offsetTime(t time.Time) string {
	if t.IsZero() {
		return `"0001-01-01T00:00:00+00:00"`
	}
	return quote(t.UTC().Truncate(100).Format("2006-01-02T15:04:05.9999999") + "+00:00")
}
