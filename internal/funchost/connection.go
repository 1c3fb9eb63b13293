package funchost

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// connection says how to reach a storage account.
type connection struct {
	name             string
	connectionString string
	blobURL          string
	queueURL         string
	credential       azcore.TokenCredential
}

// developmentStorage is what UseDevelopmentStorage=true stands for: the
// published account of the storage emulator.
const developmentStorage = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;" +
	"AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;" +
	"BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1;"

var errNoConnection = errors.New("no such connection among the settings")

// resolveConnection finds a connection by the host's rules: the name with the
// prefix AzureWebJobs, or the name itself; a connection string, or a group of
// settings NAME__blobServiceUri, NAME__queueServiceUri or NAME__accountName for
// an identity.
func resolveConnection(name string, s *settings) (connection, error) {
	candidates := []string{name}
	if !strings.HasPrefix(strings.ToLower(name), "azurewebjobs") {
		candidates = []string{"AzureWebJobs" + name, name}
	}
	for _, key := range candidates {
		if text, ok := s.lookup(key); ok && text != "" {
			if strings.EqualFold(strings.TrimRight(strings.TrimSpace(text), ";"), "UseDevelopmentStorage=true") {
				text = developmentStorage
			}
			return connection{name: name, connectionString: text}, nil
		}
		c := connection{name: name}
		c.blobURL, _ = s.lookup(key + "__blobServiceUri")
		c.queueURL, _ = s.lookup(key + "__queueServiceUri")
		if account, ok := s.lookup(key + "__accountName"); ok && c.blobURL == "" && c.queueURL == "" {
			c.blobURL = "https://" + account + ".blob.core.windows.net"
			c.queueURL = "https://" + account + ".queue.core.windows.net"
		}
		if c.blobURL == "" && c.queueURL == "" {
			continue
		}
		var err error
		c.credential, err = identity(key, s)
		return c, err
	}
	return connection{}, fmt.Errorf("connection %s: %w (%s, or %s__blobServiceUri and %s__queueServiceUri)",
		name, errNoConnection, strings.Join(candidates, " or "), name, name)
}

func identity(key string, s *settings) (azcore.TokenCredential, error) {
	kind, _ := s.lookup(key + "__credential")
	client, _ := s.lookup(key + "__clientId")
	if strings.EqualFold(kind, "managedidentity") {
		o := new(azidentity.ManagedIdentityCredentialOptions)
		if client != "" {
			o.ID = azidentity.ClientID(client)
		}
		c, err := azidentity.NewManagedIdentityCredential(o)
		if err != nil {
			return nil, fmt.Errorf("connection %s: managed identity: %w", key, err)
		}
		return c, nil
	}
	c, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("connection %s: identity: %w", key, err)
	}
	return c, nil
}
