package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/installation"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/settings"
	"fhirdeid/internal/synth"
)

// TestSmoke runs the smoke test of an installation against the whole system: by
// an event, by a message, and with a host that sends content where a reference is
// due, which it has to notice.
func TestSmoke(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Azurite, and builds the function app")
	}
	o, err := parse([]string{"--patients", "2", "--host", "standin"})
	if err != nil {
		t.Fatal(err)
	}
	o.state = t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	s := &system{o: o, state: o.state, out: io.Discard}
	if s.root, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	if err := s.start(ctx); err != nil {
		t.Fatal(err)
	}
	for name, value := range s.env {
		t.Setenv(name, value)
	}
	config, err := settings.Read()
	if err != nil {
		t.Fatal(err)
	}
	in, err := installation.Open(ctx, config, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	var lines []byte
	for line := range synth.New(synth.Config{Seed: 1, Patients: 5}).Resources("Patient", nil) {
		lines = append(append(lines, line...), '\n')
	}
	smoke := func(events bool, wait time.Duration) error {
		counts, err := in.Pipeline.RunSmoke(ctx, pipeline.Smoke{Lines: lines, Events: events, Wait: wait, Pause: soon})
		if err == nil && counts.Written != 5 {
			t.Errorf("%d of 5 patients were written", counts.Written)
		}
		return err
	}
	if err := smoke(true, time.Minute); err != nil {
		t.Errorf("by an event: %v", err)
	}
	if err := smoke(false, time.Minute); err != nil {
		t.Errorf("by a message: %v", err)
	}

	// A host that reads the blob itself and sends what is in it.
	s.host.stop()
	app := filepath.Join(s.state, "app")
	file := filepath.Join(app, "AnonymizeFile", "function.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"supportsDeferredBinding": true`, `"supportsDeferredBinding": false`, 1)
	if changed == string(text) {
		t.Fatal("the binding of the blob function is written in another way")
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.startHost(ctx, app); err != nil {
		t.Fatal(err)
	}
	if err := smoke(true, 15*time.Second); !errors.Is(err, pipeline.ErrNoResult) {
		t.Errorf("with content in the event: %v", err)
	}
	for _, c := range []string{"raw", "staging", "quarantine"} {
		for info := range s.account.Container(c).List(ctx, "") {
			t.Errorf("%s/%s is left", c, info.Name)
		}
	}
	log, err := os.ReadFile(filepath.Join(s.state, "logs", "host.log"))
	if err != nil || !strings.Contains(string(log), "content instead of a reference") {
		t.Errorf("the log does not say why: %v", err)
	}
}

// soon is a pause that is shorter than it should be: nothing is far away here.
func soon(ctx context.Context, _ time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(100 * time.Millisecond):
		return nil
	}
}
