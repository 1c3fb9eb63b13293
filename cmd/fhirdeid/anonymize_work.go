package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"fhirdeid/anonymize"
)

// work is one call of `fhirdeid anonymize` while it runs.
type work struct {
	o          *anonymizeOptions
	engine     *anonymize.Engine
	check      func(line int64, in, out []byte) error // nil where nothing is checked
	quarantine *quarantine
	screen     *screen
	alone      bool // there is one task
	stdin      io.Reader
	unpacked   io.Reader // standard input decompressed, once it is opened
	stdout     io.Writer
	times      times

	mu    sync.Mutex
	total totals
}

// totals are what the work came to.
type totals struct {
	anonymize.Stats
	done, skipped int
	failed        []string // what is wrong with files that could not be processed
}

// all does the tasks. NDJSON files are done one after the other, each by all
// workers; JSON files, which are small, side by side.
func (w *work) all(ctx context.Context, tasks []task) error {
	g, together := errgroup.WithContext(ctx)
	g.SetLimit(workers(w.o.jobs))
	for _, t := range tasks {
		if t.json && !t.done {
			g.Go(func() error { return w.one(together, t) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, t := range tasks {
		if t.done {
			w.total.skipped++
			continue
		}
		if t.json {
			continue
		}
		if err := w.one(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// one does a task. A fault of its input is noted, and costs no other; any other
// fault ends the work.
func (w *work) one(ctx context.Context, t task) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	begin := time.Now()
	do := w.lines
	if t.json {
		do = w.resource
	}
	stats, err := do(ctx, t)
	took := time.Since(begin)
	w.times.elapsed.Add(int64(took))
	if err != nil && t.in != "" {
		err = fmt.Errorf("%s: %w", t.name, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var input *inputError
	switch {
	case err == nil:
		w.total.Add(stats)
		w.total.done++
		w.screen.fileDone()
		if w.o.verbose {
			w.screen.say("%s: %s, %s, %s", t.name, plural(stats.Lines, "line"), leftOut(stats.Rejected), roundTime(took))
		}
		return nil
	case errors.As(err, &input) && w.alone:
		return err // the command ends with it, which is enough
	case errors.As(err, &input):
		w.total.failed = append(w.total.failed, err.Error())
		w.screen.fileDone()
		w.screen.say("failed: %v", err)
		return nil
	}
	return err
}

// lines does a file of lines.
func (w *work) lines(ctx context.Context, t task) (stats anonymize.Stats, err error) {
	in, closeInput, err := w.open(ctx, t)
	if err != nil {
		return stats, err
	}
	defer closeInput()
	if t.out == "" {
		out, err := pack(w.stdout, w.o.packed(), workers(w.o.jobs), &w.times)
		if err != nil {
			return stats, err
		}
		stats, err = w.stream(ctx, out, in, t, w.o.streamOptions())
		return stats, errors.Join(err, out.Close())
	}
	out, err := createOutput(t.out, workers(w.o.jobs), &w.times)
	if err != nil {
		return stats, err
	}
	mark := w.quarantine.mark()
	stats, err = w.stream(ctx, out, in, t, w.o.streamOptions())
	if err = errors.Join(err, w.quarantine.flush()); err != nil {
		out.abort()
		return stats, errors.Join(err, w.quarantine.rewind(mark))
	}
	return stats, out.commit()
}

// streamOptions keeps the buffers of all workers together within bounds: each
// worker has two chunks on their way.
func (o *anonymizeOptions) streamOptions() anonymize.StreamOptions {
	n := workers(o.jobs)
	return anonymize.StreamOptions{Workers: n, ChunkBytes: min(1<<20, max(64<<10, 8<<20/(2*n)))}
}

// open opens a task's input, decompressed and counted.
func (w *work) open(ctx context.Context, t task) (io.Reader, func(), error) {
	if t.in == "" {
		r, err := w.openStdin()
		if err != nil {
			return nil, nil, &inputError{err}
		}
		return &source{r, ctx, &w.times}, func() {}, nil
	}
	in, err := openTimed(t.in, &w.times)
	if err != nil {
		return nil, nil, err
	}
	return &source{in, ctx, &w.times}, func() { in.Close() }, nil
}

// openStdin is standard input, decompressed. There is one, and it ends with the
// program.
func (w *work) openStdin() (io.Reader, error) {
	if w.unpacked == nil {
		r, _, err := unpack(w.stdin, &w.times)
		if err != nil {
			return nil, err
		}
		w.unpacked = r
	}
	return w.unpacked, nil
}

// stream sends lines through the engine.
func (w *work) stream(ctx context.Context, out io.Writer, in io.Reader, t task, o anonymize.StreamOptions) (anonymize.Stats, error) {
	o.FileName, o.FolderName, o.Check = t.place.File, t.place.Folder, w.check
	o.Reject = func(line int64, in []byte, err error) error {
		w.screen.leftOut(t.name, err)
		return w.quarantine.add(t.name, line, in, err)
	}
	o.Busy = func(took time.Duration) { w.times.engine.Add(int64(took)) }
	return w.engine.Stream(ctx, out, in, o)
}

// maxResource is how large a JSON file may be: it is in memory as a whole.
const maxResource = 512 << 20

// resource does a file with one resource. It goes the way of a line; the result
// has lines again, indented by two blanks and without one at its end, as
// Microsoft's tool writes it.
func (w *work) resource(ctx context.Context, t task) (stats anonymize.Stats, err error) {
	in, closeInput, err := w.open(ctx, t)
	if err != nil {
		return stats, err
	}
	defer closeInput()
	data, err := io.ReadAll(io.LimitReader(in, maxResource+1))
	if err != nil {
		return stats, err
	}
	if len(data) > maxResource {
		return stats, &inputError{fmt.Errorf("it is longer than %d bytes", maxResource)}
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return stats, &inputError{errors.New("it is empty")}
	}
	// As one line: a line feed between tokens may as well be a carriage return,
	// and in a string neither may be.
	data = bytes.ReplaceAll(bytes.TrimSpace(data), []byte{'\n'}, []byte{'\r'})
	var result bytes.Buffer
	stats, err = w.stream(ctx, &result, bytes.NewReader(data), t,
		anonymize.StreamOptions{Workers: 1, ChunkBytes: len(data) + 1, MaxLineBytes: maxResource})
	if err != nil {
		return stats, err
	}
	var pretty bytes.Buffer
	if result.Len() > 0 {
		if err := json.Indent(&pretty, bytes.TrimSpace(result.Bytes()), "", "  "); err != nil {
			return stats, errors.New("the result is no JSON") // the engine's fault; its error would quote
		}
	}
	return stats, w.write(t, pretty.Bytes())
}

// write writes a JSON file. Where nothing is left of the resource there is none,
// and one that is there from before goes: it is not the result of this input.
func (w *work) write(t task, data []byte) error {
	if t.out == "" {
		out, err := pack(w.stdout, w.o.packed(), 1, &w.times)
		if err != nil {
			return err
		}
		_, err = out.Write(data)
		return errors.Join(err, out.Close())
	}
	if len(data) == 0 {
		if err := os.Remove(t.out); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing an earlier result: %w", err)
		}
		return nil
	}
	out, err := createOutput(t.out, 1, &w.times)
	if err != nil {
		return err
	}
	if _, err := out.Write(data); err != nil {
		out.abort()
		return fmt.Errorf("writing %s: %w", t.out, err)
	}
	return out.commit()
}
