package anonymize

import "encoding/binary"

// memo remembers what became of the last texts. References repeat: in a patient's
// records three of four are found here, and codes even more often. Each text has
// one place, and whoever comes later takes it; so the memory is bounded, and what
// is found was compared in full.
type memo struct{ entries [512]memoEntry }

type memoEntry struct {
	textLen, valueLen uint8
	kind              memoKind
	text              [cachedText]byte
	value             [cachedValue]byte
}

// memoKind says what a text is, so what became of it.
type memoKind uint8

const (
	hashedText memoKind = iota + 1
	hashedReference
	pseudonymReference
	listedCode // a code system and a code: yes or no
	knownUnit  // yes or no
)

// What is longer is not remembered.
const (
	cachedText  = 80
	cachedValue = 160
)

// entry is the place of a text, or nil where it is too long.
func (c *memo) entry(kind memoKind, text []byte) *memoEntry {
	n := len(text)
	if n > cachedText {
		return nil
	}
	h := uint64(n)<<8 | uint64(kind)
	if n >= 8 {
		h ^= binary.LittleEndian.Uint64(text[n-8:])
	} else {
		for _, b := range text {
			h = h<<8 ^ uint64(b)
		}
	}
	return &c.entries[h*0x9e3779b97f4a7c15>>32%uint64(len(c.entries))]
}

// find is what became of the text; nil where it is not remembered.
func (e *memoEntry) find(kind memoKind, text []byte) []byte {
	if e == nil || e.kind != kind || string(e.text[:e.textLen]) != string(text) {
		return nil
	}
	return e.value[:e.valueLen]
}

// keep remembers a text.
func (e *memoEntry) keep(kind memoKind, text, value []byte) {
	if e == nil || len(value) > cachedValue {
		return
	}
	e.kind, e.textLen, e.valueLen = kind, uint8(len(text)), uint8(len(value))
	copy(e.text[:], text)
	copy(e.value[:], value)
}

// verdict remembers an answer to yes or no.
func (m *memo) verdict(kind memoKind, text []byte, ask func() bool) bool {
	known := m.entry(kind, text)
	if value := known.find(kind, text); value != nil {
		return value[0] == 1
	}
	answer := []byte{0}
	if ask() {
		answer[0] = 1
	}
	known.keep(kind, text, answer)
	return answer[0] == 1
}
