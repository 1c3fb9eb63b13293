package bulkdata

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"
)

// Signer signs the assertions of SMART Backend Services
// (https://hl7.org/fhir/smart-app-launch/backend-services.html) with RS384 or
// ES384.
type Signer struct{ sign jose.Signer }

// errKey names no byte of the key.
var errKey = errors.New("the client's key cannot be used: it must be an RSA key of 2048 bits or more, or a P-384 key, as PEM (PKCS #8, PKCS #1 or SEC 1) or as a private JWK")

// NewSigner reads a private key. keyID is the "kid" under which the server
// knows the public key; a JWK has its own where it is "".
func NewSigner(key []byte, keyID string) (*Signer, error) {
	private, id, err := parseKey(key)
	if err != nil {
		return nil, err
	}
	if keyID == "" {
		keyID = id
	}
	var alg jose.SignatureAlgorithm
	switch k := private.(type) {
	case *rsa.PrivateKey:
		if k.N.BitLen() < 2048 {
			return nil, errKey
		}
		alg = jose.RS384
	case *ecdsa.PrivateKey:
		if k.Curve != elliptic.P384() {
			return nil, errKey
		}
		alg = jose.ES384
	default:
		return nil, errKey
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	sign, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: private, KeyID: keyID}}, options)
	if err != nil {
		return nil, errKey
	}
	return &Signer{sign}, nil
}

func parseKey(key []byte) (private any, id string, err error) {
	if block, _ := pem.Decode(key); block != nil {
		if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			return k, "", nil
		}
		if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return k, "", nil
		}
		if k, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return k, "", nil
		}
		return nil, "", errKey
	}
	var jwk jose.JSONWebKey
	if jwk.UnmarshalJSON(key) != nil || jwk.IsPublic() {
		return nil, "", errKey
	}
	return jwk.Key, jwk.KeyID, nil
}

// assertionLife is below the five minutes that SMART allows.
const assertionLife = 4 * time.Minute

func (s *Signer) assertion(clientID, audience string, now time.Time) (string, error) {
	claims := jwt.Claims{
		Issuer: clientID, Subject: clientID, Audience: jwt.Audience{audience},
		Expiry: jwt.NewNumericDate(now.Add(assertionLife)), IssuedAt: jwt.NewNumericDate(now),
		ID: uuid.NewString(),
	}
	text, err := jwt.Signed(s.sign).Claims(claims).Serialize()
	if err != nil {
		return "", &Error{Op: "signing the client assertion", Kind: Invalid}
	}
	return text, nil
}
