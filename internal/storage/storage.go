// Package storage is the blobs and queues that the pipeline works on: a small
// interface with only what the pipeline needs, kept by Azure Storage or in
// memory. Both pass one conformance suite, in the package storagetest.
//
// A blob is written whole or not at all, and a write can be made conditional on
// what is there: that is how callers that run twice, or at the same time, settle
// who was first.
package storage

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"time"
)

// ETag names one state of a blob. It changes with every write. "" is none.
type ETag string

// Bare is the ETag without its quotes, as settings have it.
func (e ETag) Bare() string { return strings.Trim(string(e), `"`) }

// Info is what is known of a blob without reading it.
type Info struct {
	Name     string
	Size     int64
	ETag     ETag
	Modified time.Time
	// Metadata has keys in lower case, whatever the case they were written in.
	Metadata map[string]string
}

// Condition says what must be there for a write to take effect. The zero
// Condition always holds.
type Condition struct {
	match  ETag
	absent bool
}

// IfAbsent holds when there is no blob of that name (If-None-Match: *).
func IfAbsent() Condition { return Condition{absent: true} }

// IfMatch holds when the blob is still in the state of the ETag. With no ETag it
// never holds: a state that was not read must not become a blind overwrite.
func IfMatch(etag ETag) Condition {
	if etag == "" {
		etag = noState
	}
	return Condition{match: etag}
}

// noState is an ETag that no blob ever has.
const noState ETag = `"0x0"`

// PutOptions belong to a write.
type PutOptions struct {
	If Condition
	// Metadata is kept with the blob: at most 8 KiB of printable ASCII
	// without blanks at the ends of a value.
	Metadata    map[string]string
	ContentType string
}

// Errors that a caller decides on, by errors.Is. Any other error may pass.
var (
	// ErrNotFound: there is no such blob or container.
	ErrNotFound = errors.New("not found")
	// ErrCondition: the condition of a write did not hold; an earlier write
	// stands. That may be the caller's own, if its answer was lost and the
	// request was repeated beneath: look at what is there.
	ErrCondition = errors.New("the condition of the write does not hold")
	// ErrDenied: this identity may not do that. The text names the role that is
	// missing.
	ErrDenied = errors.New("access denied")
	// ErrUnreachable: no connection to the account came about.
	ErrUnreachable = errors.New("the account cannot be reached")
)

// Container holds blobs by name. It is safe for concurrent use.
type Container interface {
	Name() string
	// Get reads a small blob whole.
	Get(ctx context.Context, name string) ([]byte, Info, error)
	// Head looks at a blob without reading it.
	Head(ctx context.Context, name string) (Info, error)
	// Open streams a blob in the state of the ETag, or as it is now where match
	// is "". A broken connection is resumed in that same state; a blob that was
	// changed meanwhile ends the stream with ErrCondition.
	Open(ctx context.Context, name string, match ETag) (io.ReadCloser, Info, error)
	// Put writes a small blob whole.
	Put(ctx context.Context, name string, data []byte, o PutOptions) (ETag, error)
	// Create starts a blob that is streamed. Nothing is visible before Commit.
	Create(ctx context.Context, name string) (Writer, error)
	// Copy copies a blob within the account, on the server, if the source is
	// still in the state of srcMatch. The copy has the metadata of the options,
	// of which there must be some: without any, Azure copies the source's.
	Copy(ctx context.Context, src Container, srcName string, srcMatch ETag, name string, o PutOptions) (ETag, error)
	// Delete removes a blob; one that is absent is no error.
	Delete(ctx context.Context, name string) error
	// List goes through the blobs whose names begin with prefix, in the order
	// of their names, with metadata.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
}

// Writer streams one blob.
type Writer interface {
	io.Writer
	// Commit makes the blob visible, whole. With a condition that does not hold
	// the error is ErrCondition and nothing is changed.
	Commit(ctx context.Context, o PutOptions) (ETag, error)
	// Abort gives the blob up. After Commit it does nothing.
	Abort()
}

// Queue takes messages for the Functions host.
type Queue interface {
	Name() string
	// Send adds a message that becomes visible after a delay and does not
	// expire. The delay is at most seven days.
	Send(ctx context.Context, body []byte, delay time.Duration) error
}
