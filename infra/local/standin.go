package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"fhirdeid/internal/funchost"
)

// standIn is the stand-in host in this process.
type standIn struct {
	h      *funchost.Host
	cancel context.CancelFunc
	done   chan struct{}
	why    error
}

func startStandIn(ctx context.Context, app string, env map[string]string, faults funchost.Faults, log io.Writer) (host, error) {
	ready, stopWaiting := context.WithTimeout(ctx, time.Minute)
	defer stopWaiting()
	first := firstWords{giveUp: stopWaiting}
	h, err := funchost.New(funchost.Options{
		AppRoot: app, Settings: env, Log: slog.New(slog.NewTextHandler(log, nil)), Faults: faults, OnEvent: first.hear,
		RestartLimit: -1, Timing: funchost.Timing{BlobScan: 300 * time.Millisecond},
	})
	if err != nil {
		return nil, fmt.Errorf("starting the stand-in for the Functions host: %w", err)
	}
	// Its end is asked for by stop, not by Ctrl-C: what is open is finished first.
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &standIn{h: h, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.why = h.Run(runCtx)
	}()
	if err := h.WaitReady(ready); err != nil {
		s.stop()
		if words := first.said(); words != "" {
			return nil, errors.New("the function app cannot start:\n" + words)
		}
		return nil, fmt.Errorf("starting the function app: %w; see the log in .local/logs", errors.Join(err, s.why))
	}
	return s, nil
}

func (s *standIn) fire(context.Context) error { return s.h.Fire("StartExport", "") }
func (s *standIn) ended() <-chan struct{}     { return s.done }
func (s *standIn) err() error                 { return s.why }
func (s *standIn) stop()                      { s.cancel(); <-s.done }

// firstWords is what the handler says before it is ready: a handler that ends at
// once, over a wrong setting, has said why.
type firstWords struct {
	giveUp func()

	mu    sync.Mutex
	ready bool
	ended bool
	lines []string
}

func (f *firstWords) hear(e funchost.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.ready || f.ended:
	case e.Kind == funchost.HandlerReady:
		f.ready = true
	case e.Kind == funchost.Console && e.Stderr:
		f.lines = append(f.lines, e.Line)
	case e.Kind == funchost.HandlerExited:
		f.ended = true
		f.giveUp()
	}
}

// said is what was said by a handler that ended, or "".
func (f *firstWords) said() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		return ""
	}
	return strings.Join(f.lines, "\n")
}
