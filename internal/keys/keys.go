// Package keys reads the secrets that pseudonyms, date shifts and encryption
// are made with, checks that they are strong, and derives from them.
//
// A key's version is pinned when a run begins, so that a rotation at noon does
// not split a run. The key itself is never logged, stored or put in an error;
// what stands for it is its ID.
package keys

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// Secret is a key as its source has it.
type Secret struct {
	Name string
	// Version names this value among the newer and older of the same name.
	Version string
	Value   []byte
}

// Source is where secrets are kept.
type Source interface {
	// Get reads a secret; version "" is the newest. The error wraps ErrNotFound
	// or ErrDenied where a person has to mend it.
	Get(ctx context.Context, name, version string) (Secret, error)
}

// Errors that a caller decides on, by errors.Is.
var (
	// ErrNotFound: there is no such secret, or no such version.
	ErrNotFound = errors.New("there is no such key")
	// ErrDenied: this identity may not read it.
	ErrDenied = errors.New("the key may not be read")
)

// trim takes away the white space around a value, such as the line end that a
// shell adds: it must not make another key.
func trim(value string) []byte { return bytes.TrimSpace([]byte(value)) }

// MinBytes is how long a key must be: 128 bits, if every bit of it were random.
const MinBytes = 16

// Check refuses a key that is blank, short or all alike.
func Check(s Secret) error {
	value := bytes.TrimSpace(s.Value)
	const remedy = "make a strong one with `fhirdeid keys new` and store it under that name"
	switch {
	case len(value) == 0:
		return fmt.Errorf("the key %q is blank; %s", s.Name, remedy)
	case len(value) < MinBytes:
		return fmt.Errorf("the key %q has %d bytes, and needs at least %d; %s", s.Name, len(value), MinBytes, remedy)
	case len(bytes.Trim(value, string(value[:1]))) == 0:
		return fmt.Errorf("the key %q is one character again and again; %s", s.Name, remedy)
	}
	return nil
}

// New makes a strong key: 32 random bytes as text of 43 characters.
func New() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Derive makes the key of one purpose in one data set from a secret, 32 bytes
// by HKDF-SHA256 (RFC 5869): what is known of one derived key says nothing
// about another.
func Derive(master []byte, dataSet, purpose string) []byte {
	info := fmt.Sprintf("fhirdeid 1 %d:%s %d:%s", len(dataSet), dataSet, len(purpose), purpose)
	key, err := hkdf.Key(sha256.New, master, nil, info, 32)
	if err != nil { // only for a length that SHA-256 cannot give
		panic("keys: HKDF refused 32 bytes")
	}
	return key
}

// ID is a public name for a key's value: it tells two keys apart and says
// nothing else about them.
func ID(value []byte) string {
	id, err := hkdf.Key(sha256.New, value, nil, "fhirdeid 1 key id", 6)
	if err != nil {
		panic("keys: HKDF refused 6 bytes")
	}
	return hex.EncodeToString(id)
}
