package anonymize

import "encoding/binary"

// hashCache remembers what the last texts were replaced by. References repeat: in
// a patient's records two of three are found here. Each text has one place, and
// whoever comes later takes it; so the memory is bounded, and what is found is
// compared in full.
type hashCache struct{ entries [512]hashEntry }

type hashEntry struct {
	textLen, valueLen uint8
	kind              hashKind
	text              [cachedText]byte
	value             [cachedValue]byte
}

// hashKind says how a text was replaced.
type hashKind uint8

const (
	hashedText hashKind = iota + 1
	hashedReference
	pseudonymReference
)

// What is longer is not remembered.
const (
	cachedText  = 80
	cachedValue = 160
)

// entry is the place of a text, or nil where it is too long.
func (c *hashCache) entry(kind hashKind, text []byte) *hashEntry {
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

// find is what the text was replaced by: JSON; nil where it is not remembered.
func (e *hashEntry) find(kind hashKind, text []byte) []byte {
	if e == nil || e.kind != kind || string(e.text[:e.textLen]) != string(text) {
		return nil
	}
	return e.value[:e.valueLen]
}

// keep remembers a text.
func (e *hashEntry) keep(kind hashKind, text, value []byte) {
	if e == nil || len(value) > cachedValue {
		return
	}
	e.kind, e.textLen, e.valueLen = kind, uint8(len(text)), uint8(len(value))
	copy(e.text[:], text)
	copy(e.value[:], value)
}
