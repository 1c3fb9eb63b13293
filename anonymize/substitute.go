package anonymize

import (
	"slices"

	"fhirdeid/anonymize/fhirmodel"
)

// substitute replaces the element that the rule's path leads to, of which i is a
// part. What an earlier rule has decided stays as it is; all else below the
// element is the replacement's. Where a path leads to an element and to one around
// it, whatever their order in the path, the outer one is replaced.
func (w *worker) substitute(i int32, c claim) {
	for w.tape[i].flags&resource == 0 {
		p := w.tape[i].parent
		if p < 0 || w.claimOf(p).rule != c.rule || w.claimOf(p).level != c.level {
			break
		}
		i = p
	}
	if w.tape[i].flags&(done|dropped) != 0 {
		return
	}
	if w.strict && w.tape[i].flags&hasValue == 0 && w.tape[i].typ.Kind.Primitive() {
		return
	}
	w.claimAll()
	w.tape[i].flags |= done
	w.methods[w.engine.methods[c.rule]]++
	r := &w.engine.policy.Rules[c.rule]
	now := w.decidedAt(i)
	if w.tape[i].typ.Kind.Primitive() {
		w.record(i, opSubstitute)
		w.keepDecided(i, now)
		n := &w.tape[i]
		if r.ReplaceWith.Null {
			w.remove(n)
		} else {
			w.setString(n, []byte(r.ReplaceWith.Text))
		}
		return
	}
	f, fail := w.fragmentOf(c.rule, w.tape[i].typ)
	if fail != nil {
		w.fault(ReasonMethod, i, w.ruleText(c.rule)+": \"replaceWith\" is no "+w.tape[i].typ.Path+": "+fail.Error())
		return
	}
	w.record(i, opSubstitute)
	w.merge(i, f, 0, now)
}

// merge makes the children of node x those of node at of a fragment: by name and
// place, where x has children of that name.
func (w *worker) merge(x int32, f *fragment, at int32, now moment) {
	var list []int32
	var used []int32
	seen := make(map[string]int)
	for _, c := range w.childrenOf(x) {
		name := w.tape[c].elem.Name
		with := f.child(at, name, seen[name])
		seen[name]++
		decided := w.decidedAt(c).before(now)
		switch {
		case decided:
			list = append(list, c)
		case with != none && f.tape[with].elem == w.tape[c].elem && f.tape[with].typ == w.tape[c].typ:
			w.replace(c, f, with, now)
			list = append(list, c)
		case w.decidedBelow(c, now):
			w.empty(c, now)
			list = append(list, c)
		default:
			w.takeOut(c, now)
			if with != none { // another variant of a choice, or another resource: a new node takes its place
				list = append(list, w.graft(x, f, with))
			}
		}
		if with != none {
			used = append(used, with)
		}
	}
	for _, with := range f.children(at) {
		if slices.Contains(used, with) {
			continue
		}
		behind := len(list)
		for k := len(list) - 1; k >= 0; k-- {
			if w.tape[list[k]].elem == f.tape[with].elem {
				behind = k + 1
				break
			}
		}
		list = slices.Insert(list, behind, w.graft(x, f, with))
	}
	w.lists[x] = list
	w.tape[x].flags |= touched
}

// replace gives a node the value and the children of one of the fragment.
func (w *worker) replace(c int32, f *fragment, with int32, now moment) {
	w.tape[c].flags |= done
	n := &w.tape[c]
	if n.typ.Kind.Primitive() {
		if v := f.value(with); v != nil {
			begin := len(w.values)
			w.values = append(w.values, v...)
			n.flags |= hasValue
			w.set(n, begin)
		} else {
			w.remove(n)
		}
	}
	w.merge(c, f, with, now)
}

// empty removes all of a node but what was decided before now.
func (w *worker) empty(c int32, now moment) {
	w.tape[c].flags |= done | touched
	w.remove(&w.tape[c])
	w.keepDecided(c, now)
}

// keepDecided takes out of a node what is below it, but for what was decided before
// now and what that stands in.
func (w *worker) keepDecided(i int32, now moment) {
	list := w.childrenOf(i)
	kept := list[:0]
	for _, c := range list {
		switch {
		case w.decidedAt(c).before(now):
		case w.decidedBelow(c, now):
			w.empty(c, now)
		default:
			if w.tape[c].elem.Name == "url" && w.tape[i].typ.Name == "Extension" {
				w.tape[i].flags |= urlLost
			}
			w.takeOut(c, now)
			continue
		}
		kept = append(kept, c)
	}
	if len(list) > 0 {
		w.lists[i] = kept
	}
}

// takeOut is for a node that is taken out: no rule is applied to it any more, nor to
// what is below it.
func (w *worker) takeOut(i int32, now moment) {
	for c := i; c < w.next(i); c++ {
		if n := &w.tape[c]; !w.decidedAt(c).before(now) {
			w.remove(n)
			n.flags |= done
		}
	}
}

// decidedBelow reports whether something below a node was decided before now.
func (w *worker) decidedBelow(i int32, now moment) bool {
	for c := i + 1; c < w.tape[i].after; c++ {
		if w.decidedAt(c).before(now) {
			return true
		}
	}
	return false
}

// childrenOf are the children of a node as they are now.
func (w *worker) childrenOf(x int32) []int32 {
	if list, moved := w.lists[x]; moved {
		return slices.Clone(list)
	}
	var list []int32
	for c := x + 1; c < w.tape[x].after; c = w.next(c) {
		list = append(list, c)
	}
	return list
}

// graft puts a copy of a fragment's node with all below it behind the tape. Its
// place is told by the list of its parent until the tape is rebuilt.
func (w *worker) graft(parent int32, f *fragment, at int32) int32 {
	base := int32(len(w.tape))
	owner := claim{rule: w.claims[parent].rule, level: w.claims[parent].level}
	for k := at; k < max(f.tape[at].after, at+1); k++ {
		n := f.tape[k]
		n.parent += base - at
		if k == at {
			n.parent = parent
		}
		n.after = max(n.after, k+1) + base - at
		n.state = nil
		n.flags = n.flags&(hasValue|resource) | done | touched
		if v := f.value(k); v != nil {
			n.outStart = int32(len(w.values))
			w.values = append(w.values, v...)
			n.outEnd = int32(len(w.values))
			n.flags |= replaced
		}
		w.tape = append(w.tape, n)
		w.claims = append(w.claims, owner)
	}
	return base
}

// rebuild puts the tape in order again after children have moved.
func (w *worker) rebuild() {
	w.moved = true
	old, claims := w.tape, w.claims
	w.tape, w.claims = nil, nil
	var walk func(i, parent int32)
	walk = func(i, parent int32) {
		at := int32(len(w.tape))
		n := old[i]
		n.parent = parent
		w.tape = append(w.tape, n)
		w.claims = append(w.claims, claims[i])
		list, moved := w.lists[i]
		if !moved {
			for c := i + 1; c < old[i].after; c = max(old[c].after, c+1) {
				list = append(list, c)
			}
		}
		for _, c := range list {
			walk(c, at)
		}
		w.tape[at].after = int32(len(w.tape))
	}
	walk(0, none)
	clear(w.lists)
}

// claimAll makes the claims of all nodes, where only the automaton knows them
// yet.
func (w *worker) claimAll() {
	if len(w.claims) > 0 {
		return
	}
	for i := range w.tape {
		s := w.tape[i].state
		w.claims = append(w.claims, claim{s.rule, s.level, s.direct})
	}
}

// fragment is a "replaceWith" read as one type.
type fragment struct {
	tape   []node
	values []byte
}

type fragmentKey struct {
	rule int
	typ  *fhirmodel.Type
}

// fragmentOf reads a rule's replacement as a type, once.
func (w *worker) fragmentOf(rule int, typ *fhirmodel.Type) (*fragment, *LineError) {
	key := fragmentKey{rule, typ}
	if f := w.fragments[key]; f != nil {
		return f, nil
	}
	with := w.engine.policy.Rules[rule].ReplaceWith
	object := with.Object
	switch {
	case with.Null:
		object = []byte("{}")
	case object == nil:
		return nil, &LineError{Reason: ReasonMethod, detail: "it is no object"}
	}
	reader := worker{engine: w.engine, scanner: newScanner(w.model, nil, false)}
	reader.data = object
	root := reader.addNode(node{typ: typ, state: reader.rules.root(typ), parent: none})
	reader.space()
	reader.object(root, false)
	if reader.fail != nil {
		return nil, reader.fail
	}
	f := &fragment{}
	f.sorted(reader.tape, 0, none)
	for i := range f.tape {
		n := &f.tape[i]
		if n.flags&hasValue == 0 {
			continue
		}
		n.outStart = int32(len(f.values))
		f.values = reader.emitValue(f.values, n)
		n.outEnd = int32(len(f.values))
	}
	w.fragments[key] = f
	return f, nil
}

// sorted copies a node with all below it, the children in the order of the
// definition, as Microsoft's tool has them.
func (f *fragment) sorted(tape []node, i, parent int32) {
	at := int32(len(f.tape))
	f.tape = append(f.tape, tape[i])
	f.tape[at].parent = parent
	var children []int32
	for c := i + 1; c < tape[i].after; c = max(tape[c].after, c+1) {
		children = append(children, c)
	}
	slices.SortStableFunc(children, func(a, b int32) int { return tape[a].elem.Index - tape[b].elem.Index })
	for _, c := range children {
		f.sorted(tape, c, at)
	}
	f.tape[at].after = int32(len(f.tape))
}

// value is the canonical JSON of a primitive, or nil where it has none.
func (f *fragment) value(i int32) []byte {
	if n := &f.tape[i]; n.flags&hasValue != 0 {
		return f.values[n.outStart:n.outEnd]
	}
	return nil
}

// children are the nodes right below one.
func (f *fragment) children(at int32) []int32 {
	var list []int32
	for c := at + 1; c < f.tape[at].after; c = max(f.tape[c].after, c+1) {
		list = append(list, c)
	}
	return list
}

// child is the nth child with a name, or none.
func (f *fragment) child(at int32, name string, nth int) int32 {
	for _, c := range f.children(at) {
		if f.tape[c].elem.Name == name {
			if nth == 0 {
				return c
			}
			nth--
		}
	}
	return none
}
