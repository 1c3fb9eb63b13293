package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Memory is storage in memory, for tests. Its containers and queues come into
// being when they are asked for.
type Memory struct {
	now func() time.Time

	mu     sync.Mutex
	writes int64
	blobs  map[string]map[string]*memoryBlob // container → name
	queues map[string]*MemoryQueue
}

type memoryBlob struct {
	info        Info
	data        []byte
	contentType string
}

// NewMemory returns empty storage; now is the clock.
func NewMemory(now func() time.Time) *Memory {
	return &Memory{now: now, blobs: make(map[string]map[string]*memoryBlob), queues: make(map[string]*MemoryQueue)}
}

// Container returns the container of that name.
func (m *Memory) Container(name string) Container {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.blobs[name] == nil {
		m.blobs[name] = make(map[string]*memoryBlob)
	}
	return &memoryContainer{m: m, name: name}
}

type memoryContainer struct {
	m    *Memory
	name string
}

func (c *memoryContainer) Name() string { return c.name }

func (c *memoryContainer) find(name string) (*memoryBlob, error) {
	b := c.m.blobs[c.name][name]
	if b == nil {
		return nil, fmt.Errorf("blob %s/%s: %w", c.name, name, ErrNotFound)
	}
	return b, nil
}

func (b *memoryBlob) snapshot() Info {
	info := b.info
	info.Metadata = maps.Clone(info.Metadata)
	return info
}

func (c *memoryContainer) Get(_ context.Context, name string) ([]byte, Info, error) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	b, err := c.find(name)
	if err != nil {
		return nil, Info{}, err
	}
	return bytes.Clone(b.data), b.snapshot(), nil
}

func (c *memoryContainer) Head(_ context.Context, name string) (Info, error) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	b, err := c.find(name)
	if err != nil {
		return Info{}, err
	}
	return b.snapshot(), nil
}

func (c *memoryContainer) Open(_ context.Context, name string, match ETag) (io.ReadCloser, Info, error) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	b, err := c.find(name)
	if err != nil {
		return nil, Info{}, err
	}
	if match != "" && match != b.info.ETag {
		return nil, Info{}, fmt.Errorf("blob %s/%s was changed: %w", c.name, name, ErrCondition)
	}
	return io.NopCloser(bytes.NewReader(b.data)), b.snapshot(), nil // data is never written in place
}

func (c *memoryContainer) Put(_ context.Context, name string, data []byte, o PutOptions) (ETag, error) {
	if err := checkMetadata(o.Metadata); err != nil {
		return "", err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.put(name, bytes.Clone(data), o)
}

func (c *memoryContainer) put(name string, data []byte, o PutOptions) (ETag, error) {
	b := c.m.blobs[c.name][name]
	if o.If.absent && b != nil || o.If.match != "" && (b == nil || b.info.ETag != o.If.match) {
		return "", fmt.Errorf("writing blob %s/%s: %w", c.name, name, ErrCondition)
	}
	c.m.writes++
	etag := ETag(`"` + strconv.FormatInt(c.m.writes, 16) + `"`)
	meta := make(map[string]string, len(o.Metadata))
	for k, v := range o.Metadata {
		meta[strings.ToLower(k)] = v
	}
	c.m.blobs[c.name][name] = &memoryBlob{
		info:        Info{Name: name, Size: int64(len(data)), ETag: etag, Modified: c.m.now(), Metadata: meta},
		data:        data,
		contentType: o.ContentType,
	}
	return etag, nil
}

func (c *memoryContainer) Create(_ context.Context, name string) (Writer, error) {
	return &memoryWriter{c: c, name: name}, nil
}

type memoryWriter struct {
	c    *memoryContainer
	name string
	buf  []byte
	done bool
}

func (w *memoryWriter) Write(p []byte) (int, error) {
	w.buf = append(w.buf, p...)
	return len(p), nil
}

func (w *memoryWriter) Commit(_ context.Context, o PutOptions) (ETag, error) {
	if w.done {
		return "", fmt.Errorf("blob %s/%s was committed or given up already", w.c.name, w.name)
	}
	if err := checkMetadata(o.Metadata); err != nil {
		return "", err
	}
	w.done = true
	w.c.m.mu.Lock()
	defer w.c.m.mu.Unlock()
	return w.c.put(w.name, w.buf, o)
}

func (w *memoryWriter) Abort() { w.done, w.buf = true, nil }

func (c *memoryContainer) Copy(_ context.Context, src Container, srcName string, srcMatch ETag, name string, o PutOptions) (ETag, error) {
	from, ok := src.(*memoryContainer)
	if !ok || from.m != c.m {
		return "", fmt.Errorf("copying to %s/%s: the source is in another account", c.name, name)
	}
	if err := checkCopyMetadata(o.Metadata); err != nil {
		return "", err
	}
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	b, err := from.find(srcName)
	if err != nil {
		return "", err
	}
	if srcMatch != "" && b.info.ETag != srcMatch {
		return "", fmt.Errorf("blob %s/%s was changed: %w", from.name, srcName, ErrCondition)
	}
	return c.put(name, b.data, o)
}

func (c *memoryContainer) Delete(_ context.Context, name string) error {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	delete(c.m.blobs[c.name], name)
	return nil
}

func (c *memoryContainer) List(_ context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		c.m.mu.Lock()
		var infos []Info
		for name, b := range c.m.blobs[c.name] {
			if strings.HasPrefix(name, prefix) {
				infos = append(infos, b.snapshot())
			}
		}
		c.m.mu.Unlock()
		slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
		for _, info := range infos {
			if !yield(info, nil) {
				return
			}
		}
	}
}
