package installation

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/storage"
)

// exportAccount is the storage account that the FHIR service exports to. Its
// files are read with the rights of the setting ExportStorage, whatever the
// manifest says of tokens: storage is not the server.
type exportAccount struct {
	account *storage.Account
	base    *url.URL
}

func openExportAccount(a *storage.Account) (*exportAccount, error) {
	base, err := url.Parse(a.BlobServiceURL())
	if err != nil {
		return nil, errors.New("the export account's endpoint is no URL")
	}
	return &exportAccount{a, base}, nil
}

// has splits the URL of a file in the account into container and name.
func (x *exportAccount) has(file string) (container, name string, ok bool) {
	u, err := url.Parse(file)
	if err != nil || u.Scheme != x.base.Scheme || !strings.EqualFold(u.Host, x.base.Host) {
		return "", "", false
	}
	path, ok := strings.CutPrefix(u.Path, x.base.Path+"/")
	if !ok {
		return "", "", false
	}
	container, name, ok = strings.Cut(path, "/")
	return container, name, ok && container != "" && name != ""
}

// AnonymizationContainer is where the FHIR service looks for the configuration of
// its own de-identification, in the account that it exports to
// (https://learn.microsoft.com/azure/healthcare-apis/fhir/deidentified-export).
const AnonymizationContainer = "anonymization"

func (x *exportAccount) open(ctx context.Context, container, name string) (io.ReadCloser, error) {
	body, _, err := x.account.Container(container).Open(ctx, name, "")
	if err == nil {
		return body, nil
	}
	e := &bulkdata.Error{Op: "reading an exported file", Kind: bulkdata.Transient, Err: err}
	switch {
	case errors.Is(err, storage.ErrDenied):
		e.Kind = bulkdata.Denied
		e.Hint = `to read, the role "Storage Blob Data Reader" on the account of ExportStorage is enough`
	case errors.Is(err, storage.ErrNotFound):
		e.Kind = bulkdata.Gone
	}
	return nil, e
}
