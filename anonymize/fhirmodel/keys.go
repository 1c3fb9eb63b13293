package fhirmodel

// keyTable finds an element by its JSON member. It is an open hash table that is
// at most half full; its hash looks at three bytes only, since the names of one
// type's members are few and differ early.
type keyTable struct {
	slots []*Element // as many as a power of two
	count int
}

func hashKey(key []byte) uint {
	n := uint(len(key))
	if n == 0 {
		return 0
	}
	h := uint(key[0]) + uint(key[n/2])<<5 + uint(key[n-1])<<10 + n<<3
	return h * 0x9e3779b1 >> 16
}

func (t *keyTable) find(key []byte) *Element {
	if len(t.slots) == 0 {
		return nil
	}
	mask := uint(len(t.slots) - 1)
	for i := hashKey(key) & mask; ; i = (i + 1) & mask {
		e := t.slots[i]
		if e == nil || string(key) == e.Key {
			return e
		}
	}
}

// add puts an element into the table. Of two with the same member the later
// counts.
func (t *keyTable) add(e *Element) {
	if t.count++; 2*t.count > len(t.slots) {
		old := t.slots
		t.slots = make([]*Element, max(4, 2*len(old)))
		for _, o := range old {
			if o != nil {
				t.put(o)
			}
		}
	}
	t.put(e)
}

func (t *keyTable) put(e *Element) {
	mask := uint(len(t.slots) - 1)
	for i := hashKey([]byte(e.Key)) & mask; ; i = (i + 1) & mask {
		if o := t.slots[i]; o == nil || o.Key == e.Key {
			t.slots[i] = e
			return
		}
	}
}
