package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/klauspost/pgzip"
)

// compression is how a file is packed.
type compression string

const (
	uncompressed compression = ""
	byGzip       compression = "gzip"
	byZstd       compression = "zstd"
)

// compressionOf is the compression that a file's name tells.
func compressionOf(path string) compression {
	switch filepath.Ext(path) {
	case ".gz":
		return byGzip
	case ".zst":
		return byZstd
	}
	return uncompressed
}

// plainName is a file's name without its folder, and without .gz or .zst.
func plainName(path string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, map[compression]string{byGzip: ".gz", byZstd: ".zst"}[compressionOf(name)])
}

// isNDJSON and isJSON tell by the name what a file is.
func isNDJSON(path string) bool { return filepath.Ext(plainName(path)) == ".ndjson" }
func isJSON(path string) bool   { return filepath.Ext(plainName(path)) == ".json" }

// inputError is a fault of one input, which costs no other.
type inputError struct{ err error }

func (e *inputError) Error() string { return e.err.Error() }
func (e *inputError) Unwrap() error { return e.err }

// openInput opens a file and undoes its compression.
func openInput(path string) (io.ReadCloser, error) { return openTimed(path, new(times)) }

// openTimed is openInput with a clock on the file and on the decompressor.
func openTimed(path string, t *times) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &inputError{fmt.Errorf("opening the input: %w", err)}
	}
	r, stop, err := unpack(f, t)
	if err != nil {
		f.Close()
		return nil, &inputError{fmt.Errorf("%s: %w", path, err)}
	}
	return &joined{r, func() error { stop(); return f.Close() }}, nil
}

type joined struct {
	io.Reader
	close func() error
}

func (j *joined) Close() error { return j.close() }

// maxWindow is how much of a zstd stream may have to be kept: what `zstd --long`
// makes. Without a limit a file could ask for any amount of memory.
const maxWindow = 128 << 20

// unpack undoes the compression that the first bytes tell; JSON never begins as
// a compressed stream does.
func unpack(src io.Reader, t *times) (r io.Reader, stop func(), err error) {
	in := bufio.NewReaderSize(&timedReader{src, &t.read, &t.stored}, 256<<10)
	head, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, fmt.Errorf("reading: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, nil, errors.New("it begins like a gzip file and is none")
		}
		return &timedReader{z, &t.unpack, nil}, func() {}, nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, errors.New("it begins like a zstd file and is none")
		}
		return &timedReader{z, &t.unpack, nil}, z.Close, nil
	}
	return in, func() {}, nil
}

// pack compresses what is written; close it to end the stream. Blocks are of one
// size, so that the bytes do not depend on the number of workers.
func pack(dst io.Writer, how compression, jobs int, t *times) (io.WriteCloser, error) {
	out := &timedWriter{nopCloser{dst}, &t.write}
	var z io.WriteCloser
	var err error
	switch how {
	case byGzip:
		g, failed := pgzip.NewWriterLevel(out, gzip.BestSpeed)
		if failed == nil {
			failed = g.SetConcurrency(512<<10, compressors(jobs))
		}
		z, err = g, failed
	case byZstd:
		z, err = zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	default:
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("starting the compressor: %w", err)
	}
	return &timedWriter{z, &t.pack}, nil
}

// compressors is how many blocks are compressed at once beside so many workers: a
// core compresses about twice what a worker makes.
func compressors(jobs int) int { return min(jobs, max(2, (jobs+1)/2)) }

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// output is a file on its way: it is written beside its place, and moved there
// when it is whole. A device or pipe is written as it is.
type output struct {
	io.WriteCloser
	file *os.File
	path string
	temp string // "" for a device
}

func createOutput(path string, jobs int, t *times) (*output, error) {
	o := &output{path: path}
	var err error
	if info, failed := os.Stat(path); failed == nil && !info.Mode().IsRegular() && !info.IsDir() {
		o.file, err = os.OpenFile(path, os.O_WRONLY, 0)
	} else {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, fmt.Errorf("making the output folder: %w", err)
		}
		o.temp = filepath.Join(filepath.Dir(path), ".fhirdeid-"+rand.Text()+".tmp")
		o.file, err = os.OpenFile(o.temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	}
	if err != nil {
		return nil, fmt.Errorf("creating the output: %w", err)
	}
	if o.WriteCloser, err = pack(o.file, compressionOf(path), jobs, t); err != nil {
		o.abort()
		return nil, err
	}
	return o, nil
}

// commit ends the file and puts it in its place.
func (o *output) commit() error {
	err := o.WriteCloser.Close()
	if err == nil && o.temp != "" {
		err = o.file.Sync() // else a power cut could leave a result that -s trusts
	}
	err = errors.Join(err, o.file.Close())
	if err == nil && o.temp != "" {
		err = os.Rename(o.temp, o.path)
	}
	if err != nil {
		o.remove()
		return fmt.Errorf("writing %s: %w", o.path, err)
	}
	return nil
}

// abort leaves nothing of the file.
func (o *output) abort() {
	if o.WriteCloser != nil {
		o.WriteCloser.Close() // ends the compressor's goroutines
	}
	o.file.Close()
	o.remove()
}

func (o *output) remove() {
	if o.temp != "" {
		os.Remove(o.temp)
	}
}

// workers is the number of jobs that 0 stands for.
func workers(jobs int) int {
	if jobs <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return jobs
}
