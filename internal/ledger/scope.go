package ledger

import (
	"context"
	"fmt"
	"time"

	"fhirdeid/internal/storage"
)

// Scope is the record of one scope: what is exported from where. At most one
// run holds a scope at a time.
type Scope struct {
	Scope string `json:"scope"`
	// Server, Level and Group say in words what the scope is.
	Server string `json:"server"`
	Level  string `json:"level"`
	Group  string `json:"group,omitempty"`

	// Active is the run that holds the scope, or "".
	Active    string    `json:"active,omitempty"`
	ClaimedAt time.Time `json:"claimedAt,omitzero"`

	// LastReleased is the newest released run, TransactionTime the server's
	// instant of its export.
	LastReleased    string    `json:"lastReleased,omitempty"`
	TransactionTime time.Time `json:"transactionTime,omitzero"`

	// Generation is that of the newest release, GenerationSince its first one;
	// EarlierGeneration is what was there before, or "".
	Generation        string `json:"generation,omitempty"`
	GenerationSince   string `json:"generationSince,omitempty"`
	EarlierGeneration string `json:"earlierGeneration,omitempty"`

	// Recent are the newest runs, newest first, at most MaxRecent.
	Recent []Brief `json:"recent,omitempty"`
}

// Brief is a line of a scope's history.
type Brief struct {
	Run   string    `json:"run"`
	State State     `json:"state"`
	At    time.Time `json:"at"`
	// Why is the code of the first reason, or "skipped".
	Why string `json:"why,omitempty"`
}

// MaxRecent bounds Scope.Recent.
const MaxRecent = 60

// Remember puts a run at its place in the history.
func (s *Scope) Remember(b Brief) {
	for i := range s.Recent {
		if s.Recent[i].Run == b.Run {
			s.Recent[i] = b
			return
		}
	}
	s.Recent = append([]Brief{b}, s.Recent...)
	if len(s.Recent) > MaxRecent {
		s.Recent = s.Recent[:MaxRecent]
	}
}

// Release notes the newest release, and whether it begins a generation.
func (s *Scope) Release(run, generation string, at time.Time) {
	if s.Generation != generation || s.LastReleased == "" {
		s.EarlierGeneration, s.Generation, s.GenerationSince = s.Generation, generation, run
	}
	s.LastReleased, s.TransactionTime = run, at
}

// Scope reads a scope; one never used is empty, with ETag "".
func (l *Ledger) Scope(ctx context.Context, scope string) (*Scope, storage.ETag, error) {
	s := Scope{}
	etag, err := l.get(ctx, scopeName(scope), &s)
	if isNotFound(err) {
		return &Scope{Scope: scope}, "", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("reading scope %s: %w", scope, err)
	}
	return &s, etag, nil
}

// SwapScope writes a scope if it is still as read; storage.ErrCondition means
// that somebody else was first.
func (l *Ledger) SwapScope(ctx context.Context, s *Scope, was storage.ETag) error {
	cond := storage.IfAbsent()
	if was != "" {
		cond = storage.IfMatch(was)
	}
	if _, err := l.put(ctx, scopeName(s.Scope), s, storage.PutOptions{If: cond}); err != nil {
		return fmt.Errorf("writing scope %s: %w", s.Scope, err)
	}
	return nil
}

// UpdateScope changes a scope by compare-and-swap, again and again until it
// wins. change returns false when there is nothing to do.
func (l *Ledger) UpdateScope(ctx context.Context, scope string, change func(*Scope) bool) error {
	for range maxSwaps {
		s, etag, err := l.Scope(ctx, scope)
		if err != nil {
			return err
		}
		if !change(s) {
			return nil
		}
		err = l.SwapScope(ctx, s, etag)
		if !isLost(err) {
			return err
		}
	}
	return fmt.Errorf("writing scope %s: %d others were first", scope, maxSwaps)
}

// Scopes lists every scope.
func (l *Ledger) Scopes(ctx context.Context) ([]*Scope, error) {
	var scopes []*Scope
	for info, err := range l.c.List(ctx, "scopes/") {
		if err != nil {
			return nil, fmt.Errorf("listing scopes: %w", err)
		}
		s := new(Scope)
		if _, err := l.get(ctx, info.Name, s); err != nil {
			return nil, fmt.Errorf("reading %s: %w", info.Name, err)
		}
		scopes = append(scopes, s)
	}
	return scopes, nil
}

func scopeName(scope string) string { return "scopes/" + scope + ".json" }
