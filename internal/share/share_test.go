package share

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

// signer signs anything, or answers with an error.
type signer struct {
	grants []storage.Grant
	err    error
}

func (s *signer) Sign(_ context.Context, g storage.Grant) (string, error) {
	s.grants = append(s.grants, g)
	return "https://lake.blob.core.windows.net/" + g.Container + "/" + g.Directory + "?sig=secret", s.err
}

// releases are an installation with one run in each state.
func releases(t *testing.T) (*Releases, *signer) {
	t.Helper()
	memory := storage.NewMemory(func() time.Time { return now })
	r := &Releases{Ledger: ledger.New(memory.Container("ledger")), Research: memory.Container("research"), Now: func() time.Time { return now }}
	s := new(signer)
	r.Lake = s
	for id, state := range map[string]ledger.State{
		"20261122T010000Z": ledger.Released, "20261121T010000Z": ledger.Held, "20261120T010000Z": ledger.Failed,
		"20261119T010000Z": ledger.Fetching, "20261101T010000Z": ledger.Released,
	} {
		if err := r.Ledger.CreateRun(t.Context(), &ledger.Run{ID: id, State: state}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Research.Put(t.Context(), "20261122T010000Z/manifest.json", []byte("{}"), storage.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	return r, s
}

func TestMake(t *testing.T) {
	r, s := releases(t)
	link, err := r.Make(t.Context(), Request{Run: "20261122T010000Z", By: "ada", Reason: "study 7", Expiry: now.Add(72 * time.Hour), Addresses: "203.0.113.0/26"})
	if err != nil {
		t.Fatal(err)
	}
	g := s.grants[0]
	if g.Container != "research" || g.Directory != "20261122T010000Z" || !g.Start.Equal(now.Add(-skew)) || !g.Expiry.Equal(now.Add(72*time.Hour)) ||
		g.From.String() != "203.0.113.0" || g.To.String() != "203.0.113.63" || g.ID == "" {
		t.Errorf("granted is %+v", g)
	}
	shares, err := r.Ledger.Shares(t.Context(), "20261122T010000Z")
	if err != nil || len(shares) != 1 {
		t.Fatalf("recorded are %v, %v", shares, err)
	}
	if got := shares[0]; got.ID != link.ID || got.By != "ada" || got.Reason != "study 7" || got.To != "203.0.113.63" || got.State(now) != "live" {
		t.Errorf("recorded is %+v", got)
	}
	record, err := json.Marshal(shares[0])
	if err != nil || strings.Contains(string(record), "sig") || strings.Contains(string(record), "https") {
		t.Errorf("the record holds the link: %s", record)
	}
}

// TestLongest: a link of seven days is no longer than that from its start on, which
// the account's own policy for signatures counts.
func TestLongest(t *testing.T) {
	r, s := releases(t)
	if _, err := r.Make(t.Context(), Request{Run: "20261122T010000Z", Expiry: now.Add(storage.MaxGrant)}); err != nil {
		t.Fatal(err)
	}
	if g := s.grants[0]; g.Expiry.Sub(g.Start) != storage.MaxGrant || g.Start.After(now) {
		t.Errorf("granted is %s to %s", g.Start, g.Expiry)
	}
}

func TestRefused(t *testing.T) {
	good := Request{Run: "20261122T010000Z", Expiry: now.Add(time.Hour)}
	tests := map[string]struct {
		change func(*Request)
		err    error
		says   string
	}{
		"held":          {func(q *Request) { q.Run = "20261121T010000Z" }, nil, "is held, so nothing of it is released. See what it waits for: fhirdeid runs show 20261121T010000Z"},
		"failed":        {func(q *Request) { q.Run = "20261120T010000Z" }, nil, "is failed, so nothing of it is released"},
		"under way":     {func(q *Request) { q.Run = "20261119T010000Z" }, nil, "is fetching and not released yet. Wait for it: fhirdeid runs show"},
		"unknown":       {func(q *Request) { q.Run = "20990101T010000Z" }, nil, "There is no run 20990101T010000Z; see: fhirdeid runs list"},
		"gone":          {func(q *Request) { q.Run = "20261101T010000Z" }, nil, "no longer in the container research"},
		"too long":      {func(q *Request) { q.Expiry = now.Add(7*24*time.Hour + time.Second) }, nil, "within seven days"},
		"over":          {func(q *Request) { q.Expiry = now }, nil, "before it is given out"},
		"backwards":     {func(q *Request) { q.Start = now.Add(2 * time.Hour) }, nil, "before it begins"},
		"no address":    {func(q *Request) { q.Addresses = "researchers.example.org" }, nil, "203.0.113.0/26"},
		"private":       {func(q *Request) { q.Addresses = "10.0.0.0/8" }, nil, "a private one"},
		"range is off":  {func(q *Request) { q.Addresses = "203.0.113.9-203.0.113.1" }, nil, "no IPv4 address"},
		"address of v6": {func(q *Request) { q.Addresses = "2001:db8::1" }, nil, "no IPv4 address"},
		"a key":         {func(*Request) {}, storage.ErrNoIdentity, "LakeStorage__blobServiceUri"},
		"flat account":  {func(*Request) {}, storage.ErrNoFolders, "isHnsEnabled"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, s := releases(t)
			s.err = tt.err
			q := good
			tt.change(&q)
			_, err := r.Make(t.Context(), q)
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("the error is %v", err)
			}
			if shares, err := r.Ledger.Shares(t.Context(), ""); err != nil || len(shares) > 0 {
				t.Errorf("recorded are %v, %v", shares, err)
			}
		})
	}
}

func TestStates(t *testing.T) {
	s := &ledger.Share{Start: now, Expiry: now.Add(time.Hour)}
	for at, want := range map[time.Duration]string{-time.Second: "early", 0: "live", time.Hour: "expired"} {
		if got := s.State(now.Add(at)); got != want {
			t.Errorf("at %s it is %s, want %s", at, got, want)
		}
	}
}

// TestRevokeShares: what held is noted as revoked, what had ended is left alone.
func TestRevokeShares(t *testing.T) {
	r, _ := releases(t)
	for _, hours := range []time.Duration{1, 48} {
		if _, err := r.Make(t.Context(), Request{Run: "20261122T010000Z", Expiry: now.Add(hours * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	n, err := r.Ledger.RevokeShares(t.Context(), now.Add(2*time.Hour), "ada")
	if err != nil || n != 1 {
		t.Fatalf("%d revoked, %v", n, err)
	}
	states := make(map[string]int)
	shares, err := r.Ledger.Shares(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shares {
		states[s.State(now.Add(3*time.Hour))]++
	}
	if states["revoked"] != 1 || states["expired"] != 1 {
		t.Errorf("the states are %v", states)
	}
}
