package anonymize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"
)

// StreamOptions belong to a stream.
type StreamOptions struct {
	// Workers is how many lines are worked on at once; 0 is one per CPU.
	Workers int
	// ChunkBytes is how much a worker takes at a time; 0 is 1 MiB.
	ChunkBytes int
	// MaxLineBytes is the longest line, with a carriage return but without the line
	// feed; a longer one is a fault of that line, and only its beginning goes to
	// Reject. 0 is 64 MiB.
	MaxLineBytes int
	// FileName and FolderName are what dateShiftScope file and folder go by.
	FileName, FolderName string
	// Check looks at each line with its result, before it is written; several
	// workers call it at once. An error keeps the line out of the result and
	// sends it to Reject. The slices are valid during the call only.
	Check func(line int64, in, out []byte) error
	// Reject takes the lines that could not be processed, without line ends, in
	// their order. Its error ends the stream. nil: the first bad line does.
	Reject func(line int64, in []byte, err error) error
	// Drops says that Stats.Drops is wanted, which costs a look at each element.
	Drops bool
	// Busy is told how long a worker was at work, chunk by chunk; several workers
	// call it at once. nil: nobody asks.
	Busy func(time.Duration)
}

// Stats counts what a stream came to. Lines = Written + Dropped + Rejected;
// blank lines are not lines.
type Stats struct {
	Lines, Written, Dropped, Rejected, Blank int64
	BytesIn, BytesOut                        int64
	// Types counts by resource type; lines whose type is not known are under
	// "unknown".
	Types map[string]TypeStats
	// Methods counts values by the method that decided them; "unlisted" is what
	// a strict policy dropped since no rule reached it.
	Methods map[string]int64
	// Reasons counts rejected lines by reason.
	Reasons map[string]int64
	// Drops counts what was lost, where StreamOptions ask for it.
	Drops Drops
}

// TypeStats counts the lines of one resource type.
type TypeStats struct{ Lines, Written, Dropped, Rejected int64 }

const (
	defaultChunk = 1 << 20
	defaultLine  = 64 << 20
)

// Stream de-identifies NDJSON from src to dst: the lines stay in order, and
// memory is bounded by the options, not by the stream. A bad line costs no
// other. The error is a *LineError where the first bad line ends the stream.
func (e *Engine) Stream(ctx context.Context, dst io.Writer, src io.Reader, o StreamOptions) (Stats, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.ChunkBytes <= 0 {
		o.ChunkBytes = defaultChunk
	}
	if o.MaxLineBytes <= 0 {
		o.MaxLineBytes = defaultLine
	}
	s := &stream{e: e, o: o, dst: dst, stats: newStats()}
	r := &chunkReader{src: src, size: o.ChunkBytes, maxLine: o.MaxLineBytes}
	var err error
	if o.Workers == 1 {
		err = s.alone(ctx, r)
	} else {
		err = s.together(ctx, r)
	}
	s.stats.BytesIn = r.read
	return s.stats, err
}

// newStats returns counts of nothing.
func newStats() Stats {
	return Stats{Types: make(map[string]TypeStats), Methods: make(map[string]int64), Reasons: make(map[string]int64)}
}

type stream struct {
	e     *Engine
	o     StreamOptions
	dst   io.Writer
	stats Stats
}

// alone works in the caller's goroutine.
func (s *stream) alone(ctx context.Context, r *chunkReader) error {
	w := s.e.workers.Get().(*worker)
	defer s.e.workers.Put(w)
	c := s.e.chunk()
	defer s.e.chunks.Put(c)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := r.next(c)
		if err != nil {
			return err
		}
		if !more {
			return nil
		}
		s.work(w, c)
		if err := s.finish(c); err != nil {
			return err
		}
	}
}

// together has workers on chunks, and writes them in the order they were read.
// The chunks go round, which bounds their number.
func (s *stream) together(ctx context.Context, r *chunkReader) error {
	g, ctx := errgroup.WithContext(ctx)
	count := s.o.Workers * 2
	free := make(chan *chunk, count)
	chunks := make([]*chunk, count)
	for i := range chunks {
		chunks[i] = s.e.chunk()
		free <- chunks[i]
	}
	todo := make(chan *chunk, count)
	order := make(chan *chunk, count)
	g.Go(func() error {
		defer close(todo)
		defer close(order)
		for {
			var c *chunk
			select {
			case c = <-free:
			case <-ctx.Done():
				return ctx.Err()
			}
			more, err := r.next(c)
			if err != nil || !more {
				return err
			}
			todo <- c // both have room for every chunk there is
			order <- c
		}
	})
	for range s.o.Workers {
		g.Go(func() error {
			w := s.e.workers.Get().(*worker)
			defer s.e.workers.Put(w)
			for c := range todo {
				if ctx.Err() == nil {
					s.work(w, c)
				}
				c.done <- struct{}{}
			}
			return nil
		})
	}
	g.Go(func() error {
		for c := range order {
			<-c.done
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.finish(c); err != nil {
				return err
			}
			free <- c
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err // a chunk that is not done is not given back
	}
	for _, c := range chunks {
		s.e.chunks.Put(c)
	}
	return nil
}

// chunk is one that is free, perhaps with the memory of another stream.
func (e *Engine) chunk() *chunk {
	if c, ok := e.chunks.Get().(*chunk); ok {
		return c
	}
	return &chunk{done: make(chan struct{}, 1)}
}

// chunk is some whole lines on their way.
type chunk struct {
	in      []byte
	first   int64 // number of the first line
	tooLong bool  // in is the beginning of one line that is too long

	out     []byte
	bad     []badLine
	stats   Stats
	types   []TypeStats // by the type's index; the last are lines of no known type
	methods [methodCount]int64
	drops   dropCounter
	done    chan struct{}
}

type badLine struct {
	number int64
	in     []byte // in chunk.in
	err    error
}

// work processes the lines of a chunk.
func (s *stream) work(w *worker, c *chunk) {
	if s.o.Busy != nil {
		begin := time.Now()
		defer func() { s.o.Busy(time.Since(begin)) }()
	}
	if cap(c.out) < len(c.in) {
		c.out = make([]byte, 0, len(c.in)+len(c.in)/2)
	}
	c.out, c.bad, c.stats, c.methods = c.out[:0], c.bad[:0], newStats(), [methodCount]int64{}
	c.types = append(c.types[:0], make([]TypeStats, s.e.model.NumTypes+1)...)
	c.drops.reset()
	w.place = Place{File: s.o.FileName, Folder: s.o.FolderName}
	number := c.first
	for rest := c.in; len(rest) > 0; number++ {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if c.tooLong || len(line) > s.o.MaxLineBytes {
			s.line(w, c, number, line[:min(len(line), s.o.MaxLineBytes, tooLongKept)], true)
			continue
		}
		line = bytes.TrimSuffix(line, []byte{'\r'})
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(bytes.TrimSpace(line)) == 0 {
			c.stats.Blank++
			continue
		}
		s.line(w, c, number, line, false)
	}
}

func (s *stream) line(w *worker, c *chunk, number int64, line []byte, tooLong bool) {
	c.stats.Lines++
	begin := len(c.out)
	var err error
	if tooLong {
		err = &LineError{Reason: ReasonLong, detail: fmt.Sprintf("it is longer than %d bytes", s.o.MaxLineBytes)}
		w.tape = w.tape[:0]
	} else {
		c.out, err = w.resource(c.out, line)
	}
	dropped := err == nil && len(c.out) == begin
	if err == nil && !dropped && s.o.Check != nil {
		err = s.o.Check(number, line, c.out[begin:])
	}
	t := &c.types[len(c.types)-1]
	if len(w.tape) > 0 {
		t = &c.types[w.tape[0].typ.Index]
	}
	t.Lines++
	switch {
	case err != nil:
		var l *LineError
		if errors.As(err, &l) {
			l.Line = number
		}
		c.out = c.out[:begin]
		c.bad = append(c.bad, badLine{number, line, err})
		c.stats.Rejected++
		c.stats.Reasons[LineReason(err)]++
		t.Rejected++
	case dropped:
		c.stats.Dropped++
		t.Dropped++
	default:
		c.out = append(c.out, '\n')
		c.stats.Written++
		t.Written++
	}
	if err == nil {
		for i, n := range w.methods {
			c.methods[i] += n
		}
		if s.o.Drops && !dropped {
			c.drops.count(w)
		}
	}
}

// finish writes a chunk's results, in the order of the chunks.
func (s *stream) finish(c *chunk) error {
	for _, b := range c.bad {
		if s.o.Reject == nil {
			return b.err
		}
		if err := s.o.Reject(b.number, b.in, b.err); err != nil {
			return err
		}
	}
	if len(c.out) > 0 {
		if _, err := s.dst.Write(c.out); err != nil {
			return err
		}
	}
	c.stats.BytesOut = int64(len(c.out))
	for i, n := range c.methods {
		if n > 0 {
			s.stats.Methods[string(s.e.table[i].name)] += n
		}
	}
	for _, t := range s.e.model.Resources() {
		if n := c.types[t.Index]; n.Lines > 0 {
			c.stats.Types[t.Name] = n
		}
	}
	if n := c.types[len(c.types)-1]; n.Lines > 0 {
		c.stats.Types["unknown"] = n
	}
	if s.o.Drops {
		c.drops.take(&s.stats.Drops)
	}
	s.stats.Add(c.stats)
	return nil
}

// Add adds the counts of another stream.
func (s *Stats) Add(o Stats) {
	if s.Types == nil {
		*s = newStats()
	}
	s.Lines += o.Lines
	s.Written += o.Written
	s.Dropped += o.Dropped
	s.Rejected += o.Rejected
	s.Blank += o.Blank
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	for k, n := range o.Methods {
		s.Methods[k] += n
	}
	for k, n := range o.Reasons {
		s.Reasons[k] += n
	}
	if o.Drops.Paths != nil {
		s.Drops.add(o.Drops)
	}
	for k, n := range o.Types {
		t := s.Types[k]
		t.Lines += n.Lines
		t.Written += n.Written
		t.Dropped += n.Dropped
		t.Rejected += n.Rejected
		s.Types[k] = t
	}
}
