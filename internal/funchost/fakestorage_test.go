package funchost

import (
	"context"
	"crypto/md5"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// fakeAccounts is storage in memory. A released message is visible at once,
// whatever its visibility says, so that no test waits.
type fakeAccounts struct {
	mu     sync.Mutex
	queues map[string]*fakeQueue
	blobsM map[string]fakeBlob // container/name
	gets   int                 // reads of blob content
	now    func() time.Time
}

type fakeBlob struct {
	data     []byte
	info     blobInfo
	sequence int
}

func newFakeAccounts(now func() time.Time) *fakeAccounts {
	return &fakeAccounts{queues: map[string]*fakeQueue{}, blobsM: map[string]fakeBlob{}, now: now}
}

func (a *fakeAccounts) queue(_, name string) (messageQueue, error) { return a.q(name), nil }
func (a *fakeAccounts) blobs(string) (blobStore, error)            { return a, nil }

func (a *fakeAccounts) q(name string) *fakeQueue {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.queues[name]
	if q == nil {
		q = &fakeQueue{now: a.now, changed: make(chan struct{}, 1)}
		a.queues[name] = q
	}
	return q
}

type fakeQueue struct {
	mu       sync.Mutex
	now      func() time.Time
	messages []*fakeMessage
	removed  int
	extended []time.Duration
	changed  chan struct{}
}

type fakeMessage struct {
	queueMessage
	hidden bool
}

func (q *fakeQueue) create(context.Context) error { return nil }

func (q *fakeQueue) put(_ context.Context, text string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now().Truncate(time.Second)
	q.messages = append(q.messages, &fakeMessage{queueMessage: queueMessage{
		id: uuid.NewString(), text: text, inserted: now, expires: now.Add(7 * 24 * time.Hour)}})
	return nil
}

func (q *fakeQueue) get(_ context.Context, n int, visibility time.Duration) ([]queueMessage, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var out []queueMessage
	for _, m := range q.messages {
		if m.hidden || len(out) == n {
			continue
		}
		m.hidden = true
		m.dequeueCount++
		m.popReceipt = uuid.NewString()
		m.nextVisible = q.now().Truncate(time.Second).Add(visibility)
		out = append(out, m.queueMessage)
	}
	return out, nil
}

func (q *fakeQueue) find(m queueMessage) (*fakeMessage, error) {
	for _, found := range q.messages {
		if found.id == m.id && found.popReceipt == m.popReceipt {
			return found, nil
		}
	}
	return nil, fmt.Errorf("PopReceiptMismatch")
}

func (q *fakeQueue) extend(_ context.Context, m queueMessage, visibility time.Duration) (string, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	found, err := q.find(m)
	if err != nil {
		return "", err
	}
	q.extended = append(q.extended, visibility)
	found.popReceipt = uuid.NewString()
	found.hidden = visibility >= 10*time.Minute
	return found.popReceipt, nil
}

func (q *fakeQueue) remove(_ context.Context, m queueMessage) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	found, err := q.find(m)
	if err != nil {
		return err
	}
	q.messages = slices.DeleteFunc(q.messages, func(x *fakeMessage) bool { return x == found })
	q.removed++
	return nil
}

// texts are the messages on the queue, hidden ones included.
func (q *fakeQueue) texts() []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := []string{}
	for _, m := range q.messages {
		out = append(out, m.text)
	}
	return out
}

func (a *fakeAccounts) url(container, name string) string {
	return "http://127.0.0.1:10000/devstoreaccount1/" + container + "/" + escapeBlobName(name)
}

// upload puts a blob the way the recordings did.
func (a *fakeAccounts) upload(container, name string, data []byte, contentType string, metadata map[string]string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if metadata == nil {
		metadata = map[string]string{}
	}
	sum := md5.Sum(data)
	n := len(a.blobsM) + 1
	now := a.now().Truncate(time.Second)
	etag := fmt.Sprintf(`"0x%015X"`, 0x25FCBD1EF89DA00+n)
	a.blobsM[container+"/"+name] = fakeBlob{data: data, sequence: n, info: blobInfo{etag: etag, size: int64(len(data)),
		contentType: contentType, contentMD5: sum[:], modified: now, created: now, tierChanged: now, tier: "Hot", tierInferred: true,
		encrypted: true, metadata: metadata}}
	return etag
}

func (a *fakeAccounts) get(container, name string) (fakeBlob, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b, ok := a.blobsM[container+"/"+name]
	if !ok {
		return fakeBlob{}, errNotFound
	}
	return b, nil
}

func (a *fakeAccounts) head(_ context.Context, container, name string) (blobInfo, error) {
	b, err := a.get(container, name)
	return b.info, err
}

func (a *fakeAccounts) read(_ context.Context, container, name string) ([]byte, error) {
	b, err := a.get(container, name)
	if err == nil && container != hostContainer {
		a.mu.Lock()
		a.gets++
		a.mu.Unlock()
	}
	return b.data, err
}

func (a *fakeAccounts) write(_ context.Context, container, name string, data []byte) error {
	a.upload(container, name, data, "application/octet-stream", nil)
	return nil
}

func (a *fakeAccounts) list(_ context.Context, container string) iter.Seq2[listedBlob, error] {
	a.mu.Lock()
	var found []listedBlob
	for path, b := range a.blobsM {
		if name, ok := strings.CutPrefix(path, container+"/"); ok {
			found = append(found, listedBlob{name: name, etag: b.info.etag, blobType: "BlockBlob"})
		}
	}
	a.mu.Unlock()
	slices.SortFunc(found, func(x, y listedBlob) int { return strings.Compare(x.name, y.name) })
	return func(yield func(listedBlob, error) bool) {
		for _, b := range found {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// names are the blobs of a container.
func (a *fakeAccounts) names(container string) []string {
	var out []string
	for b := range a.list(context.Background(), container) {
		out = append(out, b.name)
	}
	return out
}
