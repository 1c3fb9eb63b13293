package pipeline

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/storage"
)

// TestSmoke: with the function working, failing, and absent; nothing is left.
func TestSmoke(t *testing.T) {
	for name, c := range map[string]struct {
		lines  string
		events bool
		spoil  bool
		dead   bool
		want   string // "" is no error
	}{
		"an event":          {lines: patientLine + patientLine, events: true},
		"a message":         {lines: patientLine},
		"nothing comes":     {lines: patientLine, events: true, dead: true, want: ErrNoResult.Error()},
		"what is no line":   {lines: "{\n", events: true, want: "could not be processed"},
		"the wrong content": {lines: patientLine + strings.TrimSuffix(patientLine, "\n"), events: true, want: "accounted for"},
	} {
		t.Run(name, func(t *testing.T) {
			w := calm(t)
			p := w.direct()
			sent := 0
			p.Queues.Retry = &countingQueue{sent: &sent}
			_, err := p.RunSmoke(t.Context(), Smoke{
				Lines: []byte(c.lines), Events: c.events, Wait: time.Minute,
				Pause: func(ctx context.Context, d time.Duration) error {
					w.now = w.now.Add(d)
					if c.dead {
						return nil
					}
					for info, err := range p.Stores.Raw.List(ctx, "") {
						if err != nil {
							return err
						}
						if err := p.Anonymize(ctx, info.Name); err != nil {
							return err
						}
					}
					return nil
				},
			})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if c.events == (sent > 0) {
				t.Errorf("%d messages were sent", sent)
			}
			for _, container := range []storage.Container{p.Stores.Raw, p.Stores.Staging, p.Stores.Quarantine, p.Stores.Ledger} {
				for info := range container.List(t.Context(), "") {
					t.Errorf("%s/%s is left", container.Name(), info.Name)
				}
			}
		})
	}
}

// TestSmokeEndsWithItsContext: an interrupted one cleans up too.
func TestSmokeEndsWithItsContext(t *testing.T) {
	w := calm(t)
	p := w.direct()
	stop := errors.New("interrupted")
	_, err := p.RunSmoke(t.Context(), Smoke{
		Lines: []byte(patientLine), Events: true, Wait: time.Minute,
		Pause: func(context.Context, time.Duration) error { return stop },
	})
	if !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	for info := range p.Stores.Raw.List(t.Context(), "") {
		t.Errorf("%s is left", info.Name)
	}
}

// countingQueue counts messages.
type countingQueue struct{ sent *int }

func (q *countingQueue) Name() string { return "counted" }
func (q *countingQueue) Send(context.Context, []byte, time.Duration) error {
	*q.sent++
	return nil
}
