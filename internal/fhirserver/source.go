package fhirserver

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fhirdeid/internal/synth"
)

// Source is where resources come from. It is read anew for each export.
type Source interface {
	Types() []string
	// Lines goes through the resources of a type. level is "system", "patient"
	// or "group"; a line is valid until the next.
	Lines(typ, level string) iter.Seq2[[]byte, error]
}

// Generated is a hospital of made-up patients.
type Generated struct{ *synth.Hospital }

// Lines goes through the hospital's resources.
func (g Generated) Lines(typ, level string) iter.Seq2[[]byte, error] {
	var member func(int) bool
	switch level {
	case "patient":
		member = func(int) bool { return true }
	case "group":
		member = synth.InGroup
	}
	return func(yield func([]byte, error) bool) {
		for line := range g.Resources(typ, member) {
			if !yield(line, nil) {
				return
			}
		}
	}
}

// Folder is a folder of NDJSON files, plain or compressed by gzip, whose names
// begin with the resource type: Patient.ndjson, Observation.0001.ndjson.gz.
type Folder struct {
	files map[string][]string
}

// OpenFolder looks what is in a folder.
func OpenFolder(dir string) (*Folder, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for NDJSON files: %w", err)
	}
	f := &Folder{files: make(map[string][]string)}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || !strings.HasSuffix(strings.TrimSuffix(name, ".gz"), ".ndjson") {
			continue
		}
		end := strings.IndexFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
		if end > 0 {
			f.files[name[:end]] = append(f.files[name[:end]], filepath.Join(dir, name))
		}
	}
	if len(f.files) == 0 {
		return nil, fmt.Errorf("there are no files like Patient.ndjson or Patient.ndjson.gz in %s", dir)
	}
	return f, nil
}

// Types are the types that the file names begin with.
func (f *Folder) Types() []string {
	types := make([]string, 0, len(f.files))
	for t := range f.files {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}

// maxLine bounds a line of a file.
const maxLine = 256 << 20

// Lines goes through the files of a type. Every level has all of them.
func (f *Folder) Lines(typ, _ string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, name := range f.files[typ] {
			if !linesOf(name, yield) {
				return
			}
		}
	}
}

func linesOf(name string, yield func([]byte, error) bool) bool {
	file, err := os.Open(name)
	if err != nil {
		return yield(nil, err)
	}
	defer file.Close()
	r := io.Reader(file)
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(file)
		if err != nil {
			return yield(nil, fmt.Errorf("reading %s: %w", filepath.Base(name), err))
		}
		r = z
	}
	lines := bufio.NewReaderSize(r, 1<<20)
	var long []byte
	for {
		part, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) && len(long) < maxLine {
			long = append(long, part...)
			continue
		}
		line := part
		if len(long) > 0 {
			line = append(long, part...)
			long = nil
		}
		if line = bytes.TrimSpace(line); len(line) > 0 && !yield(line, nil) {
			return false
		}
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			return yield(nil, fmt.Errorf("reading %s: %w", filepath.Base(name), err))
		}
	}
}
