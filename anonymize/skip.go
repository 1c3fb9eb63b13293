package anonymize

import "bytes"

// skip reads past any JSON value, and checks it.
func (s *scanner) skip() {
	depth := 0
	arrays := uint64(0) // which of the open ones are arrays, the innermost lowest
	for {
		s.space()
		switch c := s.peek(); {
		case c == '"':
			s.skipString()
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				s.fault(ReasonDepth, -1, "it is nested too deep")
				return
			}
			arrays <<= 1
			if c == '[' {
				arrays |= 1
			}
			s.pos++
			s.space()
			if s.peek() == c+2 { // } is { + 2, ] is [ + 2
				break
			}
			if c == '{' && !s.skipKey() {
				return
			}
			continue
		case c == 't':
			s.literal("true", -1)
		case c == 'f':
			s.literal("false", -1)
		case c == 'n':
			s.literal("null", -1)
		case c == '-' || c >= '0' && c <= '9':
			s.skipNumber()
		default:
			s.fault(ReasonJSON, -1, "a value is missing")
		}
		if s.fail != nil {
			return
		}
		// A value has ended: close what ends with it, or go on behind a comma.
		for {
			if depth == 0 {
				return
			}
			s.space()
			array := arrays&1 != 0
			c := s.peek()
			if c == ']' && array || c == '}' && !array {
				depth--
				arrays >>= 1
				s.pos++
				continue
			}
			if c != ',' {
				s.fault(ReasonJSON, -1, "a comma or a bracket is missing")
				return
			}
			s.pos++
			s.space()
			if !array && !s.skipKey() {
				return
			}
			break
		}
	}
}

// skipKey reads past a member's name and colon.
func (s *scanner) skipKey() bool {
	if s.peek() != '"' {
		s.fault(ReasonJSON, -1, "the name of a member is missing")
		return false
	}
	s.skipString()
	if s.fail != nil {
		return false
	}
	s.space()
	if s.peek() != ':' {
		s.fault(ReasonJSON, -1, "a colon is missing")
		return false
	}
	s.pos++
	return true
}

// skipString reads past a string whose quote comes next.
func (s *scanner) skipString() {
	for i := s.pos + 1; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.pos = i + 1
			return
		case c == '\\':
			if i++; !s.isEscape(i) {
				s.pos = i
				s.fault(ReasonJSON, -1, "a string has an escape that JSON does not have")
				return
			}
		case c < 0x20:
			s.pos = i
			s.fault(ReasonJSON, -1, "a string has a control character")
			return
		}
	}
	s.pos = len(s.data)
	s.fault(ReasonJSON, -1, "a string is not closed")
}

// isEscape reports whether what stands behind a backslash makes an escape.
func (s *scanner) isEscape(i int) bool {
	return i < len(s.data) && (bytes.IndexByte([]byte(`"\bfnrt`), s.data[i]) >= 0 || s.knownEscape(i))
}

func (s *scanner) literal(word string, at int32) {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		s.fault(ReasonJSON, at, "a value is no JSON")
		return
	}
	s.pos += len(word)
}

// skipNumber reads past a number as JSON has it.
func (s *scanner) skipNumber() {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	digits := s.digits()
	if s.peek() == '.' {
		s.pos++
		if s.digits() == 0 {
			digits = 0
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if s.digits() == 0 {
			digits = 0
		}
	}
	if digits == 0 || s.pos == start {
		s.fault(ReasonJSON, -1, "a number is none")
	}
}

func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}
