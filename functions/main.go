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
	"fhirdeid/internal/settings"
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
	log := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: s.LogLevel.Level}))
	app := &handlers.App{Installation: once(s, log), Limit: s.InvocationLimit, Log: log}
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
	log.Info("interrupted; answering what is open")
	grace, cancel := context.WithTimeout(context.Background(), s.InvocationLimit)
	defer cancel()
	return server.Shutdown(grace)
}

// once makes the installation on the first call that succeeds.
func once(s *settings.Settings, log *slog.Logger) func(context.Context) (*handlers.Installation, error) {
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
			log.Error("the host is gone; leaving")
			os.Exit(exitCode)
		}
	}
}
