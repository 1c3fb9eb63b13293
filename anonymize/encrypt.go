package anonymize

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
)

// encrypt replaces a value by AES-CBC, as Microsoft's tool does: the base64 of
// the initialisation vector and the ciphertext.
func (w *worker) encrypt(i int32, n *node) {
	text := w.text(n)
	block, err := aes.NewCipher(w.engine.keys.Encrypt)
	if err != nil { // the key's length was checked
		w.fault(ReasonMethod, i, "it cannot be encrypted with this key")
		return
	}
	w.record(i, opEncrypt)
	iv := w.vector(i, text)
	padding := aes.BlockSize - len(text)%aes.BlockSize
	plain := append([]byte(nil), text...)
	for range padding {
		plain = append(plain, byte(padding)) // PKCS #7
	}
	out := append([]byte(nil), iv...)
	out = append(out, plain...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out[aes.BlockSize:], plain)
	begin := len(w.values)
	w.values = append(w.values, '"')
	w.values = base64.StdEncoding.AppendEncode(w.values, out)
	w.values = append(w.values, '"')
	w.set(n, begin)
}

// vector is the initialisation vector of a value: random, or by a keyed hash of
// the value and its path.
func (w *worker) vector(i int32, text []byte) []byte {
	iv := make([]byte, aes.BlockSize, 32)
	if !w.engine.syntheticIV {
		rand.Read(iv) // never fails
		return iv
	}
	w.shiftH.Reset()
	w.shiftH.Write([]byte(w.path(i)))
	w.shiftH.Write([]byte{0})
	w.shiftH.Write(text)
	return w.shiftH.Sum(iv[:0])[:aes.BlockSize]
}

// Decrypt reads what the method encrypt, of this or of Microsoft's tool, has
// written. key has 16, 24 or 32 bytes.
func Decrypt(key []byte, text string) (string, error) {
	errCipher := errors.New("this is not a value that was encrypted with this key")
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", errors.New("the key must have 16, 24 or 32 bytes")
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) < 2*aes.BlockSize || len(data)%aes.BlockSize != 0 {
		return "", errCipher
	}
	out := make([]byte, len(data)-aes.BlockSize)
	cipher.NewCBCDecrypter(block, data[:aes.BlockSize]).CryptBlocks(out, data[aes.BlockSize:])
	padding := int(out[len(out)-1])
	if padding < 1 || padding > aes.BlockSize {
		return "", errCipher
	}
	return string(out[:len(out)-padding]), nil
}
