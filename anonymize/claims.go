package anonymize

import (
	"cmp"
	"math/bits"
	"slices"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
	"fhirdeid/anonymize/policy"
)

// claim says which rule decides a node. The automaton knows it for rules whose
// paths are steps; the others claim their nodes line by line.
type claim struct {
	rule int
	// level is how far out the resource is whose rule this is.
	level int
	// direct says that the rule's path leads to the node, not only to one above.
	direct bool
}

// moment is when a rule is at work in a document: the rules of an outer resource
// all come before those of a resource in it.
type moment struct{ depth, rule int }

func (a moment) before(b moment) bool {
	return a.depth < b.depth || a.depth == b.depth && a.rule < b.rule
}

// never comes after all rules.
var never = moment{1 << 30, 0}

// claimOf is the rule that decides a node, as far as it is known.
func (w *worker) claimOf(i int32) claim {
	if len(w.claims) > 0 {
		return w.claims[i]
	}
	s := w.tape[i].state
	if s == nil {
		return claim{rule: none}
	}
	return claim{s.rule, s.level, s.direct}
}

// decidedAt is the moment when a node is decided, never if no rule does.
func (w *worker) decidedAt(i int32) moment {
	return w.momentOf(i, w.claimOf(i))
}

// momentOf is the moment of a claim on a node.
func (w *worker) momentOf(i int32, c claim) moment {
	if c.rule == none {
		return never
	}
	return moment{w.depthOf(i) - c.level, c.rule}
}

// depthOf is how many resources are around the one that a node belongs to. A
// resource belongs to itself.
func (w *worker) depthOf(i int32) int {
	if !w.nested {
		return 0
	}
	depth := -1
	for ; i >= 0; i = w.tape[i].parent {
		if w.tape[i].flags&resource != 0 {
			depth++
		}
	}
	return depth
}

// above goes some resources up from a node.
func (w *worker) above(i int32, level int) int32 {
	if !w.nested {
		return 0
	}
	for ; ; i = w.tape[i].parent {
		if w.tape[i].flags&resource != 0 {
			if level == 0 {
				return i
			}
			level--
		}
	}
}

// arrival is a node that belongs in a slot of a general rule's expression.
type arrival struct {
	resource int32 // whose rule it is
	bucket   int32
	node     int32
}

// evaluate runs the general rules of all resources of the line, an outer resource
// before those in it and each one's rules in the order of the file, and claims
// the nodes they lead to.
func (w *worker) evaluate() {
	w.arrivals = w.arrivals[:0]
	for i := range w.tape {
		for _, h := range w.tape[i].state.hits {
			at := int32(0)
			if w.nested {
				at = w.above(int32(i), h.level)
			}
			w.arrivals = append(w.arrivals, arrival{at, w.engine.routes[h.route].bucket, int32(i)})
		}
	}
	if len(w.arrivals) == 0 {
		return
	}
	w.claimAll()
	if w.nested {
		slices.SortStableFunc(w.arrivals, func(a, b arrival) int { return cmp.Compare(a.resource, b.resource) })
	}
	if w.buckets == nil {
		w.buckets = make([][]fhirpath.Item, len(w.engine.generalOf))
		w.due = make([]uint64, len(w.engine.generals)/64+1)
	}
	for rest := w.arrivals; len(rest) > 0 && w.fail == nil; {
		at, n := rest[0].resource, 0
		for ; n < len(rest) && rest[n].resource == at; n++ {
			b := &w.buckets[rest[n].bucket]
			*b = append(*b, fhirpath.NodeItem(rest[n].node))
			g := w.engine.generalOf[rest[n].bucket]
			w.due[g/64] |= 1 << (g % 64)
		}
		for k := range w.due {
			for ; w.due[k] != 0; w.due[k] &= w.due[k] - 1 {
				w.evaluateOne(at, &w.engine.generals[k*64+bits.TrailingZeros64(w.due[k])])
			}
		}
		for _, a := range rest[:n] {
			w.buckets[a.bucket] = w.buckets[a.bucket][:0]
		}
		rest = rest[n:]
	}
}

// pending is a node whose value or children are yet to be changed.
type pending struct {
	at   moment
	node int32
}

// settleBefore applies, in the order of the rules, what was decided before a moment
// of a resource and what it is in, of the two methods whose order tells: a substitute
// changes what nodes there are, and generalize may look at any of them.
func (w *worker) settleBefore(at int32, before moment) {
	w.pending = w.pending[:0]
	note := func(i int32) {
		c := w.claimOf(i)
		if c.rule == none || w.tape[i].flags&(done|dropped) != 0 {
			return
		}
		if m := w.engine.policy.Rules[c.rule].Method; m != policy.Substitute && m != policy.GeneralizeBy {
			return
		}
		if m := w.momentOf(i, c); m.before(before) {
			w.pending = append(w.pending, pending{m, i})
		}
	}
	for i := w.tape[at].parent; i >= 0; i = w.tape[i].parent {
		note(i)
	}
	for i := at; i < w.next(at); i++ {
		note(i)
	}
	slices.SortFunc(w.pending, func(a, b pending) int {
		return cmp.Or(cmp.Compare(a.at.depth, b.at.depth), cmp.Compare(a.at.rule, b.at.rule), cmp.Compare(a.node, b.node))
	})
	for _, p := range w.pending {
		if w.fail == nil {
			w.applyNow(p.node)
		}
	}
}

// enter is an evaluator that is not at work. While one is, a value that it asks
// for may have to be generalized first, by another one.
func (w *worker) enter() *fhirpath.Evaluator {
	if w.evaluating == len(w.evaluators) {
		w.evaluators = append(w.evaluators, fhirpath.NewEvaluator(fhirpath.Options{Model: w.model, Now: w.engine.asOf}))
	}
	w.evaluating++
	return w.evaluators[w.evaluating-1]
}

func (w *worker) leave() { w.evaluating-- }

// evaluateOne runs one general rule in one resource.
func (w *worker) evaluateOne(at int32, g *general) {
	if w.fail != nil {
		return
	}
	slots := w.buckets[g.bucket : g.bucket+g.slots]
	depth := w.depthOf(at)
	w.view = view{w, moment{depth, g.rule}, none}
	if g.afterSubstitute || depth > 0 && w.engine.substitutes {
		w.settleBefore(at, w.view.at)
	}
	if w.tape[at].flags&removed != 0 {
		return // a substitute has taken it out
	}
	if w.found = w.found[:0]; !w.runGuard(g, slots) && !w.evaluateWhole(at, g, slots) {
		return
	}
	for _, n := range w.found {
		w.claim(n, depth, g.rule)
	}
}

// runGuard finds the nodes of a rule that is a guard.
func (w *worker) runGuard(g *general, slots [][]fhirpath.Item) (ok bool) {
	if g.guard == nil || len(w.lists) > 0 {
		return false
	}
	for _, i := range slots[0] {
		if w.found, ok = g.guard.run(&w.view, i.Node, w.found); !ok {
			w.found = w.found[:0]
			return false
		}
	}
	return true
}

// evaluateWhole finds the nodes of a rule by the evaluator.
func (w *worker) evaluateWhole(at int32, g *general, slots [][]fhirpath.Item) (ok bool) {
	x := g.cut
	if len(w.lists) > 0 {
		x = g.whole // a substitute has moved nodes since the automaton went by
	}
	evaluator := w.enter()
	defer w.leave()
	nodes, err := evaluator.EvalSlots(x, &w.view, at, slots)
	if err != nil {
		w.fault(ReasonMethod, at, w.ruleText(g.rule)+": its path cannot be evaluated: "+err.Error())
		return false
	}
	for _, item := range nodes {
		if item.Kind != fhirpath.KindNode {
			w.fault(ReasonMethod, at, w.ruleText(g.rule)+": its path leads to a value, not to an element")
			return false
		}
		w.found = append(w.found, item.Node)
	}
	return true
}

// claim gives a node, and all below it but resources, to a rule of the resource
// at a depth, unless an earlier rule has it.
func (w *worker) claim(i int32, depth, rule int) {
	now := moment{depth, rule}
	if w.decidedAt(i).before(now) {
		return // then what is below it is decided as well
	}
	w.claims[i] = claim{rule, w.depthOf(i) - depth, true}
	level := w.claims[i].level
	for c := i + 1; c < w.tape[i].after; {
		n := &w.tape[c]
		if n.typ.Kind == fhirmodel.Resource {
			c = n.after
			continue
		}
		if old := w.claims[c]; old.rule == none || old.level < level || old.level == level && old.rule > rule {
			w.claims[c] = claim{rule: rule, level: level}
		}
		c++
	}
}
