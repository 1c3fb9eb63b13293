package fhirpath

// nodeSet is a set of nodes that is emptied without work and used again.
type nodeSet struct {
	marks []uint32
	turn  uint32
}

// takeSet gives an empty set; dropSet gives the last one back.
func (e *Evaluator) takeSet() *nodeSet {
	if e.free == len(e.sets) {
		e.sets = append(e.sets, &nodeSet{})
	}
	s := e.sets[e.free]
	e.free++
	if s.turn++; s.turn == 0 { // all numbers were used
		clear(s.marks)
		s.turn = 1
	}
	return s
}

func (e *Evaluator) dropSet() { e.free-- }

// add says whether the node is new.
func (s *nodeSet) add(n int32) bool {
	for int(n) >= len(s.marks) {
		s.marks = append(s.marks, make([]uint32, 256+len(s.marks))...)
	}
	if s.marks[n] == s.turn {
		return false
	}
	s.marks[n] = s.turn
	return true
}

// has reports whether the node is in the set.
func (s *nodeSet) has(n int32) bool { return int(n) < len(s.marks) && s.marks[n] == s.turn }

// same is what union, distinct and their kind go by.
func (e *Evaluator) same(a, b Item) bool {
	if e.dialect.NodeIdentity && a.Kind == KindNode && b.Kind == KindNode {
		return a.Node == b.Node
	}
	return e.equalItems(a, b) == yes
}

// has reports whether a collection has an item.
func (e *Evaluator) has(c Collection, i Item) bool {
	if !e.spend(len(c)) {
		return true
	}
	for _, x := range c {
		if e.same(x, i) {
			return true
		}
	}
	return false
}

// distinct gathers items without duplicates, on the arena from mark on. It is
// done when the set is given back.
type distinct struct {
	e    *Evaluator
	mark int
	set  *nodeSet
	// values says that there are items which are not in the set.
	values bool
	// texts are the texts among many items, in rule files, where a text equals
	// nothing but a text.
	texts map[string]struct{}
}

// manyItems are too many to compare each with each.
const manyItems = 64

func (e *Evaluator) startDistinct() distinct {
	d := distinct{e: e, mark: e.mark()}
	if e.dialect.NodeIdentity {
		d.set = e.takeSet()
	}
	return d
}

// startRepeat is startDistinct for repeat(): in rule files nodes are told apart
// there by where they are, by Microsoft's tool too.
func (e *Evaluator) startRepeat() distinct {
	d := e.startDistinct()
	if d.set == nil && e.dialect.Rules {
		d.set = e.takeSet()
	}
	return d
}

// push adds an item if it is new.
func (d *distinct) push(i Item) {
	e := d.e
	switch {
	case d.set != nil && i.Kind == KindNode && !d.values:
		if d.set.add(i.Node) {
			e.push(i)
		}
		return
	case d.set == nil && e.dialect.Rules && e.mark()-d.mark >= manyItems:
		if v, ok := e.value(i); ok && v.Kind == KindString {
			if d.newText(v.text()) {
				e.push(i)
			}
			return
		}
	}
	if !e.has(e.since(d.mark), i) {
		if i.Kind != KindNode {
			d.values = true
		} else if d.set != nil {
			d.set.add(i.Node)
		}
		e.push(i)
	}
}

// newText says whether a text is new, and notes it.
func (d *distinct) newText(text []byte) bool {
	if d.texts == nil {
		d.texts = make(map[string]struct{})
		for _, i := range d.e.since(d.mark) {
			if v, ok := d.e.value(i); ok && v.Kind == KindString {
				d.texts[string(v.text())] = struct{}{}
			}
		}
	}
	if _, is := d.texts[string(text)]; is {
		return false
	}
	d.texts[string(text)] = struct{}{}
	return d.e.spend(1)
}

func (d *distinct) done() Collection {
	if d.set != nil {
		d.e.dropSet()
	}
	return d.e.since(d.mark)
}

// membership answers whether items are in a collection.
type membership struct {
	e   *Evaluator
	of  Collection
	set *nodeSet
}

func (e *Evaluator) startMembership(of Collection) membership {
	m := membership{e: e, of: of}
	if e.dialect.NodeIdentity {
		m.set = e.takeSet()
		for _, i := range of {
			if i.Kind == KindNode {
				m.set.add(i.Node)
			}
		}
	}
	return m
}

func (m *membership) has(i Item) bool {
	if m.set != nil && i.Kind == KindNode && m.set.has(i.Node) {
		return true
	}
	if m.set == nil || i.Kind != KindNode {
		return m.e.has(m.of, i)
	}
	for _, x := range m.of { // values, which a node may equal
		if x.Kind != KindNode && m.e.same(x, i) {
			return true
		}
	}
	return false
}

func (m *membership) done() {
	if m.set != nil {
		m.e.dropSet()
	}
}
