package anonymize

import (
	"cmp"
	"encoding/binary"
	"slices"

	"fhirdeid/anonymize/fhirmodel"
)

// none is no rule.
const none = -1

// state is where the rules stand at a node: which rule decides the node, and
// which paths may go on below it. States are made when a line first needs them,
// and found again by every later line.
type state struct {
	// rule decides the node, or none. A node's first rule wins, and a rule on a
	// node holds for what is below it.
	rule int
	// direct says that the rule's path ends here, not further up.
	direct bool
	// level is how far out the resource is whose rule this is: a container's
	// rules come before those of a resource in it.
	level int
	// going are the paths that may go on.
	going []going
	// hits are the slots of general rules that the node belongs in.
	hits []hit
	// context is the resource the node belongs to.
	context *fhirmodel.Type

	// quick says what is done to a value here, where that needs no look at it.
	quick quick

	typ *fhirmodel.Type
	// next has the state of each child, by the element's index; nested has those
	// of resources in the node, by type.
	next   []*state
	nested map[*fhirmodel.Type]*state
	// edges is what the scanner knows of the members, by the element's index;
	// firstEdge is the one that was taken first the last time.
	edges     []*edge
	firstEdge *edge
}

// hit says that a route to a slot ends at a node; level is how far out its
// resource is.
type hit struct{ level, route int }

// going is a path that has come as far as step.
type going struct {
	level, route, step int
	// floating says that the step is a descendant: it is tried at every depth of
	// its resource.
	floating bool
}

// automaton makes states. Each worker has one, so that nothing is shared.
type automaton struct {
	model  *fhirmodel.Model
	routes []route
	known  map[string]*state
	roots  map[*fhirmodel.Type]*state
	// quick is the engine's; nil where nothing is decided.
	quick func(rule int, t *fhirmodel.Type) quick
}

func newAutomaton(model *fhirmodel.Model, routes []route) *automaton {
	return &automaton{model: model, routes: routes, known: make(map[string]*state), roots: make(map[*fhirmodel.Type]*state)}
}

// root is the state of a resource that is a line of its own.
func (a *automaton) root(t *fhirmodel.Type) *state {
	s := a.roots[t]
	if s == nil {
		b := builder{a: a}
		b.enter(t, nil)
		s = b.state(t, t)
		a.roots[t] = s
	}
	return s
}

// child is the state of an element below s. t is the element's type, or that of
// the resource which stands there.
func (a *automaton) child(s *state, e *fhirmodel.Element, t *fhirmodel.Type) *state {
	if t.Kind == fhirmodel.Resource {
		next := s.nested[t]
		if next == nil {
			next = a.make(s, e, t)
			if s.nested == nil {
				s.nested = make(map[*fhirmodel.Type]*state)
			}
			s.nested[t] = next
		}
		return next
	}
	if s.next == nil {
		s.next = make([]*state, max(len(s.typ.Elements), 2))
	}
	next := s.next[e.Index]
	if next == nil {
		next = a.make(s, e, t)
		s.next[e.Index] = next
	}
	return next
}

func (a *automaton) make(s *state, e *fhirmodel.Element, t *fhirmodel.Type) *state {
	nested := t.Kind == fhirmodel.Resource
	b := builder{a: a}
	out := 0
	if nested {
		out = 1 // the rules so far are those of an outer resource from here on
	}
	for _, g := range s.going {
		st := a.routes[g.route].steps[g.step]
		switch {
		case g.floating && nested:
			continue // not entered, and not returned
		case g.floating:
			b.going = append(b.going, g)
			if matchesDescendant(st, e, t) {
				b.arrive(g.level, g.route, g.step, e, t)
			}
		case st.name == e.Name && (st.typ == "" || st.typ == t.Name):
			b.arrive(g.level+out, g.route, g.step, e, t)
		}
	}
	for i := range a.routes {
		r := &a.routes[i]
		if r.index && matchesDescendant(r.steps[0], e, t) {
			b.arrive(out, i, 0, e, t)
		}
	}
	context := s.context
	if nested {
		context = t
		b.enter(t, e)
	} else if s.rule != none {
		b.candidates = append(b.candidates, candidate{s.level, s.rule, false})
	}
	return b.state(t, context)
}

func matchesDescendant(st step, e *fhirmodel.Element, t *fhirmodel.Type) bool {
	if st.typ != "" && st.typ != t.Name {
		return false
	}
	return st.byType != "" && st.byType == t.Name || st.byName != "" && e != nil && st.byName == e.Name
}

// builder collects what a new state is made of.
type builder struct {
	a          *automaton
	going      []going
	hits       []hit
	candidates []candidate
}

type candidate struct {
	level, rule int
	direct      bool
}

// arrive notes that a route has come past a step, at a node of element e (nil for
// the root) and type t.
func (b *builder) arrive(level, route, step int, e *fhirmodel.Element, t *fhirmodel.Type) {
	r := &b.a.routes[route]
	if step+1 == len(r.steps) {
		b.end(level, route)
		return
	}
	next := r.steps[step+1]
	g := going{level, route, step + 1, next.name == ""}
	b.going = append(b.going, g)
	if g.floating && matchesDescendant(next, e, t) { // the node itself counts
		b.arrive(level, route, step+1, e, t)
	}
}

// end notes that a route ends here.
func (b *builder) end(level, route int) {
	if r := &b.a.routes[route]; r.bucket == none {
		b.candidates = append(b.candidates, candidate{level, r.rule, true})
	} else {
		b.hits = append(b.hits, hit{level, route})
	}
}

// enter begins the routes of a resource, which is a node of element e of another.
func (b *builder) enter(t *fhirmodel.Type, e *fhirmodel.Element) {
	for i := range b.a.routes {
		r := &b.a.routes[i]
		switch {
		case r.index || !r.applies(t.Name):
		case len(r.steps) == 0:
			b.end(0, i)
		default:
			b.arrive(0, i, -1, e, t)
		}
	}
}

// state finds the rule that wins, and the state if it is known already.
func (b *builder) state(t, context *fhirmodel.Type) *state {
	s := &state{rule: none, typ: t, context: context}
	for _, c := range b.candidates {
		if s.rule == none || c.level > s.level || c.level == s.level && (c.rule < s.rule || c.rule == s.rule && c.direct) {
			s.rule, s.level, s.direct = c.rule, c.level, c.direct
		}
	}
	slices.SortFunc(b.going, func(x, y going) int {
		return cmp.Or(cmp.Compare(x.level, y.level), cmp.Compare(x.route, y.route), cmp.Compare(x.step, y.step))
	})
	s.going = slices.Compact(b.going)
	slices.SortFunc(b.hits, func(x, y hit) int { return cmp.Or(cmp.Compare(x.level, y.level), cmp.Compare(x.route, y.route)) })
	s.hits = slices.Compact(b.hits)
	key := s.key()
	if known := b.a.known[key]; known != nil {
		return known
	}
	b.a.known[key] = s
	if b.a.quick != nil {
		s.quick = b.a.quick(s.rule, t)
	}
	return s
}

// key tells states apart.
func (s *state) key() string {
	k := binary.AppendVarint(nil, int64(s.typ.Index))
	k = binary.AppendVarint(k, int64(s.context.Index))
	k = binary.AppendVarint(k, int64(s.rule))
	k = binary.AppendVarint(k, int64(s.level))
	if s.direct {
		k = append(k, 1)
	} else {
		k = append(k, 0)
	}
	k = binary.AppendVarint(k, int64(len(s.going)))
	for _, g := range s.going {
		k = binary.AppendVarint(k, int64(g.level))
		k = binary.AppendVarint(k, int64(g.route))
		k = binary.AppendVarint(k, int64(g.step))
	}
	for _, h := range s.hits {
		k = binary.AppendVarint(k, int64(h.level))
		k = binary.AppendVarint(k, int64(h.route))
	}
	return string(k)
}
