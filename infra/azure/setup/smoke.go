package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sort"
	"strings"
	"time"

	open "fhirdeid/internal/installation"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/settings"
	"fhirdeid/internal/storage"
	"fhirdeid/internal/synth"
)

// smokePatients is how many patients the smoke test sends, smokeWait how long it
// waits: a first event wakes the app, and a first call makes its engine.
const (
	smokePatients = 10
	smokeWait     = 10 * time.Minute
)

// smoke sends a few generated patients through the installation: raw → event →
// function → staging.
func (s *setup) smoke(ctx context.Context, in installation) error {
	names, err := s.appSettings(ctx, in)
	if err != nil {
		return err
	}
	for name, value := range names {
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("taking over the settings of the app: %w", err)
		}
	}
	config, err := settings.Read()
	if err != nil {
		return fmt.Errorf("the app cannot start with its settings: %w", err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	opened, err := open.Open(ctx, config, log, open.Version())
	if err != nil {
		return err
	}
	var lines []byte
	for line := range synth.New(synth.Config{Seed: 1, Patients: smokePatients}).Resources("Patient", nil) {
		lines = append(append(lines, line...), '\n')
	}
	var counts ledger.Counts
	err = s.untilRolesHold(ctx, func() error {
		counts, err = opened.Pipeline.RunSmoke(ctx, pipeline.Smoke{Lines: lines, Events: in["TOPIC_NAME"] != "", Wait: smokeWait, Pause: s.pause})
		return err
	})
	switch {
	case errors.Is(err, pipeline.ErrNoResult):
		return fmt.Errorf("no result came of a file in raw within %s. If the log says that the host sends content, the binding of the blob function is wrong; "+
			"if it says nothing, no event came: see the delivery metrics of %s, and the log: az webapp log tail --resource-group %s --name %s", smokeWait, in["TOPIC_NAME"], s.group, in["APP_NAME"])
	case err != nil:
		return fmt.Errorf("the smoke test: %w", err)
	}
	how := "the blob event brought a reference, and no content"
	if in["TOPIC_NAME"] == "" {
		how = "a message brought a reference, and no content"
	}
	s.say("%d generated patients came from raw to staging: %d written, %d dropped by the policy; %s. All of it is removed again.", counts.Lines, counts.Written, counts.Dropped, how)
	s.say("To start the first run: eval \"$(go run ./infra/azure/setup env -g %s)\" && fhirdeid runs start", s.group)
	return nil
}

// untilRolesHold tries again while storage refuses: a role that was just given takes
// minutes until all of Azure knows it.
func (s *setup) untilRolesHold(ctx context.Context, try func() error) error {
	for n := 1; ; n++ {
		err := try()
		if !refused(err) || n == roleTries {
			return err
		}
		if n == 1 {
			s.say("Waiting for your roles on the storage accounts to be known everywhere …")
		}
		if err := s.pause(ctx, rolePause); err != nil {
			return err
		}
	}
}

// refused reports whether storage did not let this identity in, and nothing else is
// wrong.
func refused(err error) bool {
	var preflight *pipeline.PreflightError
	if !errors.As(err, &preflight) {
		return errors.Is(err, storage.ErrDenied)
	}
	for _, r := range preflight.Reasons {
		if r.Code != "container-unwritable" {
			return false
		}
	}
	return true
}

// appSettings are the settings of the app that a person needs to see what it sees,
// under their own login: without its identity, and without what is the host's own.
func (s *setup) appSettings(ctx context.Context, in installation) (map[string]string, error) {
	var all []struct{ Name, Value string }
	if err := s.query(ctx, &all, "functionapp", "config", "appsettings", "list", "--resource-group", s.group, "--name", in["APP_NAME"]); err != nil {
		return nil, err
	}
	known := make(map[string]bool)
	for _, t := range settings.Table() {
		known[t.Name] = true
		known[t.Name+"__blobServiceUri"], known[t.Name+"__queueServiceUri"] = true, true
	}
	known["AZURE_CLIENT_ID"] = false
	mine := make(map[string]string)
	for _, a := range all {
		if known[a.Name] {
			mine[a.Name] = a.Value
		}
	}
	return mine, nil
}

// env prints the settings as commands of a shell.
func (s *setup) env(ctx context.Context, in installation, shell string) error {
	mine, err := s.appSettings(ctx, in)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(mine))
	for name := range mine {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		switch shell {
		case "sh":
			s.say("export %s='%s'", name, strings.ReplaceAll(mine[name], "'", `'\''`))
		case "pwsh":
			s.say("$env:%s = '%s'", name, strings.ReplaceAll(mine[name], "'", "''"))
		default:
			return fmt.Errorf("there is no shell %q here; it is sh or pwsh", shell)
		}
	}
	return nil
}
