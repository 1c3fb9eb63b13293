package verify

import "strings"

// walk goes through one result. It is used again for the next line.
type walk struct {
	reader   // of the result
	c        *Checker
	line     int64
	given    inputs // of the input line
	findings []Finding
	found    [2]int // by severity
	// root is the type of the line's resource, path the members from it to where
	// the walk is, at the type of what stands there.
	root *typ
	path []step
	at   *typ
	// forbidden says that the walk is in something of which nothing may be left.
	forbidden bool
	// loosenedExtension says that the extension is one that the policy lets pass.
	loosenedExtension bool
	// contained are the ids of contained resources, as nodes.
	contained []int32
	// local are the references to them, with the number of steps that lead there.
	local []localReference
}

// step is one member of a path.
type step struct {
	in   *typ
	elem *elem
}

func (w *walk) reset(line int64) {
	w.line, w.findings, w.found = line, nil, [2]int{}
	w.root, w.at, w.path, w.forbidden = nil, nil, w.path[:0], false
	w.contained, w.local = w.contained[:0], w.local[:0]
	w.given.reset()
}

// find adds a finding where the walk is.
func (w *walk) find(s Severity, class string) { w.findAt(s, class, w.pathText("")) }

func (w *walk) findAt(s Severity, class, path string) {
	if s == Hard && len(w.c.loosened) > 0 && w.isLoosened() {
		s = Soft
	}
	if w.found[s]++; w.found[s] <= maxFindings {
		w.findings = append(w.findings, Finding{Severity: s, Class: class, Path: path, Line: w.line})
	}
}

// pathText is the element path of where the walk is, with a member behind it.
func (w *walk) pathText(member string) string {
	if w.root == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(w.root.path)
	for _, s := range w.path {
		b.WriteByte('.')
		b.WriteString(s.elem.key)
	}
	b.WriteString(member)
	return b.String()
}

// result reads and checks a whole resource.
func (w *walk) result(out []byte) {
	if !w.read(out) || w.nodes[0].kind != '{' {
		w.find(Hard, ClassNotJSON)
		return
	}
	w.resource(0, false)
	w.dangling()
}

// resource checks a resource; inner says that it stands in another.
func (w *walk) resource(i int32, inner bool) {
	t := w.c.model.types[string(w.childText(i, "resourceType"))]
	if t == nil || !t.resource {
		w.find(Hard, ClassUnknown)
		return
	}
	if !inner {
		w.root = t
	}
	w.at = t
	if t.forbidden[w.c.claim] && !w.mayBeLoosened() {
		w.find(Hard, ClassUnlisted)
	}
	w.members(i, t)
}

// members checks each member of an object by its element.
func (w *walk) members(i int32, t *typ) {
	if t.ageBearer && w.c.claim == safeHarbor {
		w.ageObservation(i, t)
	}
	var seen uint64 // lengths and first letters of keys: most objects have no two alike
	for c := i + 1; c < w.nodes[i].after; c = w.nodes[c].after {
		key := w.keyOf(&w.nodes[c])
		if len(key) > 0 {
			bit := uint64(1) << ((uint(key[0])*7 + uint(key[len(key)-1])*3 + uint(len(key))) % 64)
			if seen&bit != 0 && w.twice(i, c, key) {
				w.find(Hard, ClassNotJSON)
			}
			seen |= bit
		}
		if t.resource && string(key) == "resourceType" {
			continue
		}
		sibling := len(key) > 0 && key[0] == '_'
		if sibling {
			key = key[1:]
		}
		e := t.members.get(key)
		if e == nil {
			w.findAt(Hard, ClassUnknown, w.pathText(".unknown"))
			continue
		}
		w.path = append(w.path, step{t, e})
		if w.nodes[c].kind == '[' {
			for item := c + 1; item < w.nodes[c].after; item = w.nodes[item].after {
				w.value(item, e, i, sibling)
			}
		} else {
			w.value(c, e, i, sibling)
		}
		w.path = w.path[:len(w.path)-1]
	}
}

// twice reports whether an object has a member of the name already before c.
func (w *walk) twice(i, c int32, key []byte) bool {
	for o := i + 1; o < c; o = w.nodes[o].after {
		if string(w.keyOf(&w.nodes[o])) == string(key) {
			return true
		}
	}
	return false
}

// value checks a value of an element of the object holder. sibling says that it
// is the id and extensions of a primitive.
func (w *walk) value(i int32, e *elem, holder int32, sibling bool) {
	n := &w.nodes[i]
	w.at = e.typ
	switch {
	case n.kind == 'n':
	case sibling:
		if n.kind != '{' {
			w.find(Hard, ClassNotJSON)
			return
		}
		w.at = w.c.model.element
		w.members(i, w.c.model.element)
	case e.anyResource:
		if n.kind != '{' {
			w.find(Hard, ClassNotJSON)
			return
		}
		if e.name == "contained" {
			w.contained = append(w.contained, i)
		}
		w.resource(i, true)
	case n.kind == '{':
		w.complex(i, e)
	default:
		w.primitive(i, e, holder)
	}
}

// complex checks an object that is no resource.
func (w *walk) complex(i int32, e *elem) {
	switch {
	case w.forbidden || w.isMask(i):
	case e.typ.forbidden[w.c.claim] || e.class[w.c.claim] == classNothing:
		if !w.mayBeLoosened() {
			w.find(Hard, ClassUnlisted)
			return
		}
		// A part of it is loosened: each part is looked at.
		w.forbidden = true
		defer func() { w.forbidden = false }()
	case e.typ.kind == extensionKind:
		inner := len(w.path) > 1 && w.path[len(w.path)-1].in.kind == extensionKind
		if !w.extension(i, inner) {
			return
		}
	case e.typ.primitive:
		w.find(Hard, ClassNotJSON)
		return
	}
	w.members(i, e.typ)
}
