package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"fhirdeid/anonymize/policy"
	"fhirdeid/infra/package/staging"
	"fhirdeid/internal/azurite"
	"fhirdeid/internal/fhirserver"
	"fhirdeid/internal/installation"
	"fhirdeid/internal/storage"
	"fhirdeid/internal/synth"
)

// system is everything that runs: storage, FHIR server, host.
type system struct {
	o       options
	root    string // of the project
	state   string // the local state folder, .local
	out     io.Writer
	logFile *os.File

	azurite *azurite.Server
	account *storage.Account
	fhir    *fhirserver.Server
	fhirURL string
	env     map[string]string
	host    host
	stops   []func()
}

// errNoFunc says how to get the real host.
var errNoFunc = errors.New("func is not on the PATH. Azure Functions Core Tools 4: https://learn.microsoft.com/azure/azure-functions/functions-run-local, or use --host standin")

// host is a Functions host.
type host interface {
	// fire fires the timer by hand.
	fire(ctx context.Context) error
	// ended is closed when the host has ended, err says why.
	ended() <-chan struct{}
	err() error
	stop()
}

// say prints a line of what is being done.
func (s *system) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// start brings everything up, in order.
func (s *system) start(ctx context.Context) error {
	if _, err := exec.LookPath("go"); err != nil {
		return errors.New("go is not on the PATH. It is needed to build the function app: https://go.dev/dl")
	}
	// What is missing is told before anything is built.
	if err := azurite.Look(); err != nil {
		return err
	}
	if s.o.host == "func" {
		if _, err := exec.LookPath("func"); err != nil {
			return errNoFunc
		}
	}
	if !s.isProfile() {
		if _, err := os.Stat(s.o.policy); err != nil {
			return fmt.Errorf("looking for the policy: %w; built in are: %s", err, strings.Join(policy.BuiltinNames(), ", "))
		}
	}
	if err := os.MkdirAll(filepath.Join(s.state, "logs"), 0o755); err != nil {
		return fmt.Errorf("making the local state folder: %w", err)
	}
	var err error
	if s.logFile, err = os.Create(filepath.Join(s.state, "logs", "host.log")); err != nil {
		return fmt.Errorf("making the log file: %w", err)
	}
	s.stops = append(s.stops, func() { s.logFile.Close() })
	s.say("Building the function app …")
	app := filepath.Join(s.state, "app")
	if err := staging.Stage(ctx, s.root, app, staging.Local); err != nil {
		return err
	}
	s.say("Starting Azurite (installing it the first time) …")
	if s.azurite, err = azurite.Start(ctx, azurite.Options{Dir: s.o.disk, Log: s.logFile}); err != nil {
		return err
	}
	s.stops = append(s.stops, s.azurite.Stop)
	if err := s.startFHIR(); err != nil {
		return err
	}
	if s.env, err = s.settings(); err != nil {
		return err
	}
	if err := s.writeSettings(); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.startHost(ctx, app)
}

// stop ends everything, the newest first.
func (s *system) stop() {
	for i := len(s.stops) - 1; i >= 0; i-- {
		s.stops[i]()
	}
	s.stops = nil
}

// startFHIR starts the FHIR server, unless the user has one.
func (s *system) startFHIR() error {
	if s.o.fhirURL != "" {
		s.fhirURL = s.o.fhirURL
		s.say("Using the FHIR server at %s", s.fhirURL)
		return nil
	}
	var source fhirserver.Source = fhirserver.Generated{Hospital: synth.New(synth.Config{Seed: s.o.seed, Patients: s.o.patients})}
	what := fmt.Sprintf("%d generated patients", s.o.patients)
	if s.o.data != "" {
		folder, err := fhirserver.OpenFolder(s.o.data)
		if err != nil {
			return err
		}
		source, what = folder, "the files of "+s.o.data
	}
	var err error
	s.fhir, err = fhirserver.New(fhirserver.Options{Source: source, Profile: s.o.profile, FHIRVersion: s.o.fhirVersion, Faults: s.o.faults, Polls: 2, PerFile: 1 << 30, FileBytes: 1 << 40})
	if err != nil {
		return err
	}
	s.stops = append(s.stops, func() { _ = s.fhir.Close() })
	if s.fhirURL, err = s.fhir.Start(); err != nil {
		return err
	}
	s.say("The FHIR server has %s: %s", what, s.fhirURL)
	return nil
}

// isProfile reports whether the policy is a built-in profile.
func (s *system) isProfile() bool { return slices.Contains(policy.BuiltinNames(), s.o.policy) }

// prepare makes containers and queues, and puts the policy where it is read.
func (s *system) prepare(ctx context.Context) error {
	account, err := storage.OpenAccount(storage.Connection{Name: "Azurite", ConnectionString: s.azurite.ConnectionString()})
	if err != nil {
		return err
	}
	s.account = account
	err = errors.Join(
		account.EnsureContainers(ctx, installation.RawContainers...),
		account.EnsureContainers(ctx, installation.LakeContainers...),
		account.EnsureQueues(ctx, installation.CheckQueue, installation.FetchQueue, installation.RetryQueue),
	)
	if err != nil || s.isProfile() {
		return err
	}
	data, err := os.ReadFile(s.o.policy)
	if err != nil {
		return fmt.Errorf("reading the policy: %w", err)
	}
	_, err = account.Container("policy").Put(ctx, filepath.Base(s.o.policy), data, storage.PutOptions{ContentType: "application/json"})
	return err
}

// startHost starts the Functions host: the real one where it is to be had.
func (s *system) startHost(ctx context.Context, app string) error {
	kind := s.o.host
	path, err := exec.LookPath("func")
	if kind == "func" && err != nil {
		return errNoFunc
	}
	if kind == "auto" {
		kind = "standin"
		if err == nil {
			kind = "func"
		}
	}
	if kind == "func" {
		s.say("Starting the Functions host: %s", path)
		s.host, err = startFunc(ctx, path, app, s.env, s.logFile)
	} else {
		s.say("Starting the stand-in for the Functions host")
		s.host, err = startStandIn(ctx, app, s.env, s.o.hostFaults, s.logFile)
	}
	if err != nil {
		return err
	}
	s.stops = append(s.stops, s.host.stop)
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// environ is this process's environment with the settings over it.
func environ(env map[string]string) []string {
	list := make([]string, 0, len(env)+16)
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if _, ours := env[name]; !ours {
			list = append(list, kv)
		}
	}
	for k, v := range env {
		list = append(list, k+"="+v)
	}
	return list
}
