package funchost

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azqueue/v2/queueerror"
)

// azureAccounts opens the accounts that the settings name, each once.
type azureAccounts struct {
	settings *settings

	mu     sync.Mutex
	queues map[string]*azqueue.ServiceClient
	stores map[string]*azureBlobs
}

func newAzureAccounts(s *settings) *azureAccounts {
	return &azureAccounts{settings: s, queues: map[string]*azqueue.ServiceClient{}, stores: map[string]*azureBlobs{}}
}

var storageRetry = policy.RetryOptions{MaxRetries: 3, RetryDelay: 500 * time.Millisecond}

func (a *azureAccounts) queue(name, queue string) (messageQueue, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	client := a.queues[name]
	if client == nil {
		c, err := resolveConnection(name, a.settings)
		if err != nil {
			return nil, err
		}
		o := &azqueue.ClientOptions{ClientOptions: azcore.ClientOptions{Retry: storageRetry}}
		switch {
		case c.connectionString != "":
			client, err = azqueue.NewServiceClientFromConnectionString(c.connectionString, o)
		case c.queueURL == "":
			err = fmt.Errorf("%s__queueServiceUri is missing", name)
		default:
			client, err = azqueue.NewServiceClient(c.queueURL, c.credential, o)
		}
		if err != nil {
			return nil, fmt.Errorf("connection %s: queues: %w", name, withoutValue(c, err))
		}
		a.queues[name] = client
	}
	return azureQueue{client.NewQueueClient(queue)}, nil
}

func (a *azureAccounts) blobs(name string) (blobStore, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if store := a.stores[name]; store != nil {
		return store, nil
	}
	c, err := resolveConnection(name, a.settings)
	if err != nil {
		return nil, err
	}
	o := &service.ClientOptions{ClientOptions: azcore.ClientOptions{Retry: storageRetry}}
	var client *service.Client
	switch {
	case c.connectionString != "":
		client, err = service.NewClientFromConnectionString(c.connectionString, o)
	case c.blobURL == "":
		err = fmt.Errorf("%s__blobServiceUri is missing", name)
	default:
		client, err = service.NewClient(c.blobURL, c.credential, o)
	}
	if err != nil {
		return nil, fmt.Errorf("connection %s: blobs: %w", name, withoutValue(c, err))
	}
	store := &azureBlobs{client: client}
	a.stores[name] = store
	return store, nil
}

// withoutValue keeps a malformed connection string, which holds a key, out of
// the error.
func withoutValue(c connection, err error) error {
	if c.connectionString != "" {
		return errors.New("the connection string is not valid")
	}
	return err
}

type azureQueue struct{ client *azqueue.QueueClient }

func (q azureQueue) create(ctx context.Context) error {
	_, err := q.client.Create(ctx, nil)
	if err != nil && !queueerror.HasCode(err, queueerror.QueueAlreadyExists) {
		return fmt.Errorf("creating a queue: %w", err)
	}
	return nil
}

func (q azureQueue) put(ctx context.Context, text string) error {
	_, err := q.client.EnqueueMessage(ctx, text, nil)
	if queueerror.HasCode(err, queueerror.QueueNotFound) {
		if err = q.create(ctx); err == nil {
			_, err = q.client.EnqueueMessage(ctx, text, nil)
		}
	}
	if err != nil {
		return fmt.Errorf("putting a message: %w", err)
	}
	return nil
}

func (q azureQueue) get(ctx context.Context, n int, visibility time.Duration) ([]queueMessage, error) {
	r, err := q.client.DequeueMessages(ctx, &azqueue.DequeueMessagesOptions{
		NumberOfMessages: to.Ptr(int32(n)), VisibilityTimeout: seconds(visibility)})
	if queueerror.HasCode(err, queueerror.QueueNotFound) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("taking messages: %w", err)
	}
	var out []queueMessage
	for _, m := range r.Messages {
		out = append(out, queueMessage{
			id: value(m.MessageID), popReceipt: value(m.PopReceipt), text: value(m.MessageText), dequeueCount: value(m.DequeueCount),
			inserted: value(m.InsertionTime), expires: value(m.ExpirationTime), nextVisible: value(m.TimeNextVisible),
		})
	}
	return out, nil
}

func (q azureQueue) extend(ctx context.Context, m queueMessage, visibility time.Duration) (string, error) {
	r, err := q.client.UpdateMessage(ctx, m.id, m.popReceipt, m.text, &azqueue.UpdateMessageOptions{VisibilityTimeout: seconds(visibility)})
	if err != nil {
		return "", fmt.Errorf("renewing a message: %w", err)
	}
	return value(r.PopReceipt), nil
}

func (q azureQueue) remove(ctx context.Context, m queueMessage) error {
	if _, err := q.client.DeleteMessage(ctx, m.id, m.popReceipt, nil); err != nil {
		return fmt.Errorf("deleting a message: %w", err)
	}
	return nil
}

// seconds rounds up: the service counts in whole seconds.
func seconds(d time.Duration) *int32 { return to.Ptr(int32((d + time.Second - 1) / time.Second)) }

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

type azureBlobs struct{ client *service.Client }

func (s *azureBlobs) url(containerName, name string) string {
	base := s.client.URL()
	if u, err := url.Parse(base); err == nil {
		u.RawQuery = ""
		base = u.String()
	}
	return strings.TrimRight(base, "/") + "/" + containerName + "/" + escapeBlobName(name)
}

func (s *azureBlobs) blob(containerName, name string) *blockblob.Client {
	return s.client.NewContainerClient(containerName).NewBlockBlobClient(name)
}

func (s *azureBlobs) head(ctx context.Context, containerName, name string) (blobInfo, error) {
	r, err := s.blob(containerName, name).GetProperties(ctx, nil)
	if bloberror.HasCode(err, bloberror.BlobNotFound, bloberror.ContainerNotFound) {
		return blobInfo{}, errNotFound
	}
	if err != nil {
		return blobInfo{}, fmt.Errorf("reading the properties of a blob: %w", err)
	}
	info := blobInfo{
		etag: string(value(r.ETag)), size: value(r.ContentLength), contentType: value(r.ContentType), contentMD5: r.ContentMD5,
		encoding: value(r.ContentEncoding), disposition: value(r.ContentDisposition), language: value(r.ContentLanguage),
		cacheControl: value(r.CacheControl), modified: value(r.LastModified), created: value(r.CreationTime),
		tierChanged: value(r.AccessTierChangeTime), tier: value(r.AccessTier), tierInferred: value(r.AccessTierInferred),
		encrypted: value(r.IsServerEncrypted), metadata: make(map[string]string),
	}
	switch value(r.BlobType) {
	case blob.BlobTypePageBlob:
		info.blobType = 1
	case blob.BlobTypeAppendBlob:
		info.blobType = 2
	}
	for k, v := range r.Metadata {
		info.metadata[strings.ToLower(k)] = value(v)
	}
	return info, nil
}

func (s *azureBlobs) read(ctx context.Context, containerName, name string) ([]byte, error) {
	r, err := s.blob(containerName, name).DownloadStream(ctx, nil)
	if bloberror.HasCode(err, bloberror.BlobNotFound, bloberror.ContainerNotFound) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading a blob: %w", err)
	}
	body := r.NewRetryReader(ctx, nil)
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("reading a blob: %w", err)
	}
	return data, nil
}

func (s *azureBlobs) write(ctx context.Context, containerName, name string, data []byte) error {
	b := s.blob(containerName, name)
	upload := func() error {
		_, err := b.Upload(ctx, readSeekNopCloser{bytes.NewReader(data)}, nil)
		return err
	}
	err := upload()
	if bloberror.HasCode(err, bloberror.ContainerNotFound) {
		if _, err = s.client.CreateContainer(ctx, containerName, nil); err == nil || bloberror.HasCode(err, bloberror.ContainerAlreadyExists) {
			err = upload()
		}
	}
	if err != nil {
		return fmt.Errorf("writing a blob: %w", err)
	}
	return nil
}

func (s *azureBlobs) list(ctx context.Context, containerName string) iter.Seq2[listedBlob, error] {
	return func(yield func(listedBlob, error) bool) {
		pager := s.client.NewContainerClient(containerName).NewListBlobsFlatPager(&container.ListBlobsFlatOptions{})
		for pager.More() {
			page, err := pager.NextPage(ctx)
			if bloberror.HasCode(err, bloberror.ContainerNotFound) {
				err = errNotFound
			}
			if err != nil {
				yield(listedBlob{}, fmt.Errorf("listing a container: %w", err))
				return
			}
			for _, item := range page.Segment.BlobItems {
				b := listedBlob{name: value(item.Name)}
				if p := item.Properties; p != nil {
					b.etag = quotedETag(string(value(p.ETag)))
					b.blobType = string(value(p.BlobType))
				}
				if !yield(b, nil) {
					return
				}
			}
		}
	}
}

// quotedETag puts the quotes back that a listing leaves out.
func quotedETag(etag string) string {
	if strings.HasPrefix(etag, `"`) {
		return etag
	}
	return `"` + etag + `"`
}

type readSeekNopCloser struct{ *bytes.Reader }

func (readSeekNopCloser) Close() error { return nil }

// escapeBlobName percent-encodes a name as .NET does, keeping slashes.
func escapeBlobName(name string) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~/"
	var b strings.Builder
	for i := range len(name) {
		if strings.IndexByte(unreserved, name[i]) >= 0 {
			b.WriteByte(name[i])
			continue
		}
		fmt.Fprintf(&b, "%%%02X", name[i])
	}
	return b.String()
}
