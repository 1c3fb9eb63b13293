package funchost

import (
	"context"
	"errors"
	"iter"
	"time"
)

// The host sees storage through these two small interfaces, so that its rules
// can be tested without a storage account. azurestorage.go implements them.

// queueMessage is a message as the queue service hands it out.
type queueMessage struct {
	id           string
	popReceipt   string
	text         string // as it stands on the queue, encoded or not
	dequeueCount int64
	inserted     time.Time
	expires      time.Time
	nextVisible  time.Time
}

type messageQueue interface {
	create(ctx context.Context) error
	put(ctx context.Context, text string) error
	// get takes up to n messages and hides them. errNotFound: no such queue.
	get(ctx context.Context, n int, visibility time.Duration) ([]queueMessage, error)
	// extend sets how long the message stays hidden and returns its new receipt.
	extend(ctx context.Context, m queueMessage, visibility time.Duration) (string, error)
	remove(ctx context.Context, m queueMessage) error
}

// blobInfo is what a HEAD of a blob tells.
type blobInfo struct {
	etag         string // with quotes
	size         int64
	contentType  string
	contentMD5   []byte
	encoding     string
	disposition  string
	language     string
	cacheControl string
	modified     time.Time
	created      time.Time
	metadata     map[string]string // lower-case keys
	tierChanged  time.Time
	tier         string
	tierInferred bool
	encrypted    bool
	blobType     int // 0 block, 1 page, 2 append
}

type listedBlob struct {
	name     string
	etag     string // with quotes
	blobType string // BlockBlob, …
}

type blobStore interface {
	// url is the blob's address, percent-encoded.
	url(container, name string) string
	head(ctx context.Context, container, name string) (blobInfo, error)
	read(ctx context.Context, container, name string) ([]byte, error)
	// write stores a small blob, making its container if need be.
	write(ctx context.Context, container, name string, data []byte) error
	list(ctx context.Context, container string) iter.Seq2[listedBlob, error]
}

// errNotFound: no such blob, container or queue.
var errNotFound = errors.New("not found in storage")

// accounts hands out what belongs to a connection name.
type accounts interface {
	queue(connection, name string) (messageQueue, error)
	blobs(connection string) (blobStore, error)
}
