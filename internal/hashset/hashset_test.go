package hashset

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSet(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 15, 16, 17, 10_000} {
		for _, distinct := range []uint64{1, 100, 1 << 60} {
			var s Set
			want := make(map[uint64]bool)
			for i := range n {
				h := rng.Uint64N(distinct)
				s.Add(h)
				want[h] = true
				if i%997 == 0 && s.Len() != len(want) {
					t.Fatalf("%d of %d", s.Len(), len(want))
				}
			}
			if !slices.Equal(s.Sorted(), slices.Sorted(maps.Keys(want))) {
				t.Errorf("%d of %d: other hashes", n, distinct)
			}
			if s.Has(distinct) || n > 0 && !s.Has(s.Sorted()[0]) {
				t.Error("it has what it has not, or the other way")
			}
			if c := cap(s.hashes); c > 2*len(want)+4*first {
				t.Errorf("%d hashes take room for %d", len(want), c)
			}
		}
	}
}
