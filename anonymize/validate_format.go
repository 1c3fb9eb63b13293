package anonymize

import (
	"bytes"
)

// formatOf is the check of a primitive type's text, by the regular expressions of
// the data types page of the specification (https://hl7.org/fhir/R4/datatypes.html),
// or nil where the scanner has checked all there is.
func formatOf(name string) func([]byte) bool {
	switch name {
	case "id":
		return isID
	case "code":
		return fitsCode
	case "uri", "url", "canonical":
		return fitsURI
	case "oid":
		return fitsOID
	case "uuid":
		return fitsUUID
	case "base64Binary":
		return fitsBase64
	case "string", "markdown":
		return fitsText
	case "date":
		return func(b []byte) bool { _, rest, ok := parseDate(b); return ok && len(rest) == 0 }
	case "dateTime":
		return func(b []byte) bool { return fitsDateTime(b, precisionYear) }
	case "instant":
		return func(b []byte) bool { return fitsDateTime(b, precisionDay) }
	case "time":
		return func(b []byte) bool { c, rest, ok := parseClock(b); return ok && c.seconds && len(rest) == 0 }
	case "integer":
		return fitsInteger
	case "unsignedInt":
		return func(b []byte) bool { return b[0] != '-' && fitsInteger(b) }
	case "positiveInt":
		return func(b []byte) bool { return b[0] != '-' && b[0] != '0' && fitsInteger(b) }
	case "integer64":
		return fitsInteger
	}
	return nil
}

// fitsCode: no white space around, single blanks inside.
func fitsCode(b []byte) bool {
	blank := true // a blank may not come first
	for _, c := range b {
		if isBlank(c) {
			if blank {
				return false
			}
			blank = true
			continue
		}
		blank = false
	}
	return !blank
}

func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// fitsURI is text without white space.
func fitsURI(b []byte) bool {
	for _, c := range b {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return len(b) > 0
}

// isScheme reports whether a text can stand before the colon of an absolute URI
// (RFC 3986, 3.1).
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || !isAlnum(c) && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}

// fitsOID is urn:oid: and numbers without leading zeros, the first 0 to 2.
func fitsOID(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte("urn:oid:"))
	if !ok || len(rest) < 3 || rest[0] > '2' {
		return false
	}
	for i, part := range bytes.Split(rest, []byte{'.'}) {
		if !isNatural(part) || i == 0 && len(part) != 1 {
			return false
		}
	}
	return bytes.IndexByte(rest, '.') > 0
}

func isNatural(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) == 1 || len(b) > 1 && b[0] != '0'
}

// fitsInteger is a whole number as FHIR writes it: without exponent and leading
// zeros. Its range is the scanner's matter, or, for integer64, eight bytes.
func fitsInteger(b []byte) bool {
	digits := bytes.TrimPrefix(b, []byte{'-'})
	return isNatural(digits) && len(digits) <= 19 && (len(b) == len(digits) || digits[0] != '0')
}

// fitsUUID is urn:uuid: and five groups of lower-case hexadecimal digits.
func fitsUUID(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte("urn:uuid:"))
	if !ok || len(rest) != 36 {
		return false
	}
	for i, c := range rest {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// fitsBase64 is groups of four characters, with white space anywhere.
func fitsBase64(b []byte) bool {
	count, padding := 0, 0
	for _, c := range b {
		switch {
		case isBlank(c):
			continue
		case c == '=':
			padding++
		case padding > 0 || !isAlnum(c) && c != '+' && c != '/':
			return false
		}
		count++
	}
	return count > 0 && count%4 == 0 && padding <= 2
}

// maxText is how long a string may be: 1024*1024 characters.
const maxText = 1 << 20

// fitsText has no control characters but tab, line feed and carriage return.
func fitsText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return len(b) > 0 && (len(b) <= maxText || len(bytes.Runes(b)) <= maxText)
}

// fitsDateTime is a date of at least the precision; a time behind it has seconds
// and a zone. An instant is one to the second.
func fitsDateTime(b []byte, least precision) bool {
	d, rest, ok := parseDate(b)
	if !ok || d.precision < least {
		return false
	}
	if len(rest) == 0 {
		return least < precisionDay
	}
	if d.precision != precisionDay || rest[0] != 'T' {
		return false
	}
	c, rest, ok := parseClock(rest[1:])
	return ok && c.seconds && isZone(rest)
}
