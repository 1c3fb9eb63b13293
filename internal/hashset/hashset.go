// Package hashset is a set of 64-bit hashes in little memory: eight bytes each, and
// room to grow. It is for what is counted of a file's lines, of which there may be
// millions, and of each twice.
package hashset

import "slices"

// Set is a set of hashes. The zero Set is empty.
type Set struct {
	// hashes are sorted and single up to sorted; behind that as they came.
	hashes []uint64
	sorted int
}

// first is how much room a set begins with.
const first = 16

// Add adds a hash.
func (s *Set) Add(h uint64) {
	if len(s.hashes) == cap(s.hashes) {
		s.settle()
		if len(s.hashes) > cap(s.hashes)*3/4 { // few were there twice
			s.hashes = slices.Grow(s.hashes, max(first, cap(s.hashes)/2))
		}
	}
	s.hashes = append(s.hashes, h)
}

func (s *Set) settle() {
	if s.sorted < len(s.hashes) {
		slices.Sort(s.hashes)
		s.hashes = slices.Compact(s.hashes)
		s.sorted = len(s.hashes)
	}
}

// Sorted returns the hashes in order. It is the set's own memory, until Add.
func (s *Set) Sorted() []uint64 {
	s.settle()
	return s.hashes
}

// Len is how many hashes there are.
func (s *Set) Len() int { return len(s.Sorted()) }

// Has reports whether a hash is in the set.
func (s *Set) Has(h uint64) bool {
	_, found := slices.BinarySearch(s.Sorted(), h)
	return found
}
