package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// configured is a server whose configuration is in some state.
type configured struct {
	Exporter
	etag storage.ETag
	err  error
}

func (c configured) AnonymizationConfig(context.Context, string) (storage.ETag, error) {
	return c.etag, c.err
}

func TestServerPolicyIsLookedAt(t *testing.T) {
	for name, tt := range map[string]struct {
		server configured
		code   string // "" is none
	}{
		"as pinned":       {configured{etag: `"0x8D1"`}, ""},
		"changed":         {configured{etag: `"0x8D2"`}, "server-policy-changed"},
		"missing":         {configured{err: storage.ErrNotFound}, "server-policy-missing"},
		"not to be seen":  {configured{err: storage.ErrDenied}, ""},
		"no such account": {configured{err: errors.ErrUnsupported}, ""},
	} {
		p := &Pipeline{Exporter: tt.server}
		run := &ledger.Run{Request: bulkdata.Request{AnonymizationConfig: "deid.json", AnonymizationConfigETag: "0x8D1"}}
		err := p.preflightServerPolicy(t.Context(), run)
		var l *lastingError
		switch {
		case tt.code == "" && err != nil, tt.code != "" && !errors.As(err, &l):
			t.Errorf("%s: %v", name, err)
		case tt.code != "" && (l.code != tt.code || !strings.Contains(l.text, "fhirdeid policy push")):
			t.Errorf("%s: %s, %s", name, l.code, l.text)
		}
	}
	open := &ledger.Run{Request: bulkdata.Request{AnonymizationConfig: "deid.json"}}
	p := &Pipeline{Exporter: configured{etag: `"0x8D1"`}}
	if err := p.preflightServerPolicy(t.Context(), open); err != nil || open.Request.AnonymizationConfigETag != "0x8D1" {
		t.Errorf("a run without a pinned configuration asks for %+v, %v", open.Request, err)
	}
	p = &Pipeline{Exporter: configured{err: errors.New("a hiccup")}}
	if err := p.preflightServerPolicy(t.Context(), &ledger.Run{}); err != nil {
		t.Errorf("a run that does not need it looks: %v", err)
	}
}

// TestServerPolicyIsInTheManifest: a release says by what the server had
// de-identified it.
func TestServerPolicyIsInTheManifest(t *testing.T) {
	w := calm(t, patients(1))
	w.plan.Request.AnonymizationConfig, w.plan.Request.AnonymizationConfigETag = "deid.json", "0x8D1"
	r := w.oneNightOf(t)
	wantState(t, r, ledger.Released, "")
	var m ReleaseManifest
	if err := json.Unmarshal(contents(t, w, "research")[r.ID+"/manifest.json"], &m); err != nil {
		t.Fatal(err)
	}
	if m.Extension.ServerPolicy == nil || *m.Extension.ServerPolicy != (ServerPolicy{"deid.json", "0x8D1"}) {
		t.Errorf("the manifest says %+v", m.Extension)
	}
}

// TestVerifyOnly: what the server has de-identified is left as it came, and a line
// that breaks the claim is kept back.
func TestVerifyOnly(t *testing.T) {
	for _, tt := range []struct {
		line string
		hard bool
	}{
		{`{"resourceType":"Patient","id":"0123456789abcdef0123456789abcdef","gender":"female","birthDate":"1957"}`, false},
		{`{"resourceType":"Patient","id":"0123456789abcdef0123456789abcdef","name":[{"family":"Doe"}]}`, true},
		{`{"resourceType":"Patient","id":"0123456789abcdef0123456789abcdef","birthDate":"1957-03-16"}`, true},
	} {
		p := &Pipeline{Engines: new(Engines), Plan: Plan{FHIRVersion: "R4"}}
		run := &ledger.Run{AsOf: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
		p.Plan.Policy = "verify-safe-harbor"
		if err := p.preflightPolicy(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		if run.Policy.Claim != "safe-harbor" || len(run.Keys) > 0 {
			t.Fatalf("the run's policy is %+v with the keys %v", run.Policy, run.Keys)
		}
		made, err := p.engine(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		w := &watch{checker: made.checker, alone: made.alone}
		err = w.verify(1, []byte(tt.line), []byte(tt.line))
		if (err != nil) != tt.hard {
			t.Errorf("%s: %v", tt.line, err)
		}
	}
	if _, ok := verifyOnly("verify-everything"); ok {
		t.Error("there is no such claim")
	}
}
