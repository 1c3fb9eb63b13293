package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"fhirdeid/infra/package/staging"
	"fhirdeid/internal/ledger"
)

// run does what the command is for and returns its exit code.
func run(ctx context.Context, o options, out io.Writer) (int, error) {
	root, err := staging.Root()
	if err != nil {
		return exitFault, err
	}
	s := &system{o: o, root: root, state: o.state, out: out}
	if s.state == "" {
		s.state = filepath.Join(root, ".local")
	}
	defer s.stop()
	if err := s.start(ctx); err != nil {
		return exitFault, interrupted(ctx, err)
	}
	s.say("Firing the timer")
	if err := s.host.fire(ctx); err != nil {
		return exitFault, err
	}
	r, err := s.follow(ctx)
	if err != nil {
		return exitFault, interrupted(ctx, err)
	}
	if err := s.bring(ctx, r); err != nil {
		return exitFault, err
	}
	if o.keep {
		s.say("\nStaying up; the timer fires at 01:00 UTC each night. Ctrl-C ends it.")
		select {
		case <-ctx.Done():
		case <-s.host.ended():
			return exitFault, fmt.Errorf("the Functions host has ended: %w", s.host.err())
		}
	}
	if r.State != ledger.Released {
		return exitOther, nil
	}
	return exitReleased, nil
}

// interrupted says so instead of what Ctrl-C broke.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted; everything that was started has been ended")
	}
	return err
}

// follow shows how the run goes until it is over.
func (s *system) follow(ctx context.Context) (*ledger.Run, error) {
	l := ledger.New(s.account.Container("ledger"))
	v := newView(s.out)
	began := time.Now()
	for {
		r, err := newestRun(ctx, l)
		if err != nil {
			return nil, err
		}
		switch {
		case r != nil:
			v.show(r)
			if r.State.Over() {
				v.end()
				return r, nil
			}
		case time.Since(began) > startPatience:
			return nil, fmt.Errorf("the timer has fired, but no run was begun; see %s", filepath.Join(s.state, "logs", "host.log"))
		}
		select {
		case <-ctx.Done():
			v.end()
			return nil, ctx.Err()
		case <-s.host.ended():
			v.end()
			return nil, fmt.Errorf("the Functions host has ended: %w; see %s", s.host.err(), filepath.Join(s.state, "logs", "host.log"))
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// startPatience is how long a run may take to appear in the ledger.
const startPatience = time.Minute

func newestRun(ctx context.Context, l *ledger.Ledger) (*ledger.Run, error) {
	scopes, err := l.Scopes(ctx)
	if err != nil || len(scopes) == 0 || len(scopes[0].Recent) == 0 {
		return nil, err
	}
	r, _, err := l.Run(ctx, scopes[0].Recent[0].Run)
	if errors.Is(err, ledger.ErrNoRun) {
		return nil, nil // its scope is claimed, and it is being written
	}
	return r, err
}

// bring copies the release and the report to local folders and sums up.
func (s *system) bring(ctx context.Context, r *ledger.Run) error {
	dir := s.o.out
	if dir == "" {
		dir = filepath.Join(s.state, "released", r.ID)
	}
	released := 0
	if r.State == ledger.Released {
		var err error
		if released, err = s.download(ctx, "research", r.ID+"/", dir); err != nil {
			return err
		}
	}
	reports := filepath.Join(s.state, "reports", r.ID)
	for _, ext := range []string{"json", "html"} {
		if err := s.downloadOne(ctx, "ledger", ledger.ReportName(r.ID, ext), filepath.Join(reports, "report."+ext)); err != nil {
			return err
		}
	}
	s.summary(r, released, dir, filepath.Join(reports, "report.html"))
	return nil
}

func (s *system) download(ctx context.Context, container, prefix, dir string) (n int, err error) {
	for info, err := range s.account.Container(container).List(ctx, prefix) {
		if err != nil {
			return n, err
		}
		if err := s.downloadOne(ctx, container, info.Name, filepath.Join(dir, info.Name[len(prefix):])); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (s *system) downloadOne(ctx context.Context, container, name, path string) error {
	body, _, err := s.account.Container(container).Open(ctx, name, "")
	if err != nil {
		return err
	}
	defer body.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing a file: %w", err)
	}
	_, err = io.Copy(f, body)
	return errors.Join(err, f.Close())
}
