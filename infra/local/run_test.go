package main

import (
	"testing"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// TestFollowsTheNewRun: storage that is kept has runs of earlier nights, and
// they are not taken for tonight's.
func TestFollowsTheNewRun(t *testing.T) {
	l := ledger.New(storage.NewMemory(time.Now).Container("ledger"))
	ctx := t.Context()
	remember := func(scope, active string, b ledger.Brief) {
		t.Helper()
		err := l.UpdateScope(ctx, scope, func(s *ledger.Scope) bool {
			s.Active = active
			s.Remember(b)
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	remember("a", "", ledger.Brief{Run: "first", State: ledger.Released})
	remember("b", "second", ledger.Brief{Run: "second", State: ledger.Fetching})
	old, err := oldRuns(ctx, l)
	if err != nil {
		t.Fatal(err)
	}
	want := func(want string) {
		t.Helper()
		if id, err := newRun(ctx, l, old); err != nil || id != want {
			t.Errorf("the new run is %q, %v; want %q", id, err, want)
		}
	}
	want("")
	remember("b", "second", ledger.Brief{Run: "aside", State: ledger.Cancelled, Why: "skipped"})
	want("second")
	remember("a", "third", ledger.Brief{Run: "third", State: ledger.Exporting})
	want("third")
}
