package storage

import (
	"errors"
	"fmt"
	"strings"
)

// maxMetadata is Azure's limit on the metadata of a blob.
const maxMetadata = 8 << 10

// checkMetadata refuses what cannot be an HTTP header, in every implementation
// alike. It names the key, never the value.
func checkMetadata(m map[string]string) error {
	size := 0
	for k, v := range m {
		if !isName(k) {
			return fmt.Errorf("the metadata key %q is no C# identifier, which Azure Storage asks for", k)
		}
		for i := range len(v) {
			if v[i] < 0x20 || v[i] > 0x7e {
				return fmt.Errorf("the metadata value of %q is not printable ASCII", k)
			}
		}
		if strings.TrimSpace(v) != v {
			return fmt.Errorf("the metadata value of %q begins or ends with a blank, which HTTP drops", k)
		}
		size += len(k) + len(v)
	}
	if size > maxMetadata {
		return fmt.Errorf("the metadata is of %d bytes; Azure Storage takes at most %d", size, maxMetadata)
	}
	return nil
}

func isName(k string) bool {
	for i := range len(k) {
		c := k[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return k != ""
}

// checkCopyMetadata refuses none at all, where Azure would copy the source's.
func checkCopyMetadata(m map[string]string) error {
	if len(m) == 0 {
		return errors.New("a copy needs metadata of its own")
	}
	return checkMetadata(m)
}
