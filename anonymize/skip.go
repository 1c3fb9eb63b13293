package anonymize

// skip reads past any JSON value, and checks it.
func (s *scanner) skip() {
	depth := 0
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
		case (c == '}' || c == ']') && depth > 0:
			// handled below
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
			c := s.peek()
			if c == '}' || c == ']' {
				depth--
				s.pos++
				continue
			}
			if c != ',' {
				s.fault(ReasonJSON, -1, "a comma is missing")
				return
			}
			s.pos++
			s.space()
			// Whether an object or an array goes on is seen by what comes: a
			// string with a colon behind it is a key.
			if s.peek() == '"' {
				saved := s.pos
				if s.skipKeyMaybe() {
					break
				}
				s.pos = saved
			}
			break
		}
		if s.fail != nil {
			return
		}
	}
}

// skipKey reads past a member's name and colon.
func (s *scanner) skipKey() bool {
	if s.peek() != '"' || !s.skipKeyMaybe() {
		s.fault(ReasonJSON, -1, "the name of a member is missing")
		return false
	}
	return true
}

func (s *scanner) skipKeyMaybe() bool {
	s.skipString()
	if s.fail != nil {
		return false
	}
	s.space()
	if s.peek() != ':' {
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
			i++
		case c < 0x20:
			s.pos = i
			s.fault(ReasonJSON, -1, "a string has a control character")
			return
		}
	}
	s.pos = len(s.data)
	s.fault(ReasonJSON, -1, "a string is not closed")
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
