package pipeline

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"

	"fhirdeid/internal/storage"
)

// TestMemoryIsBounded: however large a file is, de-identifying it takes less than
// 64 MiB. The buffers of the blocks under way are the storage's own and come on
// top.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("takes some seconds, and measures memory")
	}
	for name, c := range map[string]struct {
		line string
		size int64
	}{
		"many small lines": {`{"resourceType":"Patient"}`, 64 << 20},
		"patients":         {patientLine[:len(patientLine)-1], 96 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			w := calm(t, patients(1))
			p := w.direct()
			p.Workers = 4
			_, file := fetchedFile(t, w, p)
			raw := &endless{Container: p.Stores.Raw, line: []byte(c.line), size: c.size}
			sink := &heapWatch{Container: p.Stores.Staging}
			p.Stores.Raw, p.Stores.Staging = raw, sink
			runtime.GC()
			var before runtime.MemStats
			runtime.ReadMemStats(&before)
			if err := p.Anonymize(t.Context(), file); err != nil {
				t.Fatal(err)
			}
			took := int64(sink.peak) - int64(before.HeapAlloc)
			t.Logf("%d MiB in took %d MiB of memory", raw.size>>20, took>>20)
			if took > 64<<20 || sink.written < c.size/4 {
				t.Errorf("%d bytes in and %d out took %d bytes of memory", c.size, sink.written, took)
			}
		})
	}
}

// endless is a container whose blobs are of a size and hold lines that differ.
type endless struct {
	storage.Container
	line []byte
	size int64
}

func (e *endless) Open(ctx context.Context, name string, match storage.ETag) (io.ReadCloser, storage.Info, error) {
	_, info, err := e.Container.Open(ctx, name, match)
	return io.NopCloser(&lines{line: e.line, left: e.size}), info, err
}

// lines reads one line again and again, with a number of white space behind it
// that makes it another.
type lines struct {
	line []byte
	left int64
	n    int
	rest []byte
}

func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		if l.left <= 0 {
			return 0, io.EOF
		}
		l.n++
		l.rest = append(l.rest[:0], l.line...)
		for bits := l.n; bits > 0; bits >>= 1 {
			l.rest = append(l.rest, " \t"[bits&1])
		}
		l.rest = append(l.rest, '\n')
		l.left -= int64(len(l.rest))
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// heapWatch is a container that keeps nothing and looks at the heap now and then.
type heapWatch struct {
	storage.Container
	written int64
	looked  int64
	peak    uint64
}

func (h *heapWatch) Create(context.Context, string) (storage.Writer, error) {
	return &heapWriter{h}, nil
}

type heapWriter struct{ h *heapWatch }

func (w *heapWriter) Write(p []byte) (int, error) {
	h := w.h
	h.written += int64(len(p))
	if h.written-h.looked > 1<<20 {
		h.looked = h.written
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		h.peak = max(h.peak, m.HeapAlloc)
	}
	return len(p), nil
}

func (w *heapWriter) Commit(context.Context, storage.PutOptions) (storage.ETag, error) {
	if w.h.peak == 0 {
		return "", errors.New("nothing was written")
	}
	return `"0x1"`, nil
}

func (w *heapWriter) Abort() {}
