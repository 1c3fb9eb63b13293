package share

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// Signer makes links of grants: a *storage.Account.
type Signer interface {
	Sign(ctx context.Context, g storage.Grant) (string, error)
}

// Releases are the releases of an installation.
type Releases struct {
	Ledger *ledger.Ledger
	// Research holds the releases, and Lake, its account, signs.
	Research storage.Container
	Lake     Signer
	Now      func() time.Time
}

// Request says what is to be shared.
type Request struct {
	Run    string
	By     string // who shares
	Reason string
	// Start is when the link begins to hold; zero is at once. Expiry is when it
	// ends.
	Start, Expiry time.Time
	// Addresses are the IPv4 addresses that it holds for, as ParseAddresses reads
	// them; "" is any.
	Addresses string
}

// Link is a share with its URL, which is a secret.
type Link struct {
	*ledger.Share
	URL string `json:"url"`
}

// skew is how much earlier a link that holds at once begins: clocks differ.
const skew = 5 * time.Minute

// RefusedError says why a release cannot be shared, and what to do.
type RefusedError struct{ Text string }

func (e *RefusedError) Error() string { return e.Text }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// Make makes a link to a release and records it. The error is a *RefusedError
// where the run is not released or the request is off.
func (r *Releases) Make(ctx context.Context, q Request) (*Link, error) {
	now := r.Now().UTC()
	from, to, err := ParseAddresses(q.Addresses)
	if err != nil {
		return nil, err
	}
	start := q.Start
	if start.IsZero() {
		start = now.Add(-skew)
		if earliest := q.Expiry.Add(-storage.MaxGrant); start.Before(earliest) {
			start = earliest // the account's policy counts from the start
		}
	}
	switch {
	case !q.Expiry.After(now):
		return nil, refuse("The link would end before it is given out; give a later end.")
	case !q.Expiry.After(start):
		return nil, refuse("The link would end before it begins; give a later end.")
	case q.Expiry.After(now.Add(storage.MaxGrant)), q.Expiry.Sub(start) > storage.MaxGrant:
		return nil, refuse("A link ends within seven days from now, which Azure sets; share again when it has ended.")
	}
	if err := r.released(ctx, q.Run); err != nil {
		return nil, err
	}
	s := &ledger.Share{
		ID: uuid.NewString(), Run: q.Run, By: q.By, At: now, Reason: q.Reason,
		Start: start.UTC().Truncate(time.Second), Expiry: q.Expiry.UTC().Truncate(time.Second),
	}
	if from.IsValid() {
		s.From, s.To = from.String(), to.String()
	}
	url, err := r.Lake.Sign(ctx, storage.Grant{
		Container: r.Research.Name(), Directory: q.Run, Start: s.Start, Expiry: s.Expiry, From: from, To: to, ID: s.ID,
	})
	if err != nil {
		return nil, signFault(err)
	}
	// Recorded before anybody has it.
	if err := r.Ledger.CreateShare(ctx, s); err != nil {
		return nil, err
	}
	return &Link{s, url}, nil
}

// released looks whether the run is released, and still there.
func (r *Releases) released(ctx context.Context, id string) error {
	run, _, err := r.Ledger.Run(ctx, id)
	switch {
	case errors.Is(err, ledger.ErrNoRun):
		return refuse("There is no run %s; see: fhirdeid runs list", id)
	case err != nil:
		return err
	case run.State == ledger.Held:
		return refuse("Run %s is held, so nothing of it is released. See what it waits for: fhirdeid runs show %s", id, id)
	case run.State != ledger.Released && !run.State.Over():
		return refuse("Run %s is %s and not released yet. Wait for it: fhirdeid runs show %s --watch", id, run.State, id)
	case run.State != ledger.Released:
		return refuse("Run %s is %s, so nothing of it is released. The released runs: fhirdeid runs list", id, run.State)
	}
	_, err = r.Research.Head(ctx, id+"/manifest.json")
	if errors.Is(err, storage.ErrNotFound) {
		return refuse("Run %s was released, but its folder is no longer in the container %s; share a newer one: fhirdeid runs list", id, r.Research.Name())
	}
	return err
}

func signFault(err error) error {
	switch {
	case errors.Is(err, storage.ErrNoIdentity):
		return refuse("A link is signed in your own name, which needs an Azure identity, and LakeStorage is a connection string. Set LakeStorage__blobServiceUri to the account's blob endpoint instead, and log in: az login")
	case errors.Is(err, storage.ErrNoFolders):
		return refuse("The lake account has no hierarchical namespace, so no link can be for one release alone. Make the account anew with it (isHnsEnabled), or give the researchers' identity the role \"Storage Blob Data Reader\".")
	}
	return err
}

// ParseAddresses reads an IPv4 address, a range of two with a hyphen, or a
// network in CIDR form. "" is any address, and gives none.
func ParseAddresses(s string) (from, to netip.Addr, err error) {
	if s == "" {
		return from, to, nil
	}
	wrong := refuse("The addresses are no IPv4 address, range or network; they look like 203.0.113.7, 203.0.113.0-203.0.113.63 or 203.0.113.0/26.")
	if network, err := netip.ParsePrefix(s); err == nil && network.Addr().Is4() {
		from, to = bounds(network)
	} else if a, b, ok := cut(s); ok {
		from, to = a, b
	} else {
		return from, to, wrong
	}
	if to.Less(from) {
		return from, to, wrong
	}
	if from.IsPrivate() || from.IsLoopback() {
		return from, to, refuse("Azure sees the public address of a network, and %s is a private one; ask the researchers for the address that their network has on the internet.", from)
	}
	return from, to, nil
}

func cut(s string) (from, to netip.Addr, ok bool) {
	first, last := s, s
	for i := range len(s) {
		if s[i] == '-' {
			first, last = s[:i], s[i+1:]
			break
		}
	}
	from, err1 := netip.ParseAddr(first)
	to, err2 := netip.ParseAddr(last)
	return from, to, err1 == nil && err2 == nil && from.Is4() && to.Is4()
}

// bounds are the first and last address of a network.
func bounds(network netip.Prefix) (first, last netip.Addr) {
	first = network.Masked().Addr()
	b := first.As4()
	for i := network.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return first, netip.AddrFrom4(b)
}
