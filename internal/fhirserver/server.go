package fhirserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"fhirdeid/internal/synth"
)

// Options belong to a server.
type Options struct {
	Source Source
	// Profile is "standard" or "azure".
	Profile string
	// FHIRVersion is STU3, R4, R4B or R5, of what the source holds; "" is R4.
	FHIRVersion string
	Auth        Auth
	Faults      Faults
	// PerFile is how many resources one output has at most; 0 is 10,000. FileBytes
	// bounds its size; 0 is 64 MiB.
	PerFile   int
	FileBytes int64
	// Polls is how often a job says that it is under way before it is done.
	Polls int
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Dir is where outputs are spooled; "" is a temporary folder.
	Dir string
}

// Server exports. It is an http.Handler.
type Server struct {
	o     Options
	dir   string
	own   bool // the folder is ours to delete
	base  string
	mu    sync.Mutex
	jobs  map[string]*job
	count int
	// requests answered so far, by kind
	kickoffs, polls, files int
	tokens                 tokens
	served                 *http.Server
}

// New makes a server. Its base URL is known once Start has been called, or is
// taken from each request.
func New(o Options) (*Server, error) {
	if o.Source == nil {
		o.Source = Generated{synth.New(synth.Config{Seed: 1, Patients: 10})}
	}
	if o.Profile == "" {
		o.Profile = "standard"
	}
	if o.Profile != "standard" && o.Profile != "azure" {
		return nil, fmt.Errorf("there is no server profile %q; it is standard or azure", o.Profile)
	}
	if o.PerFile <= 0 {
		o.PerFile = 10000
	}
	if o.FileBytes <= 0 {
		o.FileBytes = 64 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{o: o, dir: o.Dir, jobs: make(map[string]*job)}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "fhirserver-")
		if err != nil {
			return nil, fmt.Errorf("making a folder for exports: %w", err)
		}
		s.dir, s.own = dir, true
	}
	return s, nil
}

// Start listens on a free port of the loopback address and returns the FHIR base
// URL.
func (s *Server) Start() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("starting the FHIR server: %w", err)
	}
	s.base = "http://" + l.Addr().String() + "/fhir"
	s.served = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.served.Serve(l) }() // it ends with Close
	return s.base, nil
}

// Close ends the server and deletes what it has spooled.
func (s *Server) Close() error {
	var err error
	if s.served != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err = s.served.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
			err = s.served.Close()
		}
	}
	if s.own {
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// Kickoffs is how many exports were asked for.
func (s *Server) Kickoffs() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kickoffs
}

// ServeHTTP routes.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.o.Faults.Slow > 0 {
		select {
		case <-time.After(s.o.Faults.Slow):
		case <-r.Context().Done():
			return
		}
	}
	if s.base == "" {
		s.mu.Lock()
		s.base = "http://" + r.Host + "/fhir"
		s.mu.Unlock()
	}
	path := strings.Trim(strings.TrimPrefix(r.URL.Path, "/fhir"), "/")
	parts := strings.Split(path, "/")
	switch {
	case path == "metadata":
		answer(w, http.StatusOK, map[string]any{"resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "fhirVersion": published(s.o.FHIRVersion), "format": []string{"json"},
			"rest": []map[string]any{{"mode": "server", "operation": []map[string]string{{"name": "export", "definition": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"}}}}})
	case path == ".well-known/smart-configuration":
		answer(w, http.StatusOK, map[string]any{"token_endpoint": s.base + "/token", "grant_types_supported": []string{"client_credentials"},
			"token_endpoint_auth_signing_alg_values_supported": []string{"RS384", "ES384"}, "scopes_supported": []string{"system/*.rs"}})
	case path == "token" && r.Method == http.MethodPost:
		s.token(w, r)
	case !s.authorised(w, r, parts[0] == "file"):
	case path == "$export":
		s.kickOff(w, r, "system", "")
	case path == "Patient/$export":
		s.kickOff(w, r, "patient", "")
	case len(parts) == 3 && parts[0] == "Group" && parts[2] == "$export":
		s.kickOff(w, r, "group", parts[1])
	case len(parts) == 2 && parts[0] == "Group":
		s.group(w, parts[1])
	case len(parts) == 2 && parts[0] == "status":
		s.status(w, r, parts[1])
	case len(parts) == 4 && parts[0] == "file":
		index, err := strconv.Atoi(parts[3])
		if err != nil {
			outcome(w, http.StatusNotFound, "not-found")
			return
		}
		s.file(w, r, parts[1], parts[2], index)
	default:
		outcome(w, http.StatusNotFound, "not-found")
	}
}

func (s *Server) group(w http.ResponseWriter, id string) {
	if id != synth.GroupID {
		outcome(w, http.StatusNotFound, "not-found")
		return
	}
	n := 0
	if g, ok := s.o.Source.(Generated); ok {
		n = (g.Patients() + 2) / 3
	}
	answer(w, http.StatusOK, map[string]any{"resourceType": "Group", "id": id, "type": "person", "actual": true, "quantity": n})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/fhir+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone when this fails
}

func outcome(w http.ResponseWriter, status int, code string) {
	severity := "error"
	if status == http.StatusInternalServerError {
		severity = "fatal"
	}
	answer(w, status, map[string]any{"resourceType": "OperationOutcome", "issue": []map[string]string{
		{"severity": severity, "code": code, "diagnostics": "Patient Jane Doe, MRN00000000, could not be exported"}}}) // servers say such things
}

// fault answers with the next status of a list of faults, if there is one.
func (s *Server) fault(w http.ResponseWriter, statuses []int, n int) bool {
	if n >= len(statuses) || statuses[n] == 0 {
		return false
	}
	if s.o.Faults.RetryAfter != "" {
		w.Header().Set("Retry-After", s.o.Faults.RetryAfter)
	}
	if s.o.Faults.Outcome != "" {
		outcome(w, statuses[n], s.o.Faults.Outcome)
		return true
	}
	w.WriteHeader(statuses[n])
	_, _ = io.WriteString(w, "<html>no FHIR here</html>")
	return true
}

// published is the number under which HL7 published a version of FHIR
// (https://hl7.org/fhir/directory.html).
func published(version string) string {
	switch version {
	case "STU3":
		return "3.0.2"
	case "R4B":
		return "4.3.0"
	case "R5":
		return "5.0.0"
	}
	return "4.0.1"
}
