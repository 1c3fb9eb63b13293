package pipeline

import (
	"bytes"
	"errors"
	"io"
)

// cutter cuts a stream of lines into pieces of at most limit bytes, at line
// ends. Only a line that is longer than the limit makes a longer piece, of that
// line alone. It holds one buffer, whatever the size of stream, piece or line.
type cutter struct {
	src   io.Reader
	limit int64
	buf   []byte // read and not yet handed out
	mem   []byte // the whole buffer
	eof   bool
	err   error
}

// piece counts what went into one piece. Blank lines are not counted.
type piece struct{ Lines, Bytes int64 }

// cutterBuffer bounds what is looked at to find a line end near the limit.
const cutterBuffer = 1 << 20

func newCutter(src io.Reader, limit int64) *cutter {
	return &cutter{src: src, limit: limit, mem: make([]byte, cutterBuffer)}
}

// Next reports whether there is another piece. It reads ahead.
func (c *cutter) Next() bool {
	c.fill()
	return c.err == nil && len(c.buf) > 0
}

// Err is the error that ended the stream early, or nil.
func (c *cutter) Err() error { return c.err }

// fill reads until the buffer is full or the stream ends.
func (c *cutter) fill() {
	if c.eof || c.err != nil || len(c.buf) == len(c.mem) {
		return
	}
	n := copy(c.mem, c.buf)
	for n < len(c.mem) {
		m, err := c.src.Read(c.mem[n:])
		n += m
		if errors.Is(err, io.EOF) {
			c.eof = true
			break
		}
		if err != nil {
			c.err = err
			break
		}
	}
	c.buf = c.mem[:n]
}

// Copy writes the next piece.
func (c *cutter) Copy(w io.Writer) (piece, error) {
	var p piece
	blank := true // the line under way holds nothing but white space so far
	inLine := false
	for {
		c.fill()
		if c.err != nil {
			return p, c.err
		}
		if len(c.buf) == 0 {
			if inLine && !blank {
				p.Lines++
			}
			return p, nil
		}
		take, done := c.take(p.Bytes, inLine)
		if take > 0 {
			for chunk := c.buf[:take]; len(chunk) > 0; {
				line, end := chunk, false
				if i := bytes.IndexByte(chunk, '\n'); i >= 0 {
					line, end = chunk[:i], true
					chunk = chunk[i+1:]
				} else {
					chunk = nil
				}
				blank = blank && isBlank(line)
				inLine = true
				if end {
					if !blank {
						p.Lines++
					}
					blank, inLine = true, false
				}
			}
			if _, err := w.Write(c.buf[:take]); err != nil {
				return p, err
			}
			p.Bytes += int64(take)
			c.buf = c.buf[take:]
		}
		if done {
			return p, nil
		}
	}
}

// take says how many bytes of the buffer go into a piece that has size bytes
// already, and whether the piece is done with them.
func (c *cutter) take(size int64, inLine bool) (n int, done bool) {
	room := c.limit - size
	if !inLine && int64(len(c.buf)) <= room && c.eof {
		return len(c.buf), false
	}
	if inLine {
		// A line longer than the buffer is under way: go on to its end.
		if i := bytes.IndexByte(c.buf, '\n'); i >= 0 {
			return i + 1, size+int64(i+1) >= c.limit
		}
		return len(c.buf), false
	}
	window := c.buf
	if int64(len(window)) > room {
		window = window[:max(room, 0)]
	}
	if i := bytes.LastIndexByte(window, '\n'); i >= 0 {
		return i + 1, false
	}
	// No line end fits any more. A piece that has something is done; an empty
	// one takes the long line whole.
	if size > 0 && int64(len(c.buf)) > room {
		return 0, true
	}
	if size > 0 && len(c.buf) == len(c.mem) {
		return 0, true // a very long line starts: it gets a piece of its own
	}
	if i := bytes.IndexByte(c.buf, '\n'); i >= 0 {
		return i + 1, size+int64(i+1) >= c.limit
	}
	return len(c.buf), false
}

func isBlank(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }
