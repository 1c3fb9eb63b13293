package installation

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/keys"
	"fhirdeid/internal/settings"
	"fhirdeid/internal/storage"
)

// exporter is a bulkdata.Client as the pipeline wants it, with the account that
// the server exports to.
type exporter struct {
	*bulkdata.Client
	account *exportAccount // nil: the server hands its files out itself
}

// Open streams a file, from where the manifest says it is.
func (e exporter) Open(ctx context.Context, f bulkdata.File) (io.ReadCloser, error) {
	if e.account != nil {
		if container, name, ok := e.account.has(f.URL); ok {
			return e.account.open(ctx, container, name)
		}
	}
	return e.Client.Open(ctx, f)
}

// AnonymizationConfig says in which state the server's own de-identification
// configuration is. The error is errors.ErrUnsupported where the server's export
// account is not known.
func (e exporter) AnonymizationConfig(ctx context.Context, name string) (storage.ETag, error) {
	if e.account == nil {
		return "", errors.ErrUnsupported
	}
	info, err := e.account.account.Container(AnonymizationContainer).Head(ctx, name)
	return info.ETag, err
}

func openExporter(ctx context.Context, s *settings.Settings, credential func() (azcore.TokenCredential, error), source keys.Source) (exporter, error) {
	auth, err := authorizer(ctx, s, credential, source)
	if err != nil {
		return exporter{}, err
	}
	client, err := bulkdata.New(bulkdata.Config{
		BaseURL: s.FHIRServerURL, Profile: s.FHIRServerProfile, Auth: auth, FileOrigins: s.FHIRFileOrigins,
	})
	if err != nil {
		return exporter{}, err
	}
	e := exporter{Client: client}
	if s.Export == (storage.Connection{}) {
		return e, nil
	}
	account, err := openAccount(s.Export, credential)
	if err != nil {
		return exporter{}, err
	}
	e.account, err = openExportAccount(account)
	return e, err
}

// Authorizer gives the tokens for the FHIR server of the settings; nil sends none.
func Authorizer(ctx context.Context, s *settings.Settings) (bulkdata.Authorizer, error) {
	credential := identity(s)
	source, err := keySource(s, credential)
	if err != nil {
		return nil, err
	}
	return authorizer(ctx, s, credential, source)
}

// authorizer gives the tokens that FHIR_AUTH asks for.
func authorizer(ctx context.Context, s *settings.Settings, credential func() (azcore.TokenCredential, error), source keys.Source) (bulkdata.Authorizer, error) {
	switch s.FHIRAuth {
	case "none":
		return nil, nil
	case "identity":
		c, err := credential()
		if err != nil {
			return nil, err
		}
		scope := s.FHIRAudience
		if scope == "" {
			scope = defaultScope(s.FHIRServerURL)
		}
		return bulkdata.Identity(c, scope), nil
	}
	o := bulkdata.OAuth{BaseURL: s.FHIRServerURL, TokenURL: s.SMARTTokenURL, ClientID: s.SMARTClientID, Scope: s.SMARTScope}
	if s.FHIRAuth == "client-secret" {
		secret, err := secretOrFile(ctx, source, s.ClientSecret)
		if err != nil {
			return nil, fmt.Errorf("reading the client secret: %w", err)
		}
		o.Secret = string(secret)
		return o.Authorizer()
	}
	key, err := secretOrFile(ctx, source, s.SMARTKey)
	if err != nil {
		return nil, fmt.Errorf("reading the client's key: %w", err)
	}
	if o.Assert, err = bulkdata.NewSigner(key, s.SMARTKeyID); err != nil {
		return nil, fmt.Errorf("SMART_KEY: %w", err)
	}
	return o.Authorizer()
}

// defaultScope is the scope that the FHIR service of Azure takes: its origin.
func defaultScope(server string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	return u.Scheme + "://" + u.Host + "/.default"
}

// secretOrFile reads a secret of the key source, or a file where the name is a
// path.
func secretOrFile(ctx context.Context, source keys.Source, name string) ([]byte, error) {
	if settings.IsFile(name) {
		return os.ReadFile(name)
	}
	secret, err := source.Get(ctx, name, "")
	return secret.Value, err
}
