package storage

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
)

const (
	// blockSize is the size of a staged block.
	blockSize = 4 << 20
	// blocksInFlight bounds the blocks that are being staged, and with
	// blockSize the memory of a writer.
	blocksInFlight = 3
)

// azureWriter stages blocks while it is written to. Its block ids are its own,
// so that two writers of one name do not mix; the commit says which count.
type azureWriter struct {
	c      *azureContainer
	name   string
	client *blockblob.Client
	ctx    context.Context
	cancel context.CancelFunc

	buf  []byte
	ids  []string
	seed [8]byte
	free chan []byte // buffers that are not in flight
	made int         // buffers made so far

	wg   sync.WaitGroup
	mu   sync.Mutex
	err  error
	done bool
}

func (c *azureContainer) Create(ctx context.Context, name string) (Writer, error) {
	ctx, cancel := context.WithCancel(ctx)
	w := &azureWriter{c: c, name: name, client: c.client.NewBlockBlobClient(name), ctx: ctx, cancel: cancel, free: make(chan []byte, blocksInFlight)}
	if _, err := rand.Read(w.seed[:]); err != nil {
		cancel()
		return nil, err
	}
	return w, nil
}

func (w *azureWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if w.buf == nil {
			if err := w.nextBuffer(); err != nil {
				return total - len(p), err
			}
		}
		n := min(len(p), blockSize-len(w.buf))
		w.buf = append(w.buf, p[:n]...)
		p = p[n:]
		if len(w.buf) == blockSize {
			if err := w.stage(); err != nil {
				return total - len(p), err
			}
		}
	}
	return total, nil
}

// nextBuffer takes a free buffer, or makes one while there are few, or waits.
func (w *azureWriter) nextBuffer() error {
	if w.made < blocksInFlight {
		select {
		case w.buf = <-w.free:
			return nil
		default:
			w.made++
			w.buf = make([]byte, 0, blockSize)
			return nil
		}
	}
	select {
	case w.buf = <-w.free:
		return nil
	case <-w.ctx.Done():
		return w.failure(w.ctx.Err())
	}
}

// stage sends the buffer as a block, beside what the caller does next.
func (w *azureWriter) stage() error {
	if err := w.failure(nil); err != nil {
		return err
	}
	var id [12]byte
	copy(id[:], w.seed[:])
	binary.BigEndian.PutUint32(id[8:], uint32(len(w.ids)))
	name := base64.StdEncoding.EncodeToString(id[:])
	w.ids = append(w.ids, name)
	block := w.buf
	w.buf = nil
	w.wg.Go(func() {
		_, err := w.client.StageBlock(w.ctx, name, streamingBody(block), nil)
		if err != nil {
			w.mu.Lock()
			if w.err == nil {
				w.err = w.c.fault("staging a block of", w.name, err)
			}
			w.mu.Unlock()
		}
		w.free <- block[:0]
	})
	return nil
}

func (w *azureWriter) failure(other error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	return other
}

func (w *azureWriter) Commit(_ context.Context, o PutOptions) (ETag, error) {
	if w.done {
		return "", errors.New("the blob was committed or given up already")
	}
	if err := checkMetadata(o.Metadata); err != nil {
		return "", err
	}
	w.done = true
	defer w.cancel()
	if len(w.ids) == 0 { // small: one request
		w.wg.Wait()
		return w.c.Put(w.ctx, w.name, w.buf, o)
	}
	if len(w.buf) > 0 {
		if err := w.stage(); err != nil {
			w.wg.Wait()
			return "", err
		}
	}
	w.wg.Wait()
	if err := w.failure(nil); err != nil {
		return "", err
	}
	r, err := w.client.CommitBlockList(w.ctx, w.ids, &blockblob.CommitBlockListOptions{
		HTTPHeaders:      headers(o),
		Metadata:         pointers(o.Metadata),
		AccessConditions: o.If.azure(),
	})
	if err != nil {
		return "", w.c.fault("committing", w.name, err)
	}
	return etagOf(r.ETag), nil
}

// Abort leaves staged blocks behind, unseen; the storage drops them after a
// week.
func (w *azureWriter) Abort() {
	if w.done {
		return
	}
	w.done = true
	w.cancel()
	w.wg.Wait()
}

func streamingBody(data []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(data)) }

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
