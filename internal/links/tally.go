package links

import (
	"encoding/binary"
	"errors"

	"fhirdeid/internal/hashset"
)

// Summary says how many references lead where.
type Summary struct {
	// References are all that name a resource of the data; Dangling are those of
	// them whose resource is not there, DanglingTypes the same by type.
	References    int64            `json:"references"`
	Dangling      int64            `json:"dangling"`
	DanglingTypes map[string]int64 `json:"danglingTypes,omitempty"`
	// Contained are references to what is contained in the same line, or in the
	// same Bundle; ContainedDangling are those that lead nowhere.
	Contained         int64 `json:"contained"`
	ContainedDangling int64 `json:"containedDangling"`
	// Other are of a form that names no resource of the data.
	Other int64 `json:"other,omitempty"`
}

// Tally counts over the files of a run. It remembers eight bytes for each resource.
type Tally struct {
	Summary
	there hashset.Set
}

// errRecord is of a record that no File has written.
var errRecord = errors.New("the record of references is not what this version writes")

// Resources takes from a file's record what is there. All files come first, before
// any References.
func (t *Tally) Resources(record []byte) error {
	r := reader{rest: record}
	for range r.number() {
		h := r.hash()
		if r.bad {
			break
		}
		t.there.Add(h)
	}
	return r.err()
}

// References takes from a file's record what leads where.
func (t *Tally) References(record []byte) error {
	r := reader{rest: record}
	r.skip(r.number(), 8)
	types := make([]string, 0, 8)
	for range r.number() {
		types = append(types, r.text(r.number()))
		if r.bad {
			return errRecord
		}
	}
	for range r.number() {
		hash, typ, n := r.hash(), r.number(), r.number()
		if r.bad || typ >= uint64(len(types)) {
			return errRecord
		}
		t.Summary.References += int64(n)
		if !t.there.Has(hash) {
			t.Dangling += int64(n)
			if t.DanglingTypes == nil {
				t.DanglingTypes = make(map[string]int64)
			}
			t.DanglingTypes[types[typ]] += int64(n)
		}
	}
	found, lost, other := r.number(), r.number(), r.number()
	t.Contained += int64(found + lost)
	t.ContainedDangling += int64(lost)
	t.Other += int64(other)
	return r.err()
}

// reader reads a record; bad says that it was no such one.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) hash() uint64 {
	if len(r.rest) < 8 {
		r.bad, r.rest = true, nil
		return 0
	}
	h := binary.LittleEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return h
}

func (r *reader) skip(n, size uint64) {
	if n > uint64(len(r.rest))/size {
		r.bad, r.rest = true, nil
		return
	}
	r.rest = r.rest[n*size:]
}

func (r *reader) text(n uint64) string {
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

func (r *reader) err() error {
	if r.bad {
		return errRecord
	}
	return nil
}
