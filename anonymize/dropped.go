package anonymize

import (
	_ "embed"

	"fhirdeid/anonymize/fhirmodel"
)

// Drops counts what did not come through, of lines that were written: a line that
// a policy drops whole is counted under its type.
type Drops struct {
	// Paths counts values by element path, such as "Patient.name.family"; those in
	// a resource in a resource by the path in that one.
	Paths map[string]int64
	// Extensions counts extensions of which nothing is left, by URL; CodeSystems
	// codings, by system. What is on no built-in list of public URLs may be a
	// site's own, and is counted as OtherURLs.
	Extensions, CodeSystems map[string]int64
}

const (
	// OtherURLs stands for URLs that are on no list of public ones.
	OtherURLs = "others"
	// NoURL stands for an extension or coding that names none.
	NoURL = "none"
	// MorePaths stands for paths beyond those that are counted one by one.
	MorePaths = "(more)"
)

// maxDropPaths bounds the paths that are counted one by one: a line may nest
// elements in each other without end.
const maxDropPaths = 4096

//go:embed registry.txt
var registryText string

func (d *Drops) add(o Drops) {
	if d.Paths == nil {
		*d = Drops{Paths: make(map[string]int64), Extensions: make(map[string]int64), CodeSystems: make(map[string]int64)}
	}
	for _, m := range []struct{ into, from map[string]int64 }{{d.Paths, o.Paths}, {d.Extensions, o.Extensions}, {d.CodeSystems, o.CodeSystems}} {
		for k, n := range m.from {
			m.into[k] += n
		}
	}
}

// dropCounter counts the drops of a chunk. It knows the paths it has met, so that
// a value costs a look at a list; its counts are taken chunk by chunk.
type dropCounter struct {
	roots map[*fhirmodel.Type]*dropPath
	all   []*dropPath
	more  dropPath
	at    []dropPlace // by the tape's index

	extensions, codeSystems map[string]int64
}

// dropPath is an element path.
type dropPath struct {
	name  string
	count int64
	next  []*dropPath // by the element's index
}

type dropPlace struct {
	path *dropPath
	// gone says that nothing here is written.
	gone bool
}

// count counts what the worker's line has lost.
func (c *dropCounter) count(w *worker) {
	if c.roots == nil {
		c.roots = make(map[*fhirmodel.Type]*dropPath)
		c.extensions, c.codeSystems = make(map[string]int64), make(map[string]int64)
	}
	c.at = c.at[:0]
	for i := range w.tape {
		n := &w.tape[i]
		if i == 0 {
			c.at = append(c.at, dropPlace{path: c.root(n.typ)})
			continue
		}
		up := c.at[n.parent]
		here := dropPlace{gone: up.gone || n.flags&alive == 0}
		if n.flags&resource != 0 {
			here.path = c.root(n.typ)
		} else {
			here.path = c.child(up.path, n.elem)
		}
		c.at = append(c.at, here)
		if !here.gone || n.state == nil {
			continue // it is written, or was put in by a rule
		}
		switch {
		case n.end != 0 && n.typ.Kind.Primitive():
			here.path.count++
		case n.typ.Name == "Extension" && w.tape[n.parent].typ.Name != "Extension":
			c.extensions[w.publicURL(int32(i), "url")]++
		case n.typ.Name == "Coding":
			c.codeSystems[w.publicURL(int32(i), "system")]++
		}
	}
}

// publicURL is the URL that a child of a node has in the line, if it is public.
func (w *worker) publicURL(i int32, name string) string {
	for c := i + 1; c < w.tape[i].after; c = max(w.tape[c].after, c+1) {
		if n := &w.tape[c]; n.elem.Name == name && n.end != 0 && n.state != nil {
			if url := string(w.plainText(n)); w.engine.lists.public[url] {
				return url
			}
			return OtherURLs
		}
	}
	return NoURL
}

func (c *dropCounter) root(t *fhirmodel.Type) *dropPath {
	p := c.roots[t]
	if p == nil {
		p = c.path(t.Name)
		c.roots[t] = p
	}
	return p
}

func (c *dropCounter) child(up *dropPath, e *fhirmodel.Element) *dropPath {
	if up == &c.more {
		return up
	}
	if e.Index >= len(up.next) {
		up.next = append(up.next, make([]*dropPath, e.Index+1-len(up.next))...)
	}
	p := up.next[e.Index]
	if p == nil {
		p = c.path(up.name + "." + e.Key)
		up.next[e.Index] = p
	}
	return p
}

func (c *dropCounter) path(name string) *dropPath {
	if len(c.all) == maxDropPaths {
		return &c.more
	}
	p := &dropPath{name: name}
	c.all = append(c.all, p)
	return p
}

// reset forgets what a stream that was broken off has left.
func (c *dropCounter) reset() {
	clear(c.extensions)
	clear(c.codeSystems)
	for _, p := range c.all {
		p.count = 0
	}
	c.more.count = 0
}

// take adds the counts to others.
func (c *dropCounter) take(into *Drops) {
	into.add(Drops{Extensions: c.extensions, CodeSystems: c.codeSystems})
	for _, p := range c.all {
		if p.count > 0 {
			into.Paths[p.name] += p.count
		}
	}
	if c.more.count > 0 {
		into.Paths[MorePaths] += c.more.count
	}
}
