package anonymize

import (
	"bytes"
	"errors"
	"io"
)

// chunkReader cuts a stream into chunks at line ends.
type chunkReader struct {
	src     io.Reader
	size    int
	maxLine int

	carry  []byte // the beginning of a line
	lines  int64  // lines handed out
	read   int64
	eof    bool
	inLong bool // the rest of a line that was too long is passed over
}

// next fills a chunk; more is false at the end of the stream. A line that is too
// long comes as a chunk of its own, cut.
func (r *chunkReader) next(c *chunk) (more bool, err error) {
	c.first, c.tooLong = r.lines+1, false
	c.in = append(c.in[:0], r.carry...)
	r.carry = r.carry[:0]
	want := r.size
	for {
		if !r.eof {
			c.in, err = r.fill(c.in, want)
			if err != nil {
				return false, err
			}
		}
		if r.inLong {
			i := bytes.IndexByte(c.in, '\n')
			if i < 0 && !r.eof {
				c.in = c.in[:0]
				continue
			}
			if i < 0 {
				return false, nil
			}
			c.in = append(c.in[:0], c.in[i+1:]...)
			r.inLong = false
			continue
		}
		end := bytes.LastIndexByte(c.in, '\n') + 1
		if r.eof {
			end = len(c.in)
		}
		if end > 0 {
			r.carry = append(r.carry, c.in[end:]...)
			c.in = c.in[:end]
			r.count(c)
			return true, nil
		}
		if r.eof {
			return false, nil
		}
		if len(c.in) > r.maxLine {
			c.tooLong, r.inLong = true, true
			c.in = c.in[:min(r.maxLine, tooLongKept)]
			r.lines++
			return true, nil
		}
		want = max(r.size, min(2*len(c.in), r.maxLine+1))
	}
}

// tooLongKept is how much of a line that is too long goes to Reject.
const tooLongKept = 1 << 20

// count numbers the lines of a chunk.
func (r *chunkReader) count(c *chunk) {
	r.lines += int64(bytes.Count(c.in, []byte{'\n'}))
	if n := len(c.in); n > 0 && c.in[n-1] != '\n' {
		r.lines++
	}
}

// fill reads until there are want bytes, or the end.
func (r *chunkReader) fill(buf []byte, want int) ([]byte, error) {
	for len(buf) < want {
		if cap(buf) < want {
			grown := make([]byte, len(buf), want)
			copy(grown, buf)
			buf = grown
		}
		n, err := r.src.Read(buf[len(buf):want])
		buf = buf[:len(buf)+n]
		r.read += int64(n)
		if errors.Is(err, io.EOF) {
			r.eof = true
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}
