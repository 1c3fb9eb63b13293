package fhirserver

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Auth says who may ask. The zero Auth lets everybody.
type Auth struct {
	// Bearer is a fixed token.
	Bearer string
	// ClientID with Secret, or with PublicKey (SMART Backend Services), may get
	// tokens at the token endpoint.
	ClientID, Secret string
	PublicKey        any
	// TokenLife is how long those tokens live; 0 is five minutes.
	TokenLife time.Duration
}

// Needed reports whether a token is needed.
func (a Auth) Needed() bool { return a.Bearer != "" || a.ClientID != "" }

// tokens are those given out.
type tokens struct {
	mu    sync.Mutex
	until map[string]time.Time
	used  map[string]bool // jti of assertions
}

// authorised answers 401 where a token is missing. Files of the azure profile
// stand for blobs, whose storage has rights of its own.
func (s *Server) authorised(w http.ResponseWriter, r *http.Request, file bool) bool {
	if !s.o.Auth.Needed() {
		return true
	}
	token, sent := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if file && s.o.Profile == "azure" {
		if sent {
			outcome(w, http.StatusBadRequest, "security") // the manifest says that none is needed: SHALL NOT
			return false
		}
		return true
	}
	if s.o.Auth.Bearer != "" && token == s.o.Auth.Bearer || s.tokens.valid(token, s.o.Now()) {
		return true
	}
	outcome(w, http.StatusUnauthorized, "login")
	return false
}

func (t *tokens) valid(token string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	until, ok := t.until[token]
	return ok && now.Before(until)
}

// token gives a token to a client that proves itself.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil || r.Form.Get("grant_type") != "client_credentials" {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_request"})
		return
	}
	a := s.o.Auth
	id, secret, basic := r.BasicAuth()
	known := basic && a.Secret != "" && id == a.ClientID && secret == a.Secret
	if assertion := r.Form.Get("client_assertion"); assertion != "" && a.PublicKey != nil {
		known = s.proves(assertion)
	}
	if !known {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	life := a.TokenLife
	if life == 0 {
		life = 5 * time.Minute
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	token := hex.EncodeToString(b[:])
	s.tokens.mu.Lock()
	if s.tokens.until == nil {
		s.tokens.until = make(map[string]time.Time)
	}
	s.tokens.until[token] = s.o.Now().Add(life)
	s.tokens.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "bearer", "expires_in": int(life.Seconds()), "scope": r.Form.Get("scope")})
}

// proves checks an assertion as SMART Backend Services asks for.
func (s *Server) proves(assertion string) bool {
	t, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS384, jose.ES384})
	if err != nil {
		return false
	}
	var c jwt.Claims
	if t.Claims(s.o.Auth.PublicKey, &c) != nil || c.Expiry == nil || c.ID == "" {
		return false
	}
	now := s.o.Now()
	want := jwt.Expected{Issuer: s.o.Auth.ClientID, Subject: s.o.Auth.ClientID, AnyAudience: jwt.Audience{s.base + "/token"}, Time: now}
	if c.Validate(want) != nil || c.Expiry.Time().Sub(now) > 5*time.Minute+time.Second {
		return false
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	if s.tokens.used == nil {
		s.tokens.used = make(map[string]bool)
	}
	if s.tokens.used[c.ID] {
		return false
	}
	s.tokens.used[c.ID] = true
	return true
}
