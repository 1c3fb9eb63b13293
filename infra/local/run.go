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
	"fhirdeid/internal/progress"
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
	l := ledger.New(s.account.Container("ledger"))
	old, err := oldRuns(ctx, l)
	if err != nil {
		return exitFault, interrupted(ctx, err)
	}
	s.say("Firing the timer")
	if err := s.host.fire(ctx); err != nil {
		return exitFault, err
	}
	r, err := s.follow(ctx, l, old)
	if err != nil {
		return exitFault, interrupted(ctx, err)
	}
	if err := s.bring(ctx, r); err != nil {
		return exitFault, err
	}
	if o.keep {
		s.say("\nStaying up; the timer fires at 01:00 UTC each night. Ctrl-C ends it.")
		s.say("Look at it with: fhirdeid doctor --settings %s", s.settingsFile())
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

// follow shows how the run that the timer has begun goes, until it is over.
func (s *system) follow(ctx context.Context, l *ledger.Ledger, old map[string]bool) (*ledger.Run, error) {
	v := progress.New(s.out)
	began := time.Now()
	var id string
	for {
		var err error
		if id == "" {
			if id, err = newRun(ctx, l, old); err != nil {
				return nil, err
			}
		}
		var r *ledger.Run
		if id != "" {
			r, _, err = l.Run(ctx, id)
			if err != nil && !errors.Is(err, ledger.ErrNoRun) { // its scope is claimed, and it is being written
				return nil, err
			}
		}
		switch {
		case r != nil:
			v.Show(r)
			if r.State.Over() {
				v.End()
				return r, nil
			}
		case time.Since(began) > startPatience:
			return nil, fmt.Errorf("the timer has fired, but no run was begun; see %s", filepath.Join(s.state, "logs", "host.log"))
		}
		select {
		case <-ctx.Done():
			v.End()
			return nil, ctx.Err()
		case <-s.host.ended():
			v.End()
			return nil, fmt.Errorf("the Functions host has ended: %w; see %s", s.host.err(), filepath.Join(s.state, "logs", "host.log"))
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// startPatience is how long a run may take to appear in the ledger.
const startPatience = time.Minute

// oldRuns are the runs that are there before the timer is fired: storage that is
// kept in a folder has those of earlier nights.
func oldRuns(ctx context.Context, l *ledger.Ledger) (map[string]bool, error) {
	scopes, err := l.Scopes(ctx)
	if err != nil {
		return nil, err
	}
	old := make(map[string]bool)
	for _, s := range scopes {
		for _, b := range s.Recent {
			old[b.Run] = true
		}
	}
	return old, nil
}

// newRun is the run that the timer has begun, or the one that was found under
// way in its place; "" while there is none.
func newRun(ctx context.Context, l *ledger.Ledger, old map[string]bool) (string, error) {
	scopes, err := l.Scopes(ctx)
	if err != nil {
		return "", err
	}
	for _, s := range scopes {
		for _, b := range s.Recent {
			switch {
			case old[b.Run]:
			case b.State == ledger.Cancelled && s.Active != "": // it stood aside
				return s.Active, nil
			default:
				return b.Run, nil
			}
		}
	}
	return "", nil
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
