package anonymize

import (
	"fhirdeid/anonymize/fhirpath"
	"fhirdeid/anonymize/policy"
)

// route is a path in steps, from a resource to some nodes of it: all of a rule's
// path, or the beginning of one. The automaton follows the routes while a line
// is scanned.
type route struct {
	rule int
	// bucket is where the nodes are put that a general rule needs; none where the
	// route is the whole path.
	bucket int32
	// prefix says which resources the rule applies to: a type, or "" for all.
	prefix string
	// context is a type that the path names itself, or "".
	context string
	// index: found among all nodes below a resource, nested resources included
	// as nodes but not entered.
	index bool
	// steps lead from the resource to the nodes; without any, it is meant itself.
	steps []step
}

// step goes from a node to some below it.
type step struct {
	// name is the child's name, or "" for a descendant.
	name string
	// byType and byName say which descendant. A node is its own descendant here.
	byType, byName string
	// typ limits the type, or is "".
	typ string
}

// applies reports whether the route begins at a resource of a type.
func (r *route) applies(resource string) bool {
	return appliesTo(r.prefix, resource) && appliesTo(r.context, resource)
}

// appliesTo is Microsoft's reading of a leading type: Resource and
// DomainResource are every resource, Bundle and Binary too.
func appliesTo(prefix, resource string) bool {
	return prefix == "" || prefix == resource || prefix == "Resource" || prefix == "DomainResource"
}

// general is a rule whose path has to be evaluated. Its expression was cut where
// it begins with steps: the nodes that the automaton finds there are put in.
type general struct {
	rule int
	// whole is the expression as it was, cut that with slots.
	whole, cut *fhirpath.Expression
	slots      int
	// bucket is where the nodes of its first slot are; those of the others follow,
	// and then the resource, if the rule is evaluated whatever is in it.
	bucket int
	// guard is the same as cut, or nil where that is more than a guard.
	guard guard
	// strict: without a node in any slot there is no result, so the expression
	// costs nothing where it cannot apply.
	strict bool
	// afterSubstitute: a rule before it may have changed what nodes there are.
	afterSubstitute bool
}

// plan makes routes of a rule, and for a path that is more than steps a general.
func (e *Engine) plan(index int, r *policy.Rule) {
	base := route{rule: index, bucket: none, prefix: r.Prefix}
	switch {
	case r.Self:
		e.routes = append(e.routes, base)
		return
	case r.IndexBy != "":
		base.index = true
		base.steps = []step{{byName: r.IndexOf}}
		if r.IndexBy == "type" {
			base.steps = []step{{byType: r.IndexOf}}
		}
		if r.IndexSuffix != "" {
			base.steps = append(base.steps, step{name: r.IndexSuffix})
		}
		e.routes = append(e.routes, base)
		return
	}
	if paths := linear(r.Expression.Root, r.Expression.Dialect.NodeIdentity); paths != nil {
		for _, p := range paths {
			e.addRoute(base, p)
		}
		return
	}
	c := cutter{identity: r.Expression.Dialect.NodeIdentity}
	root, strict := c.cut(r.Expression.Root)
	g := general{
		rule: index, whole: r.Expression, slots: len(c.slots), bucket: len(e.generalOf), strict: strict && len(c.slots) > 0,
		cut: r.Expression.WithRoot(root), afterSubstitute: e.substitutes,
	}
	if g.strict && g.slots == 1 {
		g.guard = e.guardOf(root)
	}
	for range g.slots + 1 {
		e.generalOf = append(e.generalOf, len(e.generals))
	}
	e.generals = append(e.generals, g)
	for slot, paths := range c.slots {
		base.bucket = int32(g.bucket + slot)
		for _, p := range paths {
			e.addRoute(base, p)
		}
	}
	if !g.strict {
		// It is evaluated for each resource that it applies to, whatever is in it.
		base.bucket = int32(g.bucket + g.slots)
		e.routes = append(e.routes, base)
	}
}

func (e *Engine) addRoute(base route, p linearPath) {
	base.context, base.steps = p.context, p.steps
	e.routes = append(e.routes, base)
}

// linearPath is what the automaton can follow.
type linearPath struct {
	context string
	steps   []step
}

// linear reads an expression as steps, or as several such paths where it is a
// union of nodes; nil where it is more than that. A union is one only where nodes
// are told apart by where they are: by value, a second equal one is left out.
func linear(x fhirpath.Node, identity bool) []linearPath {
	switch x := x.(type) {
	case *fhirpath.Member:
		if x.Input != nil {
			return extend(linear(x.Input, identity), step{name: x.Name})
		}
		if x.Name[0] >= 'A' && x.Name[0] <= 'Z' {
			return []linearPath{{context: x.Name}}
		}
		return []linearPath{{steps: []step{{name: x.Name}}}}
	case *fhirpath.Call:
		switch x.Name {
		case "nodesByType", "nodesByName":
			what, ok := literalText(x.Args[0])
			if !ok {
				return nil
			}
			next := step{byName: what}
			if x.Name == "nodesByType" {
				next = step{byType: what}
			}
			if x.Input == nil {
				return []linearPath{{steps: []step{next}}}
			}
			return extend(linear(x.Input, identity), next)
		case "ofType", "as":
			t, ok := fhirpath.TypeArgument(x.Args[0])
			if !ok || x.Input == nil {
				return nil
			}
			return limit(linear(x.Input, identity), t)
		}
	case *fhirpath.TypeTest:
		if x.As {
			return limit(linear(x.X, identity), x.Type)
		}
	case *fhirpath.Binary:
		if x.Op != "|" || !identity {
			return nil
		}
		left, right := linear(x.Left, identity), linear(x.Right, identity)
		if left == nil || right == nil {
			return nil
		}
		return append(left, right...)
	}
	return nil
}

// extend adds a step to each path.
func extend(paths []linearPath, next step) []linearPath {
	for i := range paths {
		paths[i].steps = append(paths[i].steps, next)
	}
	return paths
}

// limit limits the type of what the paths lead to; nil where the steps cannot
// say it.
func limit(paths []linearPath, t fhirpath.TypeName) []linearPath {
	if t.Namespace != "" && t.Namespace != "FHIR" {
		return nil
	}
	for i := range paths {
		steps := paths[i].steps
		if len(steps) == 0 || steps[len(steps)-1].typ != "" {
			return nil
		}
		steps[len(steps)-1].typ = t.Name
	}
	return paths
}

func literalText(x fhirpath.Node) (string, bool) {
	l, ok := x.(*fhirpath.Literal)
	if !ok || l.Value.Kind != fhirpath.KindString {
		return "", false
	}
	return l.Value.Text(), true
}
