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
	for ; i+8 <= len(data); i += 8 {
		w := binary.LittleEndian.Uint64(data[i:])
		// Where a byte is less than what is subtracted, or above 0x7f, its high
		// bit is set. A borrow disturbs only bytes behind the first found.
		quote, backslash, control := (w^'"'*ones)-ones, (w^'\\'*ones)-ones, w-' '*ones
		found := (quote | backslash | control | w) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c == '"' || c == '\\' || c < ' ' || c >= 0x80 {
			return i
		}
	}
	return i
}
