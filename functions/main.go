// Command functions is the handler program of the function app. The Functions
// host starts it, tells it a port, and posts invocations to it; see package
// handlers for what is answered.
//
// It listens before it does anything slow, never exits with 0 (the host would
// not start it again), leaves when the host is gone, and on an interrupt first
// answers what is open.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"fhirdeid/handlers"
	"fhirdeid/internal/installation"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/settings"
	"fhirdeid/internal/telemetry"
)

// exitCode is what the program always ends with: 0 would leave the host without
// a handler for good.
const exitCode = 1

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "fhirdeid:", err)
	}
	os.Exit(exitCode)
}

func run() error {
	port := os.Getenv("FUNCTIONS_CUSTOMHANDLER_PORT")
	if port == "" {
		return errors.New("this program is started by the Azure Functions host, which tells it a port in FUNCTIONS_CUSTOMHANDLER_PORT; to try it, run `go run ./infra/local`")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return fmt.Errorf("listening for the host: %w", err)
	}
	s, err := settings.Read() // the environment only: no I/O
	if err != nil {
		return err
	}
	// The host takes lines on stdout for information, on stderr for errors.
	log := telemetry.NewLogger(os.Stdout, s.LogLevel.Level, pipeline.Events())
	var recorder *telemetry.Recorder
	if telemetry.Configured(os.LookupEnv) {
		lost := func() { log.Warn(pipeline.EventTelemetryLost) }
		if recorder, err = telemetry.OTLP(context.Background(), installation.Version(), lost); err != nil {
			return err
		}
	}
	app := &handlers.App{Installation: once(s, log, recorder), Limit: s.InvocationLimit, Log: log, Telemetry: recorder}
	server := &http.Server{Handler: app.Handler(), ReadHeaderTimeout: time.Minute}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go leaveWithParent(log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	log.Info(pipeline.EventInterrupted)
	grace, cancel := context.WithTimeout(context.Background(), s.InvocationLimit)
	defer cancel()
	err = server.Shutdown(grace)
	last, cancelLast := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancelLast()
	return errors.Join(err, recorder.Close(last))
}

// once makes the installation on the first call that succeeds.
func once(s *settings.Settings, log *slog.Logger, recorder *telemetry.Recorder) func(context.Context) (*handlers.Installation, error) {
	var mu sync.Mutex
	var made *handlers.Installation
	return func(ctx context.Context) (*handlers.Installation, error) {
		mu.Lock()
		defer mu.Unlock()
		if made != nil {
			return made, nil
		}
		in, err := installation.Open(ctx, s, log, installation.Version())
		if err != nil {
			return nil, err
		}
		if err := in.PrepareLocal(ctx); err != nil {
			return nil, err
		}
		in.Pipeline.Telemetry = recorder
		made = &handlers.Installation{Pipeline: in.Pipeline, RawContainer: in.RawContainer}
		return made, nil
	}
}

// leaveWithParent ends the program when the host is gone: killed, it leaves its
// handler behind, which would hold the port and work unseen.
func leaveWithParent(log *slog.Logger) {
	parent := os.Getppid()
	for range time.Tick(time.Second) {
		if os.Getppid() != parent {
			log.Error(pipeline.EventHostGone)
			os.Exit(exitCode)
		}
	}
}
