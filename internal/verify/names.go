package verify

// names finds a type's members by their names in JSON: an open hash table, at most
// half full, whose hash looks at the length and three letters. Go's map would look
// at all of them, and this is asked for every member of every line.
type names struct {
	slots []*elem // as many as a power of two
	list  []*elem
}

func nameHash[T string | []byte](name T) uint32 {
	n := len(name)
	if n == 0 {
		return 0
	}
	return (uint32(n) | uint32(name[0])<<8 | uint32(name[n/2])<<16 | uint32(name[n-1])<<24) * 0x9e3779b1 >> 8
}

// get is the element of a name, or nil.
func (t *names) get(name []byte) *elem {
	if len(t.slots) == 0 {
		return nil
	}
	mask := uint32(len(t.slots) - 1)
	for i := nameHash(name) & mask; ; i = (i + 1) & mask {
		if e := t.slots[i]; e == nil || e.key == string(name) {
			return e
		}
	}
}

// add puts an element in. Each name is added once.
func (t *names) add(e *elem) {
	t.list = append(t.list, e)
	if 2*len(t.list) <= len(t.slots) {
		t.put(e)
		return
	}
	t.slots = make([]*elem, max(8, 2*len(t.slots)))
	for _, old := range t.list {
		t.put(old)
	}
}

func (t *names) put(e *elem) {
	mask := uint32(len(t.slots) - 1)
	i := nameHash(e.key) & mask
	for t.slots[i] != nil {
		i = (i + 1) & mask
	}
	t.slots[i] = e
}
