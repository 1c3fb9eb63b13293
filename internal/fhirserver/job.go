package fhirserver

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// job is one export.
type job struct {
	s       *Server
	id      string
	level   string
	request string
	types   []string
	since   time.Time
	at      time.Time

	ready chan struct{} // closed when the outputs are spooled
	err   error
	out   []output

	mu         sync.Mutex
	polls      int
	cancelled  bool
	restarted  bool
	generation int
	reads      int // files read since the newest manifest
	broken     map[int]bool
}

type output struct {
	typ   string
	path  string
	count int
}

// run spools the outputs.
func (j *job) run() {
	defer close(j.ready)
	for _, typ := range j.types {
		if j.err = j.spool(typ); j.err != nil {
			return
		}
	}
}

func (j *job) spool(typ string) error {
	var w *bufio.Writer
	var f *os.File
	var size int64
	finish := func() error {
		if f == nil {
			return nil
		}
		index := len(j.out) - 1
		if j.s.o.Faults.BadLine == index {
			fmt.Fprintln(w, `{"resourceType":"`+typ+`","id":`)
			j.out[index].count++
		}
		if err := w.Flush(); err != nil {
			return err
		}
		err := f.Close()
		f = nil
		return err
	}
	for line, err := range j.s.o.Source.Lines(typ, j.level) {
		if err != nil {
			return err
		}
		if !j.since.IsZero() && !changedSince(line, j.since) {
			continue
		}
		if f == nil || j.out[len(j.out)-1].count >= j.s.o.PerFile || size+int64(len(line)) > j.s.o.FileBytes {
			if err := finish(); err != nil {
				return err
			}
			path := filepath.Join(j.s.dir, fmt.Sprintf("%s-%d.ndjson", j.id, len(j.out)))
			if f, err = os.Create(path); err != nil {
				return err
			}
			w, size = bufio.NewWriterSize(f, 1<<16), 0
			j.out = append(j.out, output{typ: typ, path: path})
			if j.s.o.Faults.Duplicates == len(j.out)-1 {
				j.write(w, line, &size)
			}
		}
		j.write(w, line, &size)
	}
	return finish()
}

func (j *job) write(w *bufio.Writer, line []byte, size *int64) {
	_, _ = w.Write(line) // bufio keeps the error for Flush
	_ = w.WriteByte('\n')
	*size += int64(len(line)) + 1
	j.out[len(j.out)-1].count++
}

// changedSince looks at meta.lastUpdated.
func changedSince(line []byte, since time.Time) bool {
	const key = `"lastUpdated":"`
	i := bytes.Index(line, []byte(key))
	if i < 0 {
		return true
	}
	rest := line[i+len(key):]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return true
	}
	at, err := time.Parse(time.RFC3339Nano, string(rest[:end]))
	return err != nil || !at.Before(since)
}

func (j *job) cancel() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cancelled = true
}

// answer tells how the job goes.
func (j *job) answer(w http.ResponseWriter) {
	j.mu.Lock()
	defer j.mu.Unlock()
	faults := &j.s.o.Faults
	if j.cancelled && !faults.CancelledIs200 {
		outcome(w, http.StatusNotFound, "not-found")
		return
	}
	j.polls++
	if n := faults.RestartAfterPolls; n > 0 && j.polls > n && !j.restarted {
		j.restarted, j.polls = true, 0
	}
	spooled := false
	select {
	case <-j.ready:
		spooled = true
	default:
	}
	if !spooled || j.polls <= j.s.o.Polls {
		if j.s.o.Profile == "standard" {
			w.Header().Set("Retry-After", "1")
			w.Header().Set("X-Progress", fmt.Sprintf("poll %d", j.polls))
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if faults.Fatal || j.err != nil {
		outcome(w, http.StatusInternalServerError, "processing")
		return
	}
	if faults.ExpireAfter > 0 {
		j.generation++
		j.reads = 0
	}
	answer(w, http.StatusOK, j.manifest())
}

type entry struct {
	Type  string `json:"type"`
	URL   string `json:"url"`
	Count *int   `json:"count,omitempty"`
}

func (j *job) manifest() map[string]any {
	faults := &j.s.o.Faults
	entries := []entry{}
	for i, o := range j.out {
		count := o.count
		if faults.WrongCount == i {
			count++
		}
		e := entry{o.typ, j.link(j.generation, i), &count}
		if i == 0 && faults.Forged != "" {
			e.URL = faults.Forged
		}
		entries = append(entries, e)
		if j.cancelled {
			break // a part
		}
	}
	m := map[string]any{
		"transactionTime": j.at.Add(-faults.Old).UTC().Format("2006-01-02T15:04:05.000Z"), "request": j.request,
		"requiresAccessToken": j.s.o.Auth.Needed() && j.s.o.Profile == "standard", "output": entries, "error": []entry{},
	}
	if len(faults.Errors) > 0 {
		m["error"] = []entry{{Type: "OperationOutcome", URL: j.link(j.generation, len(j.out))}}
	}
	if j.s.o.Profile == "azure" {
		m["issues"] = []any{}
	} else {
		m["deleted"] = []entry{}
	}
	return m
}

// file serves an output.
func (s *Server) file(w http.ResponseWriter, r *http.Request, id, generation string, index int) {
	s.mu.Lock()
	j := s.jobs[id]
	n := s.files
	s.files++
	s.mu.Unlock()
	if s.fault(w, s.o.Faults.File, n) {
		return
	}
	if j == nil {
		outcome(w, http.StatusNotFound, "not-found")
		return
	}
	<-j.ready
	if !j.mayRead(generation) {
		outcome(w, http.StatusForbidden, "expired")
		return
	}
	if index == len(j.out) && len(s.o.Faults.Errors) > 0 {
		w.Header().Set("Content-Type", "application/fhir+ndjson")
		for _, severity := range s.o.Faults.Errors {
			fmt.Fprintf(w, `{"resourceType":"OperationOutcome","issue":[{"severity":%q,"code":"processing","diagnostics":"Jane Doe"}]}`+"\n", severity)
		}
		return
	}
	if index >= len(j.out) {
		outcome(w, http.StatusNotFound, "not-found")
		return
	}
	j.serve(w, r, index)
}

func (j *job) mayRead(generation string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.s.o.Faults.ExpireAfter == 0 {
		return true
	}
	j.reads++
	return generation == strconv.Itoa(j.generation) && j.reads <= j.s.o.Faults.ExpireAfter
}
