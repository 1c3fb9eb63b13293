package risk

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/fnv"
	"math"
	"slices"
	"sort"
)

// maxPatients is how many patients a Tally remembers at a time, to some 100 MB.
const maxPatients = 1 << 20

// Tally counts the cells of a run from the rows of its files.
type Tally struct {
	passes, pass uint64
	// seen are the patients of this pass, by cell and id.
	seen  map[[2]uint64]struct{}
	cells map[string]int64
}

// NewTally counts so many rows at most; with more the passes are larger than
// intended, and nothing worse.
func NewTally(rows int64) *Tally { return newTally(rows, maxPatients) }

func newTally(rows, atOnce int64) *Tally {
	return &Tally{passes: uint64(max(rows, 1)+atOnce-1) / uint64(atOnce), cells: make(map[string]int64)}
}

// Pass begins a pass, in which all files have to be added; it returns false when
// there were enough.
func (t *Tally) Pass() bool {
	if t.pass == t.passes {
		t.seen = nil
		return false
	}
	t.pass++
	t.seen = make(map[[2]uint64]struct{})
	return true
}

// errRows is of rows that no Rows has written.
var errRows = errors.New("the rows are not what this version writes")

// Add takes the record of a file and returns how many patients it has.
func (t *Tally) Add(record []byte) (int64, error) {
	var count int64
	number := func() (n uint64, ok bool) {
		n, size := binary.Uvarint(record)
		if size <= 0 {
			return 0, false
		}
		record = record[size:]
		return n, true
	}
	for len(record) > 0 {
		size, ok := number()
		if !ok || size > uint64(len(record)) {
			return count, errRows
		}
		text := record[:size]
		record = record[size:]
		others, ok1 := number()
		ids, ok2 := number()
		if !ok1 || !ok2 || ids > uint64(len(record))/8 || others > math.MaxInt32 {
			return count, errRows
		}
		t.cell(text, int64(others), record[:8*ids])
		record = record[8*ids:]
		count += int64(others + ids)
	}
	return count, nil
}

// cell counts a cell of a file.
func (t *Tally) cell(text []byte, others int64, ids []byte) {
	var n int64
	if t.pass == 1 {
		n = others
	}
	which := fnv.New64a()
	which.Write(text)
	cell := which.Sum64()
	for ; len(ids) > 0; ids = ids[8:] {
		id := binary.LittleEndian.Uint64(ids)
		if id%t.passes != t.pass-1 {
			continue // of another pass
		}
		key := [2]uint64{cell, id}
		if _, twice := t.seen[key]; !twice {
			t.seen[key] = struct{}{}
			n++
		}
	}
	if n > 0 {
		t.cells[string(text)] += n
	}
}

// Summary says how large the cells are, and nothing of what is in them.
type Summary struct {
	Patients int64 `json:"patients"`
	Cells    int64 `json:"cells"`
	// Smallest is the size of the smallest cell, 0 where there is none.
	Smallest int64 `json:"smallest"`
	// K is the size that each cell should have; CellsBelowK and PatientsBelowK
	// count those that are smaller, and who is in them.
	K              int64 `json:"k"`
	CellsBelowK    int64 `json:"cellsBelowK"`
	PatientsBelowK int64 `json:"patientsBelowK"`
	// Minimum is the size below which the policy holds a run, 0 where it does not;
	// CellsBelowMinimum and PatientsBelowMinimum count those that are smaller.
	Minimum              int64 `json:"minimum"`
	CellsBelowMinimum    int64 `json:"cellsBelowMinimum"`
	PatientsBelowMinimum int64 `json:"patientsBelowMinimum"`
	// Sizes are the cells by size, without gaps, from 1 on.
	Sizes []Sizes `json:"sizes,omitempty"`
}

// Sizes counts the cells of From to To patients; To 0 is without end.
type Sizes struct {
	From     int64 `json:"from"`
	To       int64 `json:"to,omitempty"`
	Cells    int64 `json:"cells"`
	Patients int64 `json:"patients"`
}

// Summary sums up what was counted. The borders of its sizes are such that none
// goes across k or the minimum.
func (t *Tally) Summary(k, minimum int) Summary {
	s := Summary{K: int64(k), Minimum: int64(minimum), Sizes: ranges(int64(k), int64(minimum))}
	for _, n := range t.cells {
		s.Cells++
		s.Patients += n
		if s.Smallest == 0 || n < s.Smallest {
			s.Smallest = n
		}
		if n < s.K {
			s.CellsBelowK++
			s.PatientsBelowK += n
		}
		if n < s.Minimum {
			s.CellsBelowMinimum++
			s.PatientsBelowMinimum += n
		}
		i := sort.Search(len(s.Sizes), func(i int) bool { return s.Sizes[i].To == 0 || n <= s.Sizes[i].To })
		s.Sizes[i].Cells++
		s.Sizes[i].Patients += n
	}
	return s
}

// ranges are the sizes that cells are sorted by.
func ranges(k, minimum int64) []Sizes {
	begins := []int64{1, 2, 3, 5, 11, 21, 51, 101, 201, 501, 1001}
	for _, border := range []int64{k, minimum} {
		if border > 1 && border <= 1001 {
			begins = append(begins, border)
		}
	}
	slices.Sort(begins)
	begins = slices.Compact(begins)
	list := make([]Sizes, len(begins))
	for i, from := range begins {
		list[i].From = from
		if i+1 < len(begins) {
			list[i].To = begins[i+1] - 1
		}
	}
	return list
}

// Cell is a combination and how many patients have it.
type Cell struct {
	Values   []string `json:"values"`
	Patients int64    `json:"patients"`
}

// Small lists the cells of fewer than below patients, at most so many, the
// smallest first. They may point at a person.
func (t *Tally) Small(below int64, most int) []Cell {
	var keys []string
	for key, n := range t.cells {
		if n < below {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int {
		if n := t.cells[a] - t.cells[b]; n != 0 {
			return int(n)
		}
		if a < b {
			return -1
		}
		return 1
	})
	keys = keys[:min(len(keys), most)]
	list := make([]Cell, 0, len(keys))
	for _, key := range keys {
		c := Cell{Patients: t.cells[key]}
		if json.Unmarshal([]byte(key), &c.Values) == nil {
			list = append(list, c)
		}
	}
	return list
}
