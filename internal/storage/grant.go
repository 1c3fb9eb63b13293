package storage

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// Grant is leave to read and list one folder of a container for some time.
type Grant struct {
	Container, Directory string
	// Start and Expiry bound when it holds, to the second. Azure allows no expiry
	// beyond MaxGrant from now.
	Start, Expiry time.Time
	// From and To are the first and last IPv4 address that it holds for; without
	// them it holds for any.
	From, To netip.Addr
	// ID is a UUID that the account's logs show for each use.
	ID string
}

// MaxGrant is how far in the future a grant may end: user delegation keys live
// for seven days (https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key).
const MaxGrant = 7 * 24 * time.Hour

// ErrNoFolders says that the account has no hierarchical namespace, so that no
// grant for a folder alone can be had.
var ErrNoFolders = errors.New("the account has no hierarchical namespace")

// ErrNoIdentity says that the account is used with a key, and nothing can be
// signed in a person's name.
var ErrNoIdentity = errors.New("the account is used with a connection string, and not with an Azure identity")

// Sign makes a URL of a grant: a user delegation SAS for the folder
// (https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas),
// for https only. It holds no longer, and reaches no further, than the rights of
// the identity that signs.
func (a *Account) Sign(ctx context.Context, g Grant) (string, error) {
	doing := "signing a link to " + g.Container + "/" + g.Directory
	if !a.identity {
		return "", fmt.Errorf("%s in %s: %w", doing, a.name, ErrNoIdentity)
	}
	folders, err := a.hasFolders(ctx)
	if err != nil {
		return "", err
	}
	if !folders {
		return "", fmt.Errorf("%s in %s: %w, so a link would reach beyond the folder", doing, a.name, ErrNoFolders)
	}
	values := sas.BlobSignatureValues{
		ContainerName: g.Container, Directory: strings.Trim(g.Directory, "/"),
		Permissions: (&sas.BlobPermissions{Read: true, List: true}).String(),
	}
	return a.sign(ctx, doing, g, values)
}

// sign signs values with a user delegation key that lives as long as the grant.
func (a *Account) sign(ctx context.Context, doing string, g Grant, values sas.BlobSignatureValues) (string, error) {
	start, expiry := g.Start.UTC().Truncate(time.Second), g.Expiry.UTC().Truncate(time.Second)
	key, err := a.blobs.GetUserDelegationCredential(ctx, service.KeyInfo{
		Start: to.Ptr(start.Format(sas.TimeFormat)), Expiry: to.Ptr(expiry.Format(sas.TimeFormat)),
	}, nil)
	if err != nil {
		err = a.fault(doing, err)
		if errors.Is(err, ErrDenied) {
			return "", fmt.Errorf("%s in %s: %w: it needs the role %q on this account, beside one to read the data, and the account's network rules must let you in", doing, a.name, ErrDenied, "Storage Blob Delegator")
		}
		return "", err
	}
	values.Protocol = sas.ProtocolHTTPS
	values.StartTime, values.ExpiryTime = start, expiry
	values.CorrelationID = g.ID
	if g.From.IsValid() {
		values.IPRange.Start = g.From.AsSlice()
		if g.To.IsValid() && g.To != g.From {
			values.IPRange.End = g.To.AsSlice()
		}
	}
	query, err := values.SignWithUserDelegation(key)
	if err != nil {
		return "", fmt.Errorf("%s in %s: %w", doing, a.name, err)
	}
	path := values.Directory
	if values.BlobName != "" {
		path = values.BlobName
	}
	return a.BlobServiceURL() + "/" + values.ContainerName + "/" + path + "?" + query.Encode(), nil
}

// hasFolders reports whether the account has a hierarchical namespace, as far as
// the identity may see that; where it may not, the link's own use will tell.
func (a *Account) hasFolders(ctx context.Context) (bool, error) {
	info, err := a.blobs.GetAccountInfo(ctx, nil)
	if err == nil {
		return info.IsHierarchicalNamespaceEnabled == nil || *info.IsHierarchicalNamespaceEnabled, nil
	}
	if err = a.fault("looking at the account", err); errors.Is(err, ErrDenied) {
		return true, nil
	}
	return false, err
}
