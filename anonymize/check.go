package anonymize

import (
	"bytes"

	"fhirdeid/anonymize/fhirmodel"
)

// checkValue refuses a primitive's text that is none of its type, as Microsoft's
// tool does. The text itself is never repeated.
func (s *scanner) checkValue(at int32) {
	n := &s.tape[at]
	raw := s.data[n.start:n.end]
	body := raw
	if raw[0] == '"' {
		body = raw[1 : len(raw)-1]
	}
	bad := false
	switch n.typ.Kind {
	case fhirmodel.Boolean:
		bad = string(body) != "true" && string(body) != "false"
	case fhirmodel.Integer, fhirmodel.Decimal:
		bad = !s.checkNumber(n, body)
	case fhirmodel.Date:
		if n.flags&dirty != 0 {
			body = trimASCII(body)
		}
		d, rest, ok := parseDate(body)
		bad = !ok || len(rest) > 0 && (d.precision != precisionDay || !isZone(rest))
	case fhirmodel.DateTime, fhirmodel.Instant:
		if n.flags&dirty != 0 {
			body = trimASCII(body)
		}
		bad = !validDateTime(body)
	case fhirmodel.Time:
		if n.flags&dirty != 0 {
			body = trimASCII(body)
		}
		_, rest, ok := parseClock(body)
		bad = !ok || len(rest) > 0
	case fhirmodel.String:
		if n.elem.NoExtension && n.elem.Name == "id" && n.typ.Name == "id" && s.strict && len(body) > 64 {
			bad = true
		}
	}
	if bad {
		s.fault(ReasonValue, at, "its value is no "+n.typ.Name)
	}
}

func trimASCII(b []byte) []byte {
	for len(b) > 0 && b[0] <= ' ' {
		b = b[1:]
	}
	for len(b) > 0 && b[len(b)-1] <= ' ' {
		b = b[:len(b)-1]
	}
	return b
}

// checkNumber also finds out whether the number is in canonical form.
func (s *scanner) checkNumber(n *node, body []byte) bool {
	if n.flags&wrongKind != 0 {
		body = trimASCII(body)
		t := scanner{data: body}
		t.skipNumber()
		if t.fail != nil || t.pos != len(body) {
			return false
		}
	}
	integer := n.typ.Kind == fhirmodel.Integer
	digits, fraction, exponent := 0, -1, false
	for _, c := range body {
		switch {
		case c >= '0' && c <= '9':
			digits++
			if fraction >= 0 {
				fraction++
			}
		case c == '.':
			fraction = 0
		case c == 'e', c == 'E':
			exponent = true
		}
	}
	negative := len(body) > 1 && body[0] == '-' && body[1] == '0' // there is no negative zero
	leadingZero := hasLeadingZero(bytes.TrimPrefix(body, []byte{'-'}))
	if leadingZero && s.strict {
		return false
	}
	if leadingZero || negative || exponent || fraction > 28 || digits > 28 {
		n.flags |= dirty
	}
	if integer {
		return fraction < 0 && (!exponent && digits <= 10 && fitsInt32(body) || exponent && fitsInt32(canonicalNumber(body)))
	}
	return true
}

// hasLeadingZero reports whether a number without sign has a zero that JSON does not
// allow.
func hasLeadingZero(body []byte) bool {
	return len(body) > 1 && body[0] == '0' && body[1] >= '0' && body[1] <= '9'
}

func fitsInt32(body []byte) bool {
	if len(body) == 0 {
		return false
	}
	negative := body[0] == '-'
	if negative {
		body = body[1:]
	}
	n := int64(0)
	for _, c := range body {
		if c < '0' || c > '9' || n > 1<<33 {
			return false
		}
		n = n*10 + int64(c-'0')
	}
	return n <= 1<<31-1 || negative && n <= 1<<31
}
