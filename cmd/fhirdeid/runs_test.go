package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// recorded is a ledger with one run of each kind, the newest under way.
func recorded(t *testing.T) *ledger.Ledger {
	t.Helper()
	l := ledger.New(storage.NewMemory(time.Now).Container("ledger"))
	at := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
	scope := &ledger.Scope{Scope: "abc", Level: "system", LastReleased: "20261120T010000Z"}
	for _, b := range []ledger.Brief{
		{Run: "20261119T010000Z", State: ledger.Failed, Why: "deadline"},
		{Run: "20261120T010000Z", State: ledger.Released},
		{Run: "20261121T010000Z", State: ledger.Held, Why: "quarantine"},
		{Run: "20261122T010000Z", State: ledger.Exporting},
		{Run: "20261122T020000Z", State: ledger.Cancelled, Why: "skipped"},
	} {
		b.At = at
		scope.Remember(b)
		if b.Why == "skipped" {
			continue
		}
		r := &ledger.Run{ID: b.Run, Scope: scope.Scope, CreatedAt: at, Server: "https://fhir.example.org"}
		r.Enter(b.State, at.Add(time.Hour))
		if b.Why != "" {
			r.Reasons = []ledger.Reason{{Code: b.Why, Text: "A person has to look."}}
		}
		r.Note(at, "poll-failed", "The server did not answer.")
		if err := l.CreateRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SwapScope(t.Context(), scope, ""); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestRunsList(t *testing.T) {
	l := recorded(t)
	var out bytes.Buffer
	if err := listRuns(t.Context(), &out, l, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if !strings.HasPrefix(lines[1], "20261122T020000Z") || !strings.Contains(out.String(), "newest release") || strings.Contains(out.String(), "\x1b") {
		t.Errorf("listed is\n%s", out.String())
	}
	out.Reset()
	if err := listRuns(t.Context(), &out, l, true); err != nil {
		t.Fatal(err)
	}
	var list []map[string]any
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || len(list) != 5 || list[2]["run"] != "20261121T010000Z" || list[2]["state"] != "held" || list[3]["newestRelease"] != true {
		t.Errorf("listed is %v, %v", list, err)
	}
	out.Reset()
	empty := ledger.New(storage.NewMemory(time.Now).Container("ledger"))
	if err := listRuns(t.Context(), &out, empty, true); err != nil || out.String() != "[]\n" {
		t.Errorf("no runs are listed as %q, %v", out.String(), err)
	}
}

// TestRunsShow: what is printed, and the exit code by the run's state.
func TestRunsShow(t *testing.T) {
	l := recorded(t)
	for id, want := range map[string]struct {
		code int
		says string
	}{
		"20261119T010000Z": {exitFailed, "deadline: A person has to look."},
		"20261120T010000Z": {exitOK, "fhirdeid share 20261120T010000Z"},
		"20261121T010000Z": {exitHeld, "quarantine: A person has to look."},
		"20261122T010000Z": {exitUnder, "poll-failed: The server did not answer."},
	} {
		var out bytes.Buffer
		err := showRun(t.Context(), &out, l, id, showOptions{})
		code := exitOK
		var coded *codeError
		if errors.As(err, &coded) {
			code = coded.code
		} else if err != nil {
			t.Fatal(err)
		}
		if code != want.code || !strings.Contains(out.String(), want.says) {
			t.Errorf("%s exits with %d and says\n%s", id, code, out.String())
		}
	}
	if err := showRun(t.Context(), new(bytes.Buffer), l, "20991122T010000Z", showOptions{}); err == nil || !strings.Contains(err.Error(), "fhirdeid runs list") {
		t.Errorf("an unknown run gives %v", err)
	}
	if id, err := runArgument(t.Context(), l, nil); err != nil || id != "20261122T010000Z" {
		t.Errorf("the newest run is %s, %v", id, err)
	}
}

// TestRunsWatch follows a run to its end.
func TestRunsWatch(t *testing.T) {
	l := recorded(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, asJSON := range []bool{false, true} {
		const id = "20261122T010000Z"
		set := func(state ledger.State) {
			if _, err := l.UpdateRun(ctx, id, func(r *ledger.Run) (bool, error) { r.Enter(state, time.Now()); return true, nil }); err != nil {
				t.Error(err)
			}
		}
		set(ledger.Fetching)
		// The end comes once the state before it has been shown.
		out := &triggered{on: "fetching", do: func() { set(ledger.Released) }}
		if err := showRun(ctx, out, l, id, showOptions{watch: true, json: asJSON, every: time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		if !out.done || !strings.Contains(strings.ToLower(out.String()), "released") {
			t.Errorf("shown is\n%s", out.String())
		}
	}
}

// triggered does something when a word is first written.
type triggered struct {
	bytes.Buffer
	on   string
	do   func()
	done bool
}

func (w *triggered) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if !w.done && strings.Contains(w.String(), w.on) {
		w.done = true
		w.do()
	}
	return n, err
}
