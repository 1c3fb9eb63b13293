package anonymize

import "bytes"

// narrative reports whether a text is one XHTML div: the namespace on the root,
// elements that are closed in their order, something in it, and nothing that
// runs (rules txt-1 and txt-2 of the specification, without their list of names).
func (v *Validator) narrative(text []byte) bool {
	v.tags = v.tags[:0]
	rest := bytes.TrimSpace(text)
	root, content := true, false
	for len(rest) > 0 {
		if rest[0] != '<' {
			end := bytes.IndexByte(rest, '<')
			if end < 0 || len(v.tags) == 0 {
				return false // text outside of the root
			}
			content = content || len(bytes.TrimSpace(rest[:end])) > 0
			rest = rest[end:]
			continue
		}
		if bytes.HasPrefix(rest, []byte("<!--")) {
			end := bytes.Index(rest, []byte("-->"))
			if end < 4 || root {
				return false
			}
			rest = rest[end+3:]
			continue
		}
		tag, after, ok := cutTag(rest)
		if !ok || !root && len(v.tags) == 0 {
			return false // something behind the root
		}
		rest = after
		if name, closes := bytes.CutPrefix(tag, []byte{'/'}); closes {
			last := len(v.tags) - 1
			if last < 0 || !bytes.Equal(bytes.TrimSpace(name), v.tags[last]) {
				return false
			}
			v.tags = v.tags[:last]
			continue
		}
		attributes, single := bytes.CutSuffix(tag, []byte{'/'})
		name := tagName(attributes)
		attributes = attributes[len(name):]
		if len(name) == 0 || !passive(name, attributes) {
			return false
		}
		if root && (string(name) != "div" || single || !inXHTML(attributes)) {
			return false
		}
		root = false
		content = content || string(name) == "img"
		if !single {
			v.tags = append(v.tags, name)
		}
	}
	return !root && len(v.tags) == 0 && content
}

// cutTag cuts <…>; a > in quotes does not end it.
func cutTag(b []byte) (tag, after []byte, ok bool) {
	quote := byte(0)
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '<':
			return nil, nil, false
		case c == '>':
			return b[1:i], b[i+1:], true
		}
	}
	return nil, nil, false
}

// tagName is the name that a tag begins with; upper case is no XHTML.
func tagName(tag []byte) []byte {
	for i, c := range tag {
		if !(c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == ':' || c == '-')) {
			return tag[:i]
		}
	}
	return tag
}

func inXHTML(attributes []byte) bool {
	return bytes.Contains(attributes, []byte(`xmlns="http://www.w3.org/1999/xhtml"`)) ||
		bytes.Contains(attributes, []byte(`xmlns='http://www.w3.org/1999/xhtml'`))
}

// passive reports whether an element is one that a narrative may have: none that
// runs something, takes input or belongs to a whole page, and no handler.
func passive(name, attributes []byte) bool {
	switch string(name) {
	case "script", "head", "body", "html", "base", "link", "iframe", "frame", "frameset", "form", "object", "applet", "embed", "input", "xlink":
		return false
	}
	for rest := attributes; ; {
		i := bytes.Index(rest, []byte("on"))
		if i < 0 {
			return true
		}
		word := tagName(rest[i:])
		if i > 0 && isBlank(rest[i-1]) && len(word) > 2 && bytes.HasPrefix(bytes.TrimSpace(rest[i+len(word):]), []byte{'='}) {
			return false
		}
		rest = rest[i+2:]
	}
}
