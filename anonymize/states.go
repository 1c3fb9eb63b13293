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
	// context is the resource the node belongs to.
	context *fhirmodel.Type

	typ *fhirmodel.Type
	// next has the state of each child, by the element's index; nested has those
	// of resources in the node, by type.
	next   []*state
	nested map[*fhirmodel.Type]*state
}

// going is a path that has come as far as step.
type going struct {
	level, rule, step int
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
}

func newAutomaton(model *fhirmodel.Model, routes []route) *automaton {
	return &automaton{model: model, routes: routes, known: make(map[string]*state), roots: make(map[*fhirmodel.Type]*state)}
}

// root is the state of a resource that is a line of its own.
func (a *automaton) root(t *fhirmodel.Type) *state {
	s := a.roots[t]
	if s == nil {
		b := builder{a: a, level0: t}
		b.enter(t)
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
	b := builder{a: a, level0: s.context}
	out := 0
	if nested {
		out = 1 // the rules so far are those of an outer resource from here on
	}
	for _, g := range s.going {
		st := a.routes[g.rule].steps[g.step]
		switch {
		case g.floating && nested:
			continue // not entered, and not returned
		case g.floating:
			b.going = append(b.going, g)
			if matchesDescendant(st, e, t) {
				b.arrive(g.level, g.rule, g.step)
			}
		case st.name == e.Name && (st.typ == "" || st.typ == t.Name):
			b.arrive(g.level+out, g.rule, g.step)
		}
	}
	for i := range a.routes {
		r := &a.routes[i]
		if r.index && matchesDescendant(r.steps[0], e, t) {
			b.arrive(out, i, 0)
		}
	}
	context := s.context
	if nested {
		context = t
		b.level0 = t
		b.enter(t)
	} else if s.rule != none {
		b.candidates = append(b.candidates, candidate{s.level, s.rule, false})
	}
	return b.state(t, context)
}

func matchesDescendant(st step, e *fhirmodel.Element, t *fhirmodel.Type) bool {
	if st.typ != "" && st.typ != t.Name {
		return false
	}
	return st.byType != "" && st.byType == t.Name || st.byName != "" && st.byName == e.Name
}

// builder collects what a new state is made of.
type builder struct {
	a          *automaton
	level0     *fhirmodel.Type
	going      []going
	candidates []candidate
}

type candidate struct {
	level, rule int
	direct      bool
}

// arrive notes that a rule's path has come past a step.
func (b *builder) arrive(level, rule, step int) {
	steps := b.a.routes[rule].steps
	if step+1 == len(steps) {
		b.candidates = append(b.candidates, candidate{level, rule, true})
		return
	}
	b.going = append(b.going, going{level, rule, step + 1, steps[step+1].name == ""})
}

// enter begins the paths of a resource.
func (b *builder) enter(t *fhirmodel.Type) {
	for i := range b.a.routes {
		r := &b.a.routes[i]
		switch {
		case r.index || !r.applies(t.Name):
		case r.self:
			b.candidates = append(b.candidates, candidate{0, i, true})
		default:
			floating := r.steps[0].name == ""
			b.going = append(b.going, going{0, i, 0, floating})
			if floating && r.steps[0].byType == t.Name { // the node itself counts
				b.arrive(0, i, 0)
			}
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
		return cmp.Or(cmp.Compare(x.level, y.level), cmp.Compare(x.rule, y.rule), cmp.Compare(x.step, y.step))
	})
	s.going = slices.Compact(b.going)
	key := s.key()
	if known := b.a.known[key]; known != nil {
		return known
	}
	b.a.known[key] = s
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
	}
	for _, g := range s.going {
		k = binary.AppendVarint(k, int64(g.level))
		k = binary.AppendVarint(k, int64(g.rule))
		k = binary.AppendVarint(k, int64(g.step))
		if g.floating {
			k = append(k, 1)
		}
	}
	return string(k)
}
