package risk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
)

// Rows collects the patients of one file. It is safe for concurrent use.
type Rows struct {
	reader *Reader
	file   string

	mu   sync.Mutex
	rows map[string]struct{}
}

// NewRows collects for a file, whose name tells patients without an id apart.
func NewRows(r *Reader, file string) *Rows {
	return &Rows{reader: r, file: file, rows: make(map[string]struct{})}
}

// Add takes a de-identified line; one that is no Patient is passed over. number is
// the line's number in the file.
func (r *Rows) Add(number int64, line []byte) {
	cell, id, ok := r.reader.Read(line)
	if !ok {
		return
	}
	if id == "" {
		id = r.file + " " + strconv.FormatInt(number, 10)
	}
	sum := sha256.Sum256([]byte(id))
	text, err := json.Marshal(cell)
	if err != nil {
		return // a list of strings can be written
	}
	row := string(text) + "\t" + hex.EncodeToString(sum[:8])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows[row] = struct{}{}
}

// Count is how many rows there are: patients, as far as this file can tell.
func (r *Rows) Count() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(len(r.rows))
}

// Bytes returns the rows as lines in a fixed order: the same file gives the same
// bytes, however its lines were taken.
func (r *Rows) Bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := make([]string, 0, len(r.rows))
	for row := range r.rows {
		lines = append(lines, row)
	}
	slices.Sort(lines)
	var b bytes.Buffer
	for _, line := range lines {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.Bytes()
}
