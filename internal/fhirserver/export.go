package fhirserver

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"fhirdeid/internal/synth"
)

// parameters that each profile knows; Azure refuses all others.
var (
	azureParameters    = []string{"_outputFormat", "_since", "_till", "_type", "_typeFilter", "_container", "_format", "_maxCount", "_isParallel", "includeAssociatedData", "_anonymizationConfig", "_anonymizationConfigEtag", "_anonymizationConfigCollectionReference"}
	standardParameters = []string{"_outputFormat", "_since", "_until", "_type", "_typeFilter", "_elements", "includeAssociatedData", "organizeOutputBy", "allowPartialManifests"}
)

func (s *Server) kickOff(w http.ResponseWriter, r *http.Request, level, group string) {
	s.mu.Lock()
	n := s.kickoffs
	s.kickoffs++
	s.mu.Unlock()
	if s.fault(w, s.o.Faults.KickOff, n) {
		return
	}
	if why := s.refuses(r); why != "" {
		outcome(w, http.StatusBadRequest, why)
		return
	}
	if level == "group" && group != synth.GroupID {
		outcome(w, http.StatusNotFound, "not-found")
		return
	}
	q := r.URL.Query()
	j := &job{s: s, level: level, request: s.base + strings.TrimPrefix(r.URL.Path, "/fhir"), at: s.o.Now(), ready: make(chan struct{})}
	if types := q.Get("_type"); types != "" {
		j.types = strings.Split(types, ",")
	} else {
		j.types = s.o.Source.Types()
	}
	if since := q.Get("_since"); since != "" {
		at, err := time.Parse(time.RFC3339Nano, since)
		if err != nil {
			outcome(w, http.StatusBadRequest, "value")
			return
		}
		j.since = at
	}
	s.mu.Lock()
	s.count++
	j.id = fmt.Sprintf("job-%d", s.count)
	s.jobs[j.id] = j
	s.mu.Unlock()
	go j.run()
	w.Header().Set("Content-Location", s.base+"/status/"+j.id)
	w.WriteHeader(http.StatusAccepted)
}

// refuses says with which issue code a kick-off is refused, or "".
func (s *Server) refuses(r *http.Request) string {
	known := standardParameters
	if s.o.Profile == "azure" {
		known = azureParameters
		if r.Method != http.MethodGet || r.Header.Get("Accept") != "application/fhir+json" {
			return "not-supported"
		}
	}
	if r.Method != http.MethodGet || !strings.Contains(r.Header.Get("Prefer"), "respond-async") {
		return "invalid"
	}
	q := r.URL.Query()
	for key := range q {
		if !slices.Contains(known, key) {
			return "invalid"
		}
	}
	if f := q.Get("_outputFormat"); f != "" && !slices.Contains([]string{"application/fhir+ndjson", "application/ndjson", "ndjson"}, f) {
		return "not-supported"
	}
	if s.o.Profile == "azure" && q.Has("_typeFilter") && !q.Has("_type") {
		return "invalid"
	}
	for _, filter := range q["_typeFilter"] {
		if _, _, ok := strings.Cut(filter, "?"); !ok {
			return "value"
		}
	}
	return ""
}

func (s *Server) status(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	j := s.jobs[id]
	n := s.polls
	s.polls++
	s.mu.Unlock()
	if r.Method != http.MethodDelete && s.fault(w, s.o.Faults.Poll, n) {
		return
	}
	if j == nil {
		outcome(w, http.StatusNotFound, "not-found")
		return
	}
	if r.Method == http.MethodDelete {
		j.cancel()
		w.WriteHeader(http.StatusAccepted)
		return
	}
	j.answer(w)
}

// link is the URL of an output; generation changes when links expire.
func (j *job) link(generation, index int) string {
	return fmt.Sprintf("%s/file/%s/%d/%d", j.s.base, url.PathEscape(j.id), generation, index)
}
