package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// openInput opens a file, and undoes the compression that its name tells.
func openInput(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the input: %w", err)
	}
	switch {
	case strings.HasSuffix(path, ".gz"):
		z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<20))
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("%s is no gzip file", path)
		}
		return &joined{z, func() error { return errors.Join(z.Close(), f.Close()) }}, nil
	case strings.HasSuffix(path, ".zst"):
		z, err := zstd.NewReader(f)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("%s is no zstd file", path)
		}
		return &joined{z, func() error { z.Close(); return f.Close() }}, nil
	}
	return f, nil
}

type joined struct {
	io.Reader
	close func() error
}

func (j *joined) Close() error { return j.close() }

// output is a file on its way: it is written beside its place, and moved there
// when it is whole.
type output struct {
	io.Writer
	compressor io.Closer // nil where there is none
	file       *os.File
	path       string
}

func createOutput(path string) (*output, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("making the output folder: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".fhirdeid-*")
	if err != nil {
		return nil, fmt.Errorf("creating the output: %w", err)
	}
	o := &output{Writer: f, file: f, path: path}
	switch {
	case strings.HasSuffix(path, ".gz"):
		z := gzip.NewWriter(f)
		o.Writer, o.compressor = z, z
	case strings.HasSuffix(path, ".zst"):
		z, err := zstd.NewWriter(f)
		if err != nil {
			o.abort()
			return nil, fmt.Errorf("creating the output: %w", err)
		}
		o.Writer, o.compressor = z, z
	}
	return o, nil
}

func (o *output) commit() error {
	var err error
	if o.compressor != nil {
		err = o.compressor.Close()
	}
	err = errors.Join(err, o.file.Chmod(0o644), o.file.Close())
	if err == nil {
		err = os.Rename(o.file.Name(), o.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", o.path, err), os.Remove(o.file.Name()))
	}
	return nil
}

func (o *output) abort() {
	o.file.Close()
	os.Remove(o.file.Name())
}

// quarantine takes the lines that could not be processed. Without a file they
// are counted only.
type quarantine struct {
	path string
	w    *bufio.Writer
	f    *os.File
}

func (q *quarantine) add(_ int64, line []byte, err error) error {
	fmt.Fprintln(os.Stderr, "left out:", err)
	if q.path == "" {
		return nil
	}
	if q.f == nil {
		f, err := os.OpenFile(q.path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("creating the quarantine: %w", err)
		}
		q.f, q.w = f, bufio.NewWriter(f)
	}
	_, err = q.w.Write(append(line[:len(line):len(line)], '\n'))
	return err
}

func (q *quarantine) close() error {
	if q.f == nil {
		return nil
	}
	return errors.Join(q.w.Flush(), q.f.Close())
}
