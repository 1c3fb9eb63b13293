package keys

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// vault reads secrets from Azure Key Vault.
type vault struct {
	url    string
	client *azsecrets.Client
}

// Vault returns the secrets of a key vault. options may be nil. It does no I/O.
func Vault(url string, credential azcore.TokenCredential, options *azsecrets.ClientOptions) (Source, error) {
	client, err := azsecrets.NewClient(url, credential, options)
	if err != nil {
		return nil, fmt.Errorf("key vault %s: %w", url, err)
	}
	return &vault{url, client}, nil
}

func (v *vault) Get(ctx context.Context, name, version string) (Secret, error) {
	r, err := v.client.GetSecret(ctx, name, version, nil)
	if err != nil {
		return Secret{}, v.fault(name, err)
	}
	if r.Value == nil || r.ID == nil {
		return Secret{}, fmt.Errorf("reading the key %q from %s: the vault sent none", name, v.url)
	}
	return Secret{Name: name, Version: r.ID.Version(), Value: trim(*r.Value)}, nil
}

func (v *vault) fault(name string, err error) error {
	var r *azcore.ResponseError
	if !errors.As(err, &r) {
		return fmt.Errorf("reading the key %q from %s: %w", name, v.url, err)
	}
	switch r.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("%w: %q in %s; make one: az keyvault secret set --vault-name <vault> --name %s --value \"$(fhirdeid keys new)\"", ErrNotFound, name, v.url, name)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %q in %s; the identity needs the role \"Key Vault Secrets User\" on the vault, and the vault's network rules must let it in", ErrDenied, name, v.url)
	}
	return fmt.Errorf("reading the key %q from %s: the vault answered %d %s", name, v.url, r.StatusCode, r.ErrorCode)
}
