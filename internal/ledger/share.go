package ledger

import (
	"context"
	"fmt"
	"time"

	"fhirdeid/internal/storage"
)

// Share records that a release was handed to somebody by a link. The link
// itself is not kept: whoever has it can read.
type Share struct {
	// ID is the correlation id (scid) of the link, which the account's logs show
	// for each use.
	ID  string `json:"id"`
	Run string `json:"run"`
	// By is who made it, At when, and Reason what for.
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	// Start and Expiry bound when the link holds.
	Start  time.Time `json:"start"`
	Expiry time.Time `json:"expiry"`
	// From and To are the addresses that it holds for; "" is any.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Revoked is when all links of the account were revoked, or zero.
	Revoked   time.Time `json:"revoked,omitzero"`
	RevokedBy string    `json:"revokedBy,omitempty"`
}

// State says in a word whether the link holds at an instant: early, live,
// expired or revoked.
func (s *Share) State(at time.Time) string {
	switch {
	case !s.Revoked.IsZero():
		return "revoked"
	case !at.Before(s.Expiry):
		return "expired"
	case at.Before(s.Start):
		return "early"
	}
	return "live"
}

// CreateShare records a share.
func (l *Ledger) CreateShare(ctx context.Context, s *Share) error {
	if _, err := l.put(ctx, shareName(s), s, storage.PutOptions{If: storage.IfAbsent()}); err != nil {
		return fmt.Errorf("recording the share of run %s: %w", s.Run, err)
	}
	return nil
}

// Shares lists the shares of a run, or of all runs where run is "", in the order
// of their runs.
func (l *Ledger) Shares(ctx context.Context, run string) ([]*Share, error) {
	prefix := sharePrefix
	if run != "" {
		prefix += run + "/"
	}
	var shares []*Share
	for info, err := range l.c.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("listing the shares: %w", err)
		}
		s := new(Share)
		if _, err := l.get(ctx, info.Name, s); err != nil {
			return nil, fmt.Errorf("reading %s: %w", info.Name, err)
		}
		shares = append(shares, s)
	}
	return shares, nil
}

// RevokeShares notes that every link that held at an instant was revoked, and
// returns how many that were.
func (l *Ledger) RevokeShares(ctx context.Context, at time.Time, by string) (int, error) {
	shares, err := l.Shares(ctx, "")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, s := range shares {
		if state := s.State(at); state != "live" && state != "early" {
			continue
		}
		s.Revoked, s.RevokedBy = at, by
		if _, err := l.put(ctx, shareName(s), s, storage.PutOptions{}); err != nil {
			return n, fmt.Errorf("noting that the share %s is revoked: %w", s.ID, err)
		}
		n++
	}
	return n, nil
}

const sharePrefix = "shares/"

func shareName(s *Share) string { return sharePrefix + s.Run + "/" + s.ID + ".json" }
