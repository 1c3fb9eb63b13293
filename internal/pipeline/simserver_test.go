package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"fhirdeid/internal/bulkdata"
)

// simServer is a FHIR server with one export, and its whims.
type simServer struct {
	w       *world
	outputs []simOutput
	errors  []byte // an error file, or nil

	kicks    int
	jobs     map[string]*simJob
	duration time.Duration
	// expireEvery is how long links live; 0 means for ever.
	expireEvery time.Duration
	// refuse is a fault that the kick-off always meets, or nil.
	refuse *bulkdata.Error
	// fatal ends the job with a fatal outcome.
	fatal bool
	// old hands back a job of yesterday.
	old bool
	// forged is the index of an output that points elsewhere, or -1.
	forged int
}

type simOutput struct {
	typ   string
	data  []byte
	count int64 // as the manifest says
}

type simJob struct {
	ready   time.Time
	deleted bool
	issued  time.Time // of the newest links
	links   int
}

// simExporter is the server as one task sees it.
type simExporter struct {
	t *task
	s *simServer
}

func (x *simExporter) KickOff(ctx context.Context, _ bulkdata.Request) (a bulkdata.Accepted, err error) {
	err = x.t.call("server: kick-off", func() error {
		s := x.s
		s.kicks++
		s.w.checkKickoff()
		if s.refuse != nil {
			return s.refuse
		}
		url := fmt.Sprintf("https://fhir.example/status/%d", len(s.jobs))
		s.jobs[url] = &simJob{ready: s.w.now.Add(s.duration)}
		a = bulkdata.Accepted{StatusURL: url, ServerTime: s.w.now}
		return nil
	})
	if errors.Is(err, errFault) {
		err = &bulkdata.Error{Op: "kick-off", Kind: bulkdata.Transient, Status: http.StatusServiceUnavailable}
	}
	return a, err
}

func (x *simExporter) Status(ctx context.Context, url string) (st bulkdata.Status, err error) {
	err = x.t.call("server: status", func() error {
		s := x.s
		job := s.jobs[url]
		if job == nil || job.deleted {
			return &bulkdata.Error{Op: "status", Kind: bulkdata.Gone, Status: http.StatusNotFound}
		}
		if s.w.now.Before(job.ready) {
			st = bulkdata.Status{ServerTime: s.w.now}
			return nil
		}
		if s.fatal {
			return &bulkdata.Error{Op: "status", Kind: bulkdata.Invalid, Status: http.StatusInternalServerError, Outcome: []byte(`{"resourceType":"OperationOutcome"}`)}
		}
		job.issued = s.w.now
		job.links++
		st = bulkdata.Status{Done: true, ServerTime: s.w.now, Manifest: s.manifest(job)}
		return nil
	})
	if errors.Is(err, errFault) {
		err = &bulkdata.Error{Op: "status", Kind: bulkdata.Transient, Status: http.StatusServiceUnavailable}
	}
	return st, err
}

func (s *simServer) manifest(job *simJob) *bulkdata.Manifest {
	m := &bulkdata.Manifest{TransactionTime: job.ready.Add(-s.duration)}
	if s.old {
		m.TransactionTime = m.TransactionTime.Add(-24 * time.Hour)
	}
	for i, o := range s.outputs {
		url := fmt.Sprintf("https://fhir.example/file/%d/%d", i, job.links)
		if i == s.forged {
			url = "https://elsewhere.example/steal"
		}
		count := o.count
		m.Output = append(m.Output, bulkdata.Output{Type: o.typ, URL: url, Count: &count})
	}
	if s.errors != nil {
		m.Error = append(m.Error, bulkdata.Output{Type: "OperationOutcome", URL: fmt.Sprintf("https://fhir.example/error/0/%d", job.links)})
	}
	return m
}

func (x *simExporter) Open(ctx context.Context, f bulkdata.File) (body io.ReadCloser, err error) {
	err = x.t.call("server: open "+f.URL, func() error {
		s := x.s
		if !strings.HasPrefix(f.URL, "https://fhir.example/") {
			return &bulkdata.Error{Op: "open", Kind: bulkdata.Refused}
		}
		var kind string
		var index, links int
		if _, err := fmt.Sscanf(strings.ReplaceAll(strings.TrimPrefix(f.URL, "https://fhir.example/"), "/", " "), "%s %d %d", &kind, &index, &links); err != nil {
			return err
		}
		if s.expireEvery > 0 {
			fresh := false
			for _, job := range s.jobs {
				fresh = fresh || job.links == links && s.w.now.Sub(job.issued) < s.expireEvery
			}
			if !fresh {
				return &bulkdata.Error{Op: "open", Kind: bulkdata.Gone, Status: http.StatusForbidden}
			}
		}
		data := s.errors
		if kind == "file" {
			data = s.outputs[index].data
		}
		r := io.Reader(bytes.NewReader(data))
		if s.w.chance(s.w.faults.before) {
			r = io.MultiReader(bytes.NewReader(data[:s.w.rng.IntN(len(data)+1)]), brokenReader{})
		}
		body = io.NopCloser(r)
		return nil
	})
	if errors.Is(err, errFault) {
		err = &bulkdata.Error{Op: "open", Kind: bulkdata.Transient, Status: http.StatusServiceUnavailable}
	}
	return body, err
}

func (x *simExporter) Cancel(ctx context.Context, url string) error {
	return x.t.call("server: cancel", func() error {
		if job := x.s.jobs[url]; job != nil {
			job.deleted = true
		}
		return nil
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, bulkdata.ErrChanged }

// checkKickoff: every request was recorded before it was sent.
func (w *world) checkKickoff() {
	recorded := 0
	for _, r := range w.runs() {
		recorded += r.Kickoff.Attempts
	}
	if w.server.kicks > recorded {
		w.breaks("%d kick-offs were sent but %d recorded", w.server.kicks, recorded)
	}
}
