package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/share"
)

func TestShareWindow(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		lifetime, start, expires string
		wantStart, wantExpiry    string // "" start is at once
		fault                    string
	}{
		{"1d", "", "", "", "2026-11-23T08:00:00Z", ""},
		{"7d", "", "", "", "2026-11-29T08:00:00Z", ""},
		{"90m", "", "", "", "2026-11-22T09:30:00Z", ""},
		{"2d", "2026-11-23", "", "2026-11-23T00:00:00Z", "2026-11-25T00:00:00Z", ""},
		{"1d", "", "2026-11-24T12:00:00Z", "", "2026-11-24T12:00:00Z", ""},
		{"a week", "", "", "", "", "7d"},
		{"0d", "", "", "", "", "7d"},
		{"-1h", "", "", "", "", "7d"},
		{"1d", "tomorrow", "", "", "", "--from is"},
		{"1d", "", "tomorrow", "", "", "--expires is"},
	} {
		var q share.Request
		err := window(&q, tt.lifetime, tt.start, tt.expires, now)
		if tt.fault != "" {
			if err == nil || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%+v gives %v", tt, err)
			}
			continue
		}
		start := ""
		if !q.Start.IsZero() {
			start = q.Start.Format(time.RFC3339)
		}
		if err != nil || start != tt.wantStart || q.Expiry.Format(time.RFC3339) != tt.wantExpiry {
			t.Errorf("%+v gives %s to %s, %v", tt, start, q.Expiry, err)
		}
	}
}

func TestSharePrinted(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	s := &ledger.Share{ID: "id-1", Run: "20261122T010000Z", By: "ada", Start: now, Expiry: now.Add(time.Hour), From: "203.0.113.0", To: "203.0.113.63"}
	var out bytes.Buffer
	printLink(&out, &share.Link{Share: s, URL: "https://lake.blob.core.windows.net/research/20261122T010000Z?sig=x"})
	for _, want := range []string{
		"by https and from 203.0.113.0-203.0.113.63, from 2026-11-22T08:00:00Z until 2026-11-22T09:00:00Z",
		"\n\nhttps://lake.blob.core.windows.net/research/20261122T010000Z?sig=x\n",
		"research/20261122T010000Z/manifest.json?sig=x", "id-1",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("printed is\n%s\nwithout %q", out.String(), want)
		}
	}
	out.Reset()
	if err := printShares(&out, []*ledger.Share{s}, now, false); err != nil || !strings.Contains(out.String(), "live") {
		t.Errorf("listed is %s, %v", out.String(), err)
	}
	out.Reset()
	if err := printShares(&out, []*ledger.Share{s}, now.Add(2*time.Hour), true); err != nil || !strings.Contains(out.String(), `"state": "expired"`) {
		t.Errorf("listed is %s, %v", out.String(), err)
	}
}

func TestTryLink(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/research/run/manifest.json" || r.URL.RawQuery != "sig=secret" {
			t.Errorf("asked was %s", r.URL)
		}
		w.Header().Set("x-ms-error-code", "AuthorizationPermissionMismatch")
		w.WriteHeader(status)
	}))
	link := server.URL + "/research/run?sig=secret"
	for _, tt := range []struct {
		status int
		says   string // "" is nothing
	}{{200, ""}, {403, "403 AuthorizationPermissionMismatch"}, {0, "cannot be reached"}} {
		if status = tt.status; status == 0 {
			server.Close()
		}
		var out bytes.Buffer
		tryLink(t.Context(), &out, server.Client(), link)
		if (out.Len() > 0) != (tt.says != "") || !strings.Contains(out.String(), tt.says) || strings.Contains(out.String(), "secret") {
			t.Errorf("%d: it says %q", tt.status, out.String())
		}
	}
}
