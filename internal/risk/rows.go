package risk

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"sync"

	"fhirdeid/internal/hashset"
)

// Rows collects the patients of one file. It is safe for concurrent use.
type Rows struct {
	reader *Reader

	mu    sync.Mutex
	cells map[string]*cell // by the combination, as JSON
}

// cell is one combination: its patients by hashes of their ids, and how many
// there are without an id, who are all different ones.
type cell struct {
	ids    hashset.Set
	others uint64
}

// NewRows collects for a file.
func NewRows(r *Reader) *Rows { return &Rows{reader: r, cells: make(map[string]*cell)} }

// Add takes a de-identified line; one that is no Patient is passed over.
func (r *Rows) Add(line []byte) {
	values, id, ok := r.reader.Read(line)
	if !ok {
		return
	}
	text, err := json.Marshal(values)
	if err != nil {
		return // a list of strings can be written
	}
	sum := sha256.Sum256([]byte(id))
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.cells[string(text)]
	if c == nil {
		c = new(cell)
		r.cells[string(text)] = c
	}
	if id == "" {
		c.others++
		return
	}
	c.ids.Add(binary.LittleEndian.Uint64(sum[:]))
}

// Count is how many patients there are, as far as this file can tell.
func (r *Rows) Count() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var n int64
	for _, c := range r.cells {
		n += int64(c.ids.Len()) + int64(c.others)
	}
	return n
}

// Bytes returns the file's record: for each cell its combination, how many of its
// patients have no id, and the others' hashes. The same lines give the same bytes,
// whatever their order.
func (r *Rows) Bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := 0
	for text, c := range r.cells {
		size += len(text) + 3*binary.MaxVarintLen64 + 8*c.ids.Len()
	}
	b := make([]byte, 0, size)
	for _, text := range slices.Sorted(maps.Keys(r.cells)) {
		c := r.cells[text]
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
		b = binary.AppendUvarint(b, c.others)
		b = binary.AppendUvarint(b, uint64(c.ids.Len()))
		for _, h := range c.ids.Sorted() {
			b = binary.LittleEndian.AppendUint64(b, h)
		}
	}
	return b
}
