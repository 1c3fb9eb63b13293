package storage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2/queueerror"
)

// Account is a storage account of Azure, or of Azurite.
type Account struct {
	name   string
	blobs  *service.Client
	queues *azqueue.ServiceClient // nil where no endpoint is set
	// identity is whether an Azure identity is used, and no key.
	identity bool
}

// retries are short: a caller with time comes back by itself.
var retries = policy.RetryOptions{MaxRetries: 4, RetryDelay: 300 * time.Millisecond, MaxRetryDelay: 3 * time.Second, TryTimeout: 2 * time.Minute}

// OpenAccount makes the clients of an account. It does no I/O.
func OpenAccount(c Connection) (*Account, error) {
	a := &Account{name: c.Name}
	options := azcore.ClientOptions{Retry: retries, Transport: c.Transport}
	var err error
	if c.ConnectionString != "" {
		// The SDK's errors may quote the string, which is a secret.
		a.blobs, err = service.NewClientFromConnectionString(c.ConnectionString, &service.ClientOptions{ClientOptions: options})
		if err != nil {
			return nil, fmt.Errorf("storage connection %s: the connection string cannot be read", c.Name)
		}
		a.queues, err = azqueue.NewServiceClientFromConnectionString(c.ConnectionString, &azqueue.ClientOptions{ClientOptions: options})
		if err != nil {
			return nil, fmt.Errorf("storage connection %s: the connection string cannot be read", c.Name)
		}
		return a, nil
	}
	if c.Credential == nil {
		return nil, fmt.Errorf("storage connection %s: there is no identity to use", c.Name)
	}
	a.identity = true
	a.blobs, err = service.NewClient(c.BlobServiceURI, c.Credential, &service.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, fmt.Errorf("storage connection %s: %w", c.Name, err)
	}
	if c.QueueServiceURI != "" {
		a.queues, err = azqueue.NewServiceClient(c.QueueServiceURI, c.Credential, &azqueue.ClientOptions{ClientOptions: options})
		if err != nil {
			return nil, fmt.Errorf("storage connection %s: %w", c.Name, err)
		}
	}
	return a, nil
}

// BlobServiceURL is the account's blob endpoint, without query.
func (a *Account) BlobServiceURL() string {
	endpoint, _, _ := strings.Cut(a.blobs.URL(), "?")
	return strings.TrimSuffix(endpoint, "/")
}

// Local reports whether the account is an emulator on this machine.
func (a *Account) Local() bool {
	u, err := url.Parse(a.blobs.URL())
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Container returns a container of the account, which need not exist.
func (a *Account) Container(name string) Container {
	return &azureContainer{account: a, name: name, client: a.blobs.NewContainerClient(name)}
}

// Queue returns a queue of the account, which need not exist.
func (a *Account) Queue(name string) (Queue, error) {
	if a.queues == nil {
		return nil, fmt.Errorf("storage connection %s: %s__queueServiceUri is not set", a.name, a.name)
	}
	return &azureQueue{account: a, name: name, client: a.queues.NewQueueClient(name)}, nil
}

// EnsureContainers makes the containers that are not there.
func (a *Account) EnsureContainers(ctx context.Context, names ...string) error {
	for _, name := range names {
		_, err := a.blobs.CreateContainer(ctx, name, nil)
		if err != nil && !bloberror.HasCode(err, bloberror.ContainerAlreadyExists) {
			return a.fault("creating the container "+name, err)
		}
	}
	return nil
}

// EnsureQueues makes the queues that are not there.
func (a *Account) EnsureQueues(ctx context.Context, names ...string) error {
	if a.queues == nil {
		return fmt.Errorf("storage connection %s: %s__queueServiceUri is not set", a.name, a.name)
	}
	for _, name := range names {
		_, err := a.queues.CreateQueue(ctx, name, nil)
		if err != nil && !queueerror.HasCode(err, queueerror.QueueAlreadyExists) {
			return a.fault("creating the queue "+name, err)
		}
	}
	return nil
}

// fault turns an SDK error into one of this package. The SDK's texts are left
// out where they quote whole requests.
func (a *Account) fault(doing string, err error) error {
	var r *azcore.ResponseError
	if !errors.As(err, &r) {
		err = withoutURL(err)
		if isUnreachable(err) {
			return fmt.Errorf("%s in %s: %w: %w; look at the endpoint in %s__blobServiceUri, and whether this network may reach the account (its firewall, a private endpoint)",
				doing, a.name, ErrUnreachable, err, a.name)
		}
		return fmt.Errorf("%s in %s: %w", doing, a.name, err)
	}
	switch {
	case r.StatusCode == 404:
		return fmt.Errorf("%s in %s: %w (%s)", doing, a.name, ErrNotFound, r.ErrorCode)
	case r.StatusCode == 409, r.StatusCode == 412, r.ErrorCode == string(bloberror.InvalidBlockList):
		return fmt.Errorf("%s in %s: %w (%s)", doing, a.name, ErrCondition, r.ErrorCode)
	case r.StatusCode == 401, r.StatusCode == 403:
		return fmt.Errorf("%s in %s: %w (%s): the identity needs the role %q on this account, and the account's network rules must let it in",
			doing, a.name, ErrDenied, r.ErrorCode, a.role(doing))
	}
	return fmt.Errorf("%s in %s: the storage answered %d %s", doing, a.name, r.StatusCode, r.ErrorCode)
}

// isUnreachable reports whether no connection came about.
func isUnreachable(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	return errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial"
}

// withoutURL takes the request's URL out of an error of the HTTP client: its
// query may hold the signature of a SAS connection string, which is a secret.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func (a *Account) role(doing string) string {
	if strings.Contains(doing, "queue") {
		return "Storage Queue Data Contributor"
	}
	return "Storage Blob Data Contributor"
}
