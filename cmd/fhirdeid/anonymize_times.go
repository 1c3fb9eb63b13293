package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// times is how long the stages of the work took: reading and writing files,
// decompressing (with the reading it waited for), compressing (with the writing),
// and the engine's workers (with the checking), summed over them. elapsed is how long files were
// worked on, summed over those at the same time.
type times struct {
	read, unpack, engine, check, pack, write atomic.Int64
	elapsed                                  atomic.Int64
	// What the progress shows: bytes from files, bytes and lines after that.
	stored, bytes, lines atomic.Int64
}

// stageNames are the stages in the order of the work.
var stageNames = []string{"reading", "decompressing", "engine", "checking", "compressing", "writing"}

// busy is the share of the elapsed time that each stage was at work or, for the
// ends of the pipeline, waited for. With all of the pipeline going at once, the
// one near 1 is the limit.
func (t *times) busy(jobs int) map[string]float64 {
	elapsed := float64(t.elapsed.Load())
	shares := make(map[string]float64)
	if elapsed == 0 {
		return shares
	}
	for name, ns := range map[string]int64{
		"reading": t.read.Load(), "decompressing": t.unpack.Load() - min(t.read.Load(), t.unpack.Load()),
		"engine": (t.engine.Load() - t.check.Load()) / int64(jobs), "checking": t.check.Load() / int64(jobs),
		"compressing": t.pack.Load() - min(t.write.Load(), t.pack.Load()), "writing": t.write.Load(),
	} {
		shares[name] = min(1, float64(ns)/elapsed)
	}
	return shares
}

// limit is the stage that was busy longest.
func limit(shares map[string]float64) (name string) {
	for _, s := range stageNames {
		if shares[s] > shares[name] {
			name = s
		}
	}
	return name
}

// timedReader measures the time in its reader, and counts bytes.
type timedReader struct {
	io.Reader
	ns, bytes *atomic.Int64
}

func (r *timedReader) Read(p []byte) (int, error) {
	begin := time.Now()
	n, err := r.Reader.Read(p)
	r.ns.Add(int64(time.Since(begin)))
	if r.bytes != nil {
		r.bytes.Add(int64(n))
	}
	return n, err
}

// timedWriter measures the time in its writer.
type timedWriter struct {
	io.WriteCloser
	ns *atomic.Int64
}

func (w *timedWriter) Write(p []byte) (int, error) {
	begin := time.Now()
	n, err := w.WriteCloser.Write(p)
	w.ns.Add(int64(time.Since(begin)))
	return n, err
}

func (w *timedWriter) Close() error {
	begin := time.Now()
	err := w.WriteCloser.Close()
	w.ns.Add(int64(time.Since(begin)))
	return err
}

// source is an input on its way to the engine: it counts, ends when the work is
// interrupted, and marks its faults as those of an input.
type source struct {
	io.Reader
	ctx context.Context
	t   *times
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := s.Reader.Read(p)
	s.t.bytes.Add(int64(n))
	s.t.lines.Add(int64(bytes.Count(p[:n], []byte{'\n'})))
	if err != nil && !errors.Is(err, io.EOF) && s.ctx.Err() == nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it is cut off in the middle of a compressed stream")
		}
		err = &inputError{fmt.Errorf("reading: %w", err)}
	}
	return n, err
}

// interruptible makes reads of a pipe or terminal end when the context does; the
// read itself cannot be called back, and is left to the end of the program.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	return &waiting{ctx: ctx, r: r, wants: make(chan int), done: make(chan result)}
}

type waiting struct {
	ctx     context.Context
	r       io.Reader
	wants   chan int
	done    chan result
	started bool
	buf     []byte
}

type result struct {
	n   int
	err error
}

func (w *waiting) Read(p []byte) (int, error) {
	if !w.started {
		w.started = true
		w.buf = make([]byte, 64<<10)
		go func() {
			for n := range w.wants {
				n, err := w.r.Read(w.buf[:n])
				select {
				case w.done <- result{n, err}:
				case <-w.ctx.Done():
					return
				}
			}
		}()
	}
	select {
	case w.wants <- min(len(p), len(w.buf)):
	case <-w.ctx.Done():
		return 0, w.ctx.Err()
	}
	select {
	case got := <-w.done:
		return copy(p, w.buf[:got.n]), got.err
	case <-w.ctx.Done():
		return 0, w.ctx.Err()
	}
}
