package anonymize

import (
	"encoding/binary"
	"math/bits"
)

// Strings are looked at eight bytes at a time, as one word: SIMD within a
// register.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// plainEnd is the index from i on of the first byte of a string that needs a
// closer look: a quote, a backslash, a control character, or what is not ASCII.
// It is len(data) where there is none.
func plainEnd(data []byte, i int) int {
	for ; i+16 <= len(data); i += 16 {
		two := data[i : i+16]
		if found := special(binary.LittleEndian.Uint64(two)); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
		if found := special(binary.LittleEndian.Uint64(two[8:])); found != 0 {
			return i + 8 + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c == '"' || c == '\\' || c < ' ' || c >= 0x80 {
			return i
		}
	}
	return i
}

// special has the high bit of the first byte that is not plain, if there is one.
// Where a byte is less than what is subtracted, or above 0x7f, its high bit is
// set; a borrow disturbs only bytes behind the first found.
func special(w uint64) uint64 {
	quote, backslash, control := (w^'"'*ones)-ones, (w^'\\'*ones)-ones, w-' '*ones
	return (quote | backslash | control | w) & highs
}
