package verify

import "bytes"

// pseudonymLength is that of 128 bits in hex, hashLength that of the 256 bits of a
// whole HMAC-SHA-256, which other tools write.
const (
	pseudonymLength = 32
	hashLength      = 64
)

func isPseudonym(s []byte) bool {
	if len(s) != pseudonymLength && len(s) != hashLength {
		return false
	}
	for _, c := range s {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// isReference accepts Type/pseudonym, #pseudonym, # and urn:uuid:pseudonym.
func (w *walk) isReference(s []byte) bool {
	if len(s) > 0 && s[0] == '#' {
		return len(s) == 1 || isPseudonym(s[1:])
	}
	if id, ok := bytes.CutPrefix(s, []byte("urn:uuid:")); ok {
		_, ok := pseudonymLike(id)
		return ok && (len(id) == 36 || len(id) == hashLength)
	}
	return w.isTyped(s)
}

// isFullURL accepts a reference, behind a host that can never be (RFC 2606).
func (w *walk) isFullURL(s []byte) bool {
	return w.isReference(bytes.TrimPrefix(s, []byte("https://fhir.invalid/")))
}

// isTyped accepts Type/pseudonym.
func (w *walk) isTyped(s []byte) bool {
	name, id, ok := bytes.Cut(s, []byte{'/'})
	if !ok || !isPseudonym(id) {
		return false
	}
	t := w.c.model.types[string(name)]
	return t != nil && t.resource
}

// pseudonymLike finds what could be taken for a pseudonym at the end of an id or
// a reference: 32 hexadecimal digits or 64 in any case, with hyphens or without. It is
// given as a hash.
func pseudonymLike(text []byte) (hash uint64, ok bool) {
	if len(text) < pseudonymLength {
		return 0, false
	}
	digits := 0
	hash = hashBegin
	for i := len(text) - 1; i >= 0; i-- {
		c := text[i]
		switch {
		case c >= '0' && c <= '9':
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c |= 0x20
		case c == '-':
			continue
		case c == '/' || c == ':' || c == '#':
			return hash, digits == pseudonymLength || digits == hashLength
		default:
			return 0, false
		}
		if digits++; digits > hashLength {
			return 0, false
		}
		hash = hashByte(hash, c)
	}
	return hash, digits == pseudonymLength || digits == hashLength
}

// sameID finds an id of the input that has been left as it was.
func (w *walk) sameID(text []byte) {
	if w.given.ids.size == 0 {
		return
	}
	if hash, ok := pseudonymLike(text); ok && w.given.ids.has(hash) {
		w.find(Hard, ClassInput)
	}
}

// localReference is a reference to a contained resource.
type localReference struct {
	text []byte
	path string
}

func (w *walk) noteLocal(text []byte) {
	if len(text) > 1 && text[0] == '#' {
		w.local = append(w.local, localReference{text[1:], w.pathText("")})
	}
}

// dangling finds references to contained resources that are not there.
func (w *walk) dangling() {
	for _, l := range w.local {
		found := false
		for _, c := range w.contained {
			found = found || bytes.Equal(w.childText(c, "id"), l.text)
		}
		if !found {
			w.findAt(Soft, ClassDangling, l.path)
		}
	}
}
