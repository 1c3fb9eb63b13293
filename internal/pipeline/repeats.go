package pipeline

import (
	"bytes"
	"hash/maphash"
	"io"
)

// repeats passes a stream of lines through and counts those that are the same,
// byte for byte, as an earlier one: a server may send a resource twice. They
// are kept, and counted. Of a file with more lines than it remembers, the first
// are.
type repeats struct {
	src   io.Reader
	seed  maphash.Seed
	hash  maphash.Hash
	any   bool // the line under way has bytes
	seen  map[uint64]struct{}
	count int64
}

// maxSeen bounds what is remembered, to some 10 MB: the lines of a file of 64 MiB
// are seldom more.
const maxSeen = 1 << 18

func newRepeats(src io.Reader) *repeats {
	r := &repeats{src: src, seed: maphash.MakeSeed(), seen: make(map[uint64]struct{})}
	r.hash.SetSeed(r.seed)
	return r
}

func (r *repeats) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		line, end := rest, false
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, end = rest[:i], true
			rest = rest[i+1:]
		} else {
			rest = nil
		}
		if len(line) > 0 {
			r.any = true
			r.hash.Write(line)
		}
		if end {
			r.endLine()
		}
	}
	if err == io.EOF {
		r.endLine()
	}
	return n, err
}

func (r *repeats) endLine() {
	if !r.any {
		return
	}
	h := r.hash.Sum64()
	r.hash.Reset()
	r.any = false
	if _, twice := r.seen[h]; twice {
		r.count++
		return
	}
	if len(r.seen) < maxSeen {
		r.seen[h] = struct{}{}
	}
}
