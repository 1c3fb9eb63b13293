package anonymize

import (
	"fmt"
	"slices"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
)

// A policy that makes a claim is held against the built-in profile of that claim:
// at no element may it keep more than the profile does, but where a rule gives a
// reason. So a claim that the rules cannot meet is refused before any data is
// read.

// checkClaim refuses rules that keep more than the claim's profile does and give
// no reason. The error is a *policy.Error that lists elements.
func (e *Engine) checkClaim() error {
	base, err := e.policy.Base()
	if err != nil || base == nil {
		return err
	}
	if err := e.checkLists(base); err != nil {
		return err
	}
	profile := &Engine{policy: base, model: e.model, strict: true}
	profile.setMethods()
	for i := range base.Rules {
		profile.plan(i, &base.Rules[i])
	}
	c := claimCheck{
		mine: decisionWalk{e: e, a: newAutomaton(e.model, e.routes)}, profile: decisionWalk{e: profile, a: newAutomaton(e.model, profile.routes)},
		seen: make(map[statePair]bool),
	}
	for _, typ := range e.model.ResourceTypes() {
		c.compare(nil, typ, c.mine.a.root(typ), c.profile.a.root(typ), typ.Name, nil)
	}
	if len(c.paths) == 0 {
		return nil
	}
	r := &e.policy.Rules[c.rule]
	more := ""
	if n := len(c.paths) - maxNamed; n > 0 {
		c.paths, more = c.paths[:maxNamed], fmt.Sprintf(" and %d more", n)
	}
	return &policy.Error{Line: r.Line, Rule: r.Number, Text: fmt.Sprintf(
		"the claim %q cannot be met: more is kept than the profile of that name keeps, of %s%s. Drop it, or write a rule for each such element with a \"reason\"",
		e.policy.Claim, strings.Join(c.paths, ", "), more)}
}

// maxNamed is how many elements an error names.
const maxNamed = 10

// checkLists refuses list items beyond the profile's that have no reason.
func (e *Engine) checkLists(base *policy.Policy) error {
	known := newLists(base)
	for _, url := range e.policy.CodeSystems {
		if !known.codeSystems[url] && !known.ownSystems[url] && !e.hasReason("codeSystems", url) {
			return fmt.Errorf("the claim %q cannot be met: the code system %q is not among the public ones; give it with a \"reason\", or drop it", e.policy.Claim, url)
		}
	}
	for _, url := range e.policy.Extensions {
		if !known.extensions[url] && !e.hasReason("extensions", url) {
			return fmt.Errorf("the claim %q cannot be met: the profile does not keep the extension %q; give it with a \"reason\", or drop it", e.policy.Claim, url)
		}
	}
	return nil
}

func (e *Engine) hasReason(list policy.Method, url string) bool {
	return slices.ContainsFunc(e.policy.Loosenings(), func(l policy.Loosening) bool { return l.Method == list && l.Path == url })
}

// claimCheck goes through the elements of all types with two sets of rules.
type claimCheck struct {
	mine, profile decisionWalk
	// seen are pairs of states that were looked at already: what is below them is
	// decided alike wherever they stand.
	seen  map[statePair]bool
	paths []string
	rule  int // of the first path
}

type statePair struct {
	mine, profile *state
	maybe         string // the rules whose conditions may lead here
}

func (c *claimCheck) compare(elem *fhirmodel.Element, typ *fhirmodel.Type, mine, profile *state, path string, maybe []int) {
	for _, h := range mine.hits {
		maybe = append(maybe[:len(maybe):len(maybe)], c.mine.e.routes[h.route].rule)
	}
	pair := statePair{mine, profile, fmt.Sprint(maybe)}
	if c.seen[pair] {
		return
	}
	c.seen[pair] = true
	if typ.Kind.Primitive() || typ.Name == "Extension" {
		allowed := c.profile.closeness(profile.rule)
		for _, rule := range append([]int{mine.rule}, maybe...) {
			if rule != none && (rule == mine.rule || mine.rule == none || rule < mine.rule) {
				c.note(rule, allowed, path)
			}
		}
	}
	if typ.Name == "Extension" || elem != nil && typ.Kind == fhirmodel.Resource {
		return
	}
	for _, child := range typ.Elements { // those of a primitive are extensions, like all others
		c.compare(child, child.Type, c.mine.a.child(mine, child, child.Type), c.profile.a.child(profile, child, child.Type), path+"."+child.Key, maybe)
	}
}

func (c *claimCheck) note(rule int, allowed closeness, path string) {
	r := &c.mine.e.policy.Rules[rule]
	if c.mine.closeness(rule) <= allowed || r.Reason != "" {
		return
	}
	if len(c.paths) == 0 {
		c.rule = rule
	}
	c.paths = append(c.paths, path)
}

func (w *decisionWalk) closeness(rule int) closeness {
	if rule == none {
		return nothing
	}
	return w.e.table[w.e.methods[rule]].leaves
}
