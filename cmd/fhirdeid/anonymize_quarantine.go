package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"fhirdeid/anonymize"
)

// quarantine takes the lines that could not be processed as they came, and beside
// them a file that says of each line why. Both are readable for the user only.
// Without a file lines are counted only.
type quarantine struct {
	mu     sync.Mutex
	path   string
	append bool // a run that goes on keeps what the one before it has found
	lines  *logFile
	errors *logFile
	start  [2]int64 // their sizes when they were opened
}

// rejection is a line of the errors file: the same line number of the quarantine
// file has what it is about. It has no value of the data.
type rejection struct {
	File    string            `json:"file"`
	Line    int64             `json:"line"`
	Reason  string            `json:"reason"`
	Path    string            `json:"path,omitempty"`
	Message string            `json:"message"`
	Issues  []anonymize.Issue `json:"issues,omitempty"`
}

// errorsPath is the file beside the quarantine: bad.ndjson has bad.errors.ndjson.
func errorsPath(path string) string {
	ext := filepath.Ext(path)
	return strings.TrimSuffix(path, ext) + ".errors.ndjson"
}

// add notes a line. What comes of JSON files may have line ends inside; they are
// carriage returns here, which JSON takes as well.
func (q *quarantine) add(file string, number int64, line []byte, err error) error {
	if q.path == "" {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lines == nil {
		if err := q.open(); err != nil {
			return err
		}
	}
	r := rejection{File: file, Line: number, Reason: anonymize.LineReason(err), Message: err.Error()}
	var l *anonymize.LineError
	var f *findingError
	var v *anonymize.InvalidError
	switch {
	case errors.As(err, &l):
		r.Path = l.Path
	case errors.As(err, &f):
		r.Path = f.Path
	case errors.As(err, &v):
		r.Path, r.Issues = v.Issues[0].Path, v.Issues
	}
	about, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("describing a line: %w", err)
	}
	return errors.Join(q.lines.line(line), q.errors.line(about))
}

func (q *quarantine) open() (err error) {
	if q.lines, err = openLog(q.path, q.append); err == nil {
		q.errors, err = openLog(errorsPath(q.path), q.append)
	}
	if err != nil {
		return fmt.Errorf("creating the quarantine: %w", err)
	}
	q.start = [2]int64{q.lines.size, q.errors.size}
	return nil
}

// flush brings to the disk what there is, before the file it is of is finished.
func (q *quarantine) flush() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lines == nil {
		return nil
	}
	return errors.Join(q.lines.w.Flush(), q.errors.w.Flush())
}

// mark is where the quarantine stands; rewind takes back what came after it, when
// a file was not finished: it will come again.
func (q *quarantine) mark() (m [2]int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lines != nil {
		m = [2]int64{q.lines.size, q.errors.size}
	}
	return m
}

func (q *quarantine) rewind(m [2]int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lines == nil {
		return nil
	}
	return errors.Join(q.lines.cut(max(m[0], q.start[0])), q.errors.cut(max(m[1], q.start[1])))
}

func (q *quarantine) close() error {
	if q.lines == nil {
		return nil
	}
	err := q.lines.close()
	if q.errors != nil {
		err = errors.Join(err, q.errors.close())
	}
	if err != nil {
		return fmt.Errorf("writing the quarantine: %w", err)
	}
	return nil
}

// logFile is a file of lines that knows its size and can be cut back.
type logFile struct {
	f    *os.File
	w    *bufio.Writer
	size int64
}

func openLog(path string, more bool) (*logFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	l := &logFile{f: f, w: bufio.NewWriter(f)}
	err = f.Chmod(0o600) // it may have been there
	if err == nil && !more {
		err = f.Truncate(0)
	}
	if err == nil {
		l.size, err = f.Seek(0, io.SeekEnd)
	}
	return l, err
}

func (l *logFile) line(b []byte) error {
	l.size += int64(len(b)) + 1
	_, err := l.w.Write(b)
	return errors.Join(err, l.w.WriteByte('\n'))
}

func (l *logFile) cut(size int64) error {
	err := errors.Join(l.w.Flush(), l.f.Truncate(size))
	if err == nil {
		l.size, err = l.f.Seek(size, io.SeekStart)
	}
	return err
}

func (l *logFile) close() error { return errors.Join(l.w.Flush(), l.f.Close()) }
