package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"fhirdeid/anonymize"
	"fhirdeid/internal/storage"
)

// quarantine keeps the lines of one file that could not be processed, as they
// came, in the raw account; and beside them where each was and why.
type quarantine struct {
	ctx   context.Context
	c     storage.Container
	name  string
	lines storage.Writer // nil until there is one
	whys  []byte
}

// why is one line of the list of reasons.
type why struct {
	Line   int64  `json:"line"`
	Reason string `json:"reason"`
	Path   string `json:"path,omitempty"`
}

// maxWhys bounds the list of reasons in memory; a file of nothing but bad lines
// has the counts besides.
const maxWhys = 4 << 20

func newQuarantine(ctx context.Context, c storage.Container, name string) *quarantine {
	return &quarantine{ctx: ctx, c: c, name: name}
}

// add takes a bad line. The engine calls it in line order.
func (q *quarantine) add(line int64, in []byte, err error) error {
	if q.lines == nil {
		w, err := q.c.Create(q.ctx, q.name)
		if err != nil {
			return fmt.Errorf("creating the quarantine of %s: %w", q.name, err)
		}
		q.lines = w
	}
	if _, err := q.lines.Write(in); err != nil {
		return fmt.Errorf("writing to the quarantine of %s: %w", q.name, err)
	}
	if _, err := q.lines.Write([]byte{'\n'}); err != nil {
		return fmt.Errorf("writing to the quarantine of %s: %w", q.name, err)
	}
	if len(q.whys) < maxWhys {
		w := why{Line: line, Reason: "unknown"}
		var bad *anonymize.LineError
		var leak *leakError
		switch {
		case errors.As(err, &leak):
			w.Reason, w.Path = "verifier-"+leak.class, leak.path
		case errors.As(err, &bad):
			w.Reason, w.Path = string(bad.Reason), bad.Path
		}
		text, err := json.Marshal(w)
		if err != nil {
			return errors.New("the reason of a bad line cannot be written as JSON")
		}
		q.whys = append(append(q.whys, text...), '\n')
	}
	return nil
}

// commit makes the lines and reasons visible. The same file done twice has the
// same lines, so a second writer does no harm.
func (q *quarantine) commit() error {
	if q.lines == nil {
		return nil
	}
	_, err := q.lines.Commit(q.ctx, storage.PutOptions{ContentType: "application/fhir+ndjson"})
	q.lines = nil
	if err != nil {
		return fmt.Errorf("committing the quarantine of %s: %w", q.name, err)
	}
	if _, err := q.c.Put(q.ctx, q.name+".reasons", q.whys, storage.PutOptions{ContentType: "application/x-ndjson"}); err != nil {
		return fmt.Errorf("writing the reasons of the quarantine of %s: %w", q.name, err)
	}
	return nil
}

func (q *quarantine) abort() {
	if q.lines != nil {
		q.lines.Abort()
		q.lines = nil
	}
}
