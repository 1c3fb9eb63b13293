package storage

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Connection says how to reach a storage account, as the Functions host's own
// settings do: by a connection string, or by endpoints and an identity.
type Connection struct {
	// Name is the setting's name, such as "RawStorage".
	Name string
	// ConnectionString is for keys; it is a secret.
	ConnectionString string
	// BlobServiceURI and QueueServiceURI are for an identity.
	BlobServiceURI, QueueServiceURI string
	// ClientID is that of a user-assigned identity, or "".
	ClientID string
	// Credential is the identity; the caller sets it.
	Credential azcore.TokenCredential
	// Transport is for tests; nil is the SDK's own.
	Transport policy.Transporter
}

// ErrNoConnection says that none of a connection's settings is set.
var ErrNoConnection = errors.New("no such connection is set")

// developmentStorage is what "UseDevelopmentStorage=true" stands for. The keys
// are public.
const developmentStorage = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;" +
	"AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;" +
	"BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"

// ConnectionFromEnv reads a connection by the names that the Functions host
// uses: NAME or AzureWebJobsNAME for a connection string; NAME__accountName, or
// NAME__blobServiceUri and NAME__queueServiceUri, with NAME__clientId, for an
// identity. The names are in mixed case. The error is ErrNoConnection when none
// is set.
func ConnectionFromEnv(name string, lookup func(string) (string, bool)) (Connection, error) {
	get := func(suffix string) string {
		for _, prefix := range []string{"", "AzureWebJobs"} {
			if v, ok := lookup(prefix + name + suffix); ok && v != "" {
				return v
			}
		}
		return ""
	}
	c := Connection{
		Name:             name,
		ConnectionString: get(""),
		BlobServiceURI:   get("__blobServiceUri"),
		QueueServiceURI:  get("__queueServiceUri"),
		ClientID:         get("__clientId"),
	}
	account := get("__accountName")
	identity := account != "" || c.BlobServiceURI != "" || c.QueueServiceURI != ""
	switch {
	case c.ConnectionString == "" && !identity:
		return c, fmt.Errorf("storage connection %s: %w; set %s to a connection string, or %s__blobServiceUri and %s__queueServiceUri for an identity",
			name, ErrNoConnection, name, name, name)
	case c.ConnectionString != "" && identity:
		return c, fmt.Errorf("storage connection %s: both a connection string and an identity's endpoints are set; remove one", name)
	case c.ConnectionString != "":
		if strings.EqualFold(strings.TrimSuffix(c.ConnectionString, ";"), "UseDevelopmentStorage=true") {
			c.ConnectionString = developmentStorage
		}
		return c, nil
	}
	if account != "" {
		if c.BlobServiceURI == "" {
			c.BlobServiceURI = "https://" + account + ".blob.core.windows.net"
		}
		if c.QueueServiceURI == "" {
			c.QueueServiceURI = "https://" + account + ".queue.core.windows.net"
		}
	}
	if c.BlobServiceURI == "" {
		return c, fmt.Errorf("storage connection %s: %s__blobServiceUri is not set", name, name)
	}
	for _, uri := range []string{c.BlobServiceURI, c.QueueServiceURI} {
		if uri != "" && !strings.HasPrefix(uri, "https://") {
			return c, fmt.Errorf("storage connection %s: an identity needs https endpoints", name)
		}
	}
	return c, nil
}
