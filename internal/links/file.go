package links

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"sync"

	"fhirdeid/internal/hashset"
)

// File collects what is in one file and where it leads. It is safe for concurrent
// use.
type File struct {
	isType func(name []byte) bool

	mu        sync.Mutex
	resources hashset.Set
	targets   map[target]uint64
	types     []string // the target's types, by number
	inside    Inside
}

// Inside counts references that a line alone decides.
type Inside struct {
	// Found and Lost are those to what is, or is not, contained in the same line.
	Found, Lost uint64
	// Other are those of a form that names no resource of the data, such as another
	// server's URL.
	Other uint64
}

type target struct {
	hash uint64
	typ  int
}

// NewFile collects for a file. isType tells the names of resource types: a record
// holds none but those.
func NewFile(isType func(name []byte) bool) *File {
	return &File{isType: isType, targets: make(map[target]uint64)}
}

var (
	typeHead  = []byte(`{"resourceType":"`)
	idHead    = []byte(`","id":"`)
	reference = []byte(`"reference":"`)
	// bundleHead begins a line that holds resources of its own.
	bundleHead = []byte(`{"resourceType":"Bundle"`)
)

// Add takes a de-identified line, in the compact form that the engine writes. The
// name of a member cannot be taken for a text, in which quotes are escaped.
func (f *File) Add(line []byte) {
	own, ok := ownHash(line)
	var room [16]lead
	leads, inside := room[:0], Inside{}
	for rest := line; ; {
		i := bytes.Index(rest, reference)
		if i < 0 {
			break
		}
		rest = rest[i+len(reference):]
		if end := bytes.IndexByte(rest, '"'); end >= 0 {
			leads = f.reference(leads, &inside, line, rest[:end])
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if ok {
		f.resources.Add(own)
	}
	for _, l := range leads {
		f.targets[target{l.hash, f.number(l.typ)}]++
	}
	f.inside.Found += inside.Found
	f.inside.Lost += inside.Lost
	f.inside.Other += inside.Other
}

// lead is a reference of a line under way.
type lead struct {
	hash uint64
	typ  []byte
}

// number is the number of a type, a new one for one that was not there.
func (f *File) number(typ []byte) int {
	for i, name := range f.types {
		if name == string(typ) {
			return i
		}
	}
	f.types = append(f.types, string(typ))
	return len(f.types) - 1
}

// ownHash is that of the line's own type and id.
func ownHash(line []byte) (uint64, bool) {
	rest, ok := bytes.CutPrefix(line, typeHead)
	if !ok {
		return 0, false
	}
	if typ, after, ok := bytes.Cut(rest, idHead); ok && bytes.IndexByte(typ, '"') < 0 {
		id, _, ok := bytes.Cut(after, []byte{'"'})
		return hash(typ, id), ok
	}
	var r struct { // its id does not come right behind its type
		Type string `json:"resourceType"`
		ID   string `json:"id"`
	}
	if json.Unmarshal(line, &r) != nil || r.ID == "" {
		return 0, false
	}
	return hash([]byte(r.Type), []byte(r.ID)), true
}

// reference takes the text of a reference: it is among the leads, or decided here.
func (f *File) reference(leads []lead, inside *Inside, line, text []byte) []lead {
	if id, ok := bytes.CutPrefix(text, []byte{'#'}); ok {
		// "#" alone is the resource that contains this one.
		inside.add(len(id) == 0 || hasMember(line, "id", id))
		return leads
	}
	if bytes.HasPrefix(text, []byte("urn:")) {
		inside.add(hasMember(line, "fullUrl", text))
		return leads
	}
	text, _, _ = bytes.Cut(text, []byte{'#'})
	text, _, _ = bytes.Cut(text, []byte("/_history/"))
	if bytes.HasPrefix(line, bundleHead) && inBundle(line, text) {
		inside.add(true)
		return leads
	}
	typ, id, ok := bytes.Cut(text, []byte{'/'})
	if !ok || len(id) == 0 || bytes.IndexByte(id, '/') >= 0 || !f.isType(typ) {
		inside.Other++
		return leads
	}
	return append(leads, lead{hash(typ, id), typ})
}

func (n *Inside) add(found bool) {
	if found {
		n.Found++
	} else {
		n.Lost++
	}
}

// hasMember reports whether a line has a member with just that text.
func hasMember(line []byte, name string, text []byte) bool {
	head := []byte(`"` + name + `":"`)
	for rest := line; ; {
		i := bytes.Index(rest, head)
		if i < 0 {
			return false
		}
		rest = rest[i+len(head):]
		if bytes.HasPrefix(rest, text) && len(rest) > len(text) && rest[len(text)] == '"' {
			return true
		}
	}
}

// inBundle reports whether a resource of that Type/id is an entry of the line.
func inBundle(line, text []byte) bool {
	typ, id, ok := bytes.Cut(text, []byte{'/'})
	return ok && bytes.Contains(line, bytes.Join([][]byte{[]byte(`"resourceType":"`), typ, idHead, id, {'"'}}, nil))
}

// hash is FNV-1a of Type/id, with its bits mixed once more.
func hash(typ, id []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, part := range [3][]byte{typ, {'/'}, id} {
		for _, c := range part {
			h = (h ^ uint64(c)) * 1099511628211
		}
	}
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return h ^ h>>32
}

// Count is how many resources with an id there are.
func (f *File) Count() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(f.resources.Len())
}

// Bytes returns the file's record. The same lines give the same bytes, whatever
// their order.
func (f *File) Bytes() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	there := f.resources.Sorted()
	b := binary.AppendUvarint(nil, uint64(len(there)))
	for _, h := range there {
		b = binary.LittleEndian.AppendUint64(b, h)
	}
	types := slices.Sorted(slices.Values(f.types))
	b = binary.AppendUvarint(b, uint64(len(types)))
	for _, name := range types {
		b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
	}
	type row struct {
		hash, count uint64
		typ         int
	}
	rows := make([]row, 0, len(f.targets))
	for t, n := range f.targets {
		typ, _ := slices.BinarySearch(types, f.types[t.typ])
		rows = append(rows, row{t.hash, n, typ})
	}
	slices.SortFunc(rows, func(a, b row) int {
		switch {
		case a.hash < b.hash:
			return -1
		case a.hash > b.hash:
			return 1
		}
		return a.typ - b.typ
	})
	b = binary.AppendUvarint(b, uint64(len(rows)))
	for _, r := range rows {
		b = binary.LittleEndian.AppendUint64(b, r.hash)
		b = binary.AppendUvarint(b, uint64(r.typ))
		b = binary.AppendUvarint(b, r.count)
	}
	for _, n := range []uint64{f.inside.Found, f.inside.Lost, f.inside.Other} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}
