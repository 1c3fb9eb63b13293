package fhirserver

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// serve sends an output: whole, compressed, or from an offset on.
func (j *job) serve(w http.ResponseWriter, r *http.Request, index int) {
	f, err := os.Open(j.out[index].path)
	if err != nil {
		outcome(w, http.StatusNotFound, "not-found")
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		outcome(w, http.StatusInternalServerError, "exception")
		return
	}
	w.Header().Set("Content-Type", "application/fhir+ndjson")
	w.Header().Set("ETag", fmt.Sprintf(`"%s-%d-%d"`, j.id, index, j.version(index)))
	if j.cuts(index) {
		w.Header().Set("Content-Length", fmt.Sprint(info.Size()))
		_, _ = io.CopyN(w, f, info.Size()/2)
		panic(http.ErrAbortHandler) // closes the connection
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && r.Header.Get("Range") == "" && j.s.o.Faults.CutFile != index {
		w.Header().Set("Content-Encoding", "gzip")
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is one there is
		_, _ = io.Copy(z, f)                           // the client is gone when this fails
		_ = z.Close()
		return
	}
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// cuts reports whether this answer is to break off.
func (j *job) cuts(index int) bool {
	if j.s.o.Faults.CutFile != index {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken == nil {
		j.broken = make(map[int]bool)
	}
	if j.broken[index] && !j.s.o.Faults.CutAlways {
		return false
	}
	j.broken[index] = true
	return true
}

// version changes when an output is another after it has broken off.
func (j *job) version(index int) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.s.o.Faults.ChangedFile && j.broken[index] {
		return 2
	}
	return 1
}
