package seed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/bulkdata"
)

// server is a FHIR server with whims.
type server struct {
	has          map[string]string
	requests     int
	busy         int  // how many requests it has no time for
	most         int  // entries of a transaction
	transactions bool // whether it takes them
	denied       bool
	total        string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests++
	body, _ := io.ReadAll(r.Body)
	switch {
	case s.denied:
		w.WriteHeader(http.StatusForbidden)
	case r.Method == http.MethodGet:
		_, _ = io.WriteString(w, s.total)
	case s.busy > 0:
		s.busy--
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	case r.Method == http.MethodPut:
		s.has[strings.TrimPrefix(r.URL.Path, "/fhir/")] = string(body)
		w.WriteHeader(http.StatusCreated)
	case !s.transactions:
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		var b struct {
			Type  string
			Entry []entry
		}
		if err := json.Unmarshal(body, &b); err != nil || b.Type != "transaction" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if len(b.Entry) > s.most {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		for _, e := range b.Entry {
			if e.Request.Method != http.MethodPut {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			s.has[e.Request.URL] = string(e.Resource)
		}
		_, _ = io.WriteString(w, `{"resourceType":"Bundle"}`)
	}
}

func patients(n int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var line []byte
		for i := range n {
			line = fmt.Appendf(line[:0], `{"resourceType":"Patient","id":"p%d"}`, i)
			if !yield(line, nil) {
				return
			}
		}
	}
}

func start(t *testing.T, s *server) *Loader {
	t.Helper()
	s.has = make(map[string]string)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return &Loader{Base: h.URL + "/fhir", Size: 10, Wait: func(context.Context, time.Duration) error { return nil }}
}

func TestLoad(t *testing.T) {
	for name, s := range map[string]*server{
		"transactions":    {transactions: true, most: 100},
		"smaller ones":    {transactions: true, most: 3},
		"one by one":      {},
		"a busy server":   {transactions: true, most: 100, busy: 3},
		"busy one by one": {busy: 5},
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t, s)
			var last int64
			n, err := l.Load(t.Context(), patients(25), func(n int64) { last = n })
			if err != nil || n != 25 || last != 25 || len(s.has) != 25 || s.has["Patient/p24"] != `{"resourceType":"Patient","id":"p24"}` {
				t.Errorf("%d, %d of %d are loaded: %v", n, last, len(s.has), err)
			}
			if s.transactions && s.most > 10 && s.requests > 3+3 {
				t.Errorf("it took %d requests", s.requests)
			}
		})
	}
}

func TestWaitsAsAsked(t *testing.T) {
	s := &server{transactions: true, most: 100, busy: 1}
	l := start(t, s)
	var waited time.Duration
	l.Wait = func(_ context.Context, d time.Duration) error { waited = d; return nil }
	if _, err := l.Load(t.Context(), patients(3), func(int64) {}); err != nil || waited != 7*time.Second {
		t.Errorf("it waited %s, %v", waited, err)
	}
	s.busy = 100
	if _, err := l.Load(t.Context(), patients(3), func(int64) {}); err == nil || !strings.Contains(err.Error(), "429") {
		t.Errorf("a server that is always busy gives %v", err)
	}
}

func TestRefused(t *testing.T) {
	l := start(t, &server{denied: true})
	l.Auth = bulkdata.Bearer("x")
	if _, err := l.Load(t.Context(), patients(3), nil); err == nil || !strings.Contains(err.Error(), "--scope") {
		t.Errorf("without the right: %v", err)
	}
	l.Azure = true
	if _, _, err := l.Patients(t.Context()); err == nil || !strings.Contains(err.Error(), "FHIR Data Contributor") {
		t.Errorf("without the role: %v", err)
	}
	bad := func(yield func([]byte, error) bool) { yield([]byte(`{"resourceType":"Patient"}`), nil) }
	if _, err := l.Load(t.Context(), bad, nil); err == nil || !strings.Contains(err.Error(), "number 1") {
		t.Errorf("a resource without id: %v", err)
	}
	l.Base = "http://127.0.0.1:1"
	if _, _, err := l.Patients(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("a server that is not there: %v", err)
	}
}

func TestPatients(t *testing.T) {
	s := &server{total: `{"resourceType":"Bundle","total":12}`}
	l := start(t, s)
	if n, known, err := l.Patients(t.Context()); n != 12 || !known || err != nil {
		t.Errorf("%d, %v, %v", n, known, err)
	}
	s.total = `{"resourceType":"Bundle"}`
	if _, known, err := l.Patients(t.Context()); known || err != nil {
		t.Errorf("%v, %v", known, err)
	}
}
