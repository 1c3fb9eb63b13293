package lint

import (
	"fmt"
	"slices"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
	"fhirdeid/anonymize/policy"
)

// remarks tells what is odd in a path that can match.
func (l *linter) remarks(r *policy.Rule, t *fhirpath.Typing) {
	for _, m := range t.Remarks {
		switch m.Kind {
		case fhirpath.NoElement, fhirpath.NoType, fhirpath.NeverTrue:
			p := at(r, "dead-step", Warning, m.Position)
			p.Problem, p.Remedy = l.deadStep(m, "Take this part out, or correct it.")
			p.Consequence = "This part of the path never matches; the rest of the rule works."
			l.add(p)
		case fhirpath.UnionOfNodes:
			p := at(r, "union-by-value", Warning, m.Position)
			p.Problem = fmt.Sprintf("%q joins elements. Microsoft's tool takes two elements with equal values for one there.", m.Name)
			p.Consequence = "With Microsoft's tool, or with --compat microsoft, the second of two equal names, for instance, is not treated by this rule. Otherwise all are."
			p.Remedy = "Write a rule for each operand if the file must be safe with Microsoft's tool too."
			l.add(p)
		case fhirpath.TextOfNode:
			p := at(r, "text-of-nothing", Note, m.Position)
			p.Problem = fmt.Sprintf("%s() is applied to an element, which may have no value: it has only an extension, or an earlier rule took the value away.", m.Name)
			p.Consequence = "Microsoft's tool crashes then and loses the whole file. Here the result is empty, and the condition does not hold."
			p.Remedy = "Nothing has to be done here. For Microsoft's tool, put the rule before those that take the value away."
			l.add(p)
		case fhirpath.Incomparable:
			p := at(r, "incomparable", Error, m.Position)
			p.Problem = fmt.Sprintf("The operands of %s are never of types that can be compared.", m.Name)
			p.Consequence = "Every resource in which both have a value is an error."
			p.Remedy = "Compare with a value of the element's type: a date begins with @, a text stands in single quotes."
			l.add(p)
		case fhirpath.Refused:
			p := at(r, "refused-function", Error, m.Position)
			p.Problem = fmt.Sprintf("%s() is not supported: a resource is looked at on its own.", m.Name)
			p.Consequence = "Every resource that the rule applies to is an error."
			p.Remedy = "Write the rule without it."
			l.add(p)
		}
	}
}

// results looks at what a path leads to, with an eye to the method.
func (l *linter) results(r *policy.Rule, t *fhirpath.Typing) {
	if t.Values {
		p := at(r, "no-element", Error, -1)
		p.Problem = "The path gives values, such as a number or true, instead of elements."
		p.Consequence = "There is nothing that the method could be applied to. Microsoft's tool crashes."
		p.Remedy = "Put the part that computes into where(…), and end the path with the element to be treated."
		l.add(p)
	}
	primitive := func(p fhirpath.Possible) bool { return p.Type.Kind.Primitive() }
	if slices.ContainsFunc(t.Results, func(p fhirpath.Possible) bool { return p.Bare && primitive(p) }) {
		p := at(r, "crash-first", Warning, -1)
		p.Problem = "first(), last() or single() gives an element with a plain value here."
		p.Consequence = "Microsoft's tool crashes on every resource that has the element. Here the element is treated."
		p.Remedy = "Write [0] instead of first() if the file must work with Microsoft's tool too."
		l.add(p)
	}
	if len(t.Results) == 0 || t.Unknown {
		return
	}
	switch r.Method {
	case policy.GeneralizeBy:
		if slices.ContainsFunc(t.Results, func(p fhirpath.Possible) bool { return !primitive(p) }) {
			p := at(r, "generalize-complex", Error, -1)
			p.Problem = "The path leads to elements that consist of others: " + typeList(t, false) + ". The method generalize takes plain values only."
			p.Consequence = "Every resource that has such an element is an error."
			p.Remedy = "Let the path end with the element that has the value, such as .value, or limit the type with \"as\"."
			l.add(p)
		}
	case policy.DateShift:
		l.useless(r, t, "shift: it is for date, dateTime and instant", func(k *fhirmodel.Type) bool {
			return k.Kind == fhirmodel.Date || k.Kind == fhirmodel.DateTime || k.Kind == fhirmodel.Instant
		})
	case policy.PerturbBy:
		l.useless(r, t, "perturb: it is for numbers and quantities", func(k *fhirmodel.Type) bool {
			return k.Kind == fhirmodel.Integer || k.Kind == fhirmodel.Decimal
		})
	case policy.Substitute:
		if slices.ContainsFunc(t.Results, func(p fhirpath.Possible) bool { return p.Type.Name == "BackboneElement" }) {
			p := at(r, "substitute-backbone", Warning, -1)
			p.Problem = "The path leads to " + typeList(t, false) + ", a part of a resource without a type of its own."
			p.Consequence = "Microsoft's tool crashes on it. Here it is replaced."
			p.Remedy = "Substitute the elements in it, each by a rule, if the file must work with Microsoft's tool too."
			l.add(p)
		}
	}
}

// useless finds a method that changes nothing of what a path leads to, and still
// takes it from later rules.
func (l *linter) useless(r *policy.Rule, t *fhirpath.Typing, what string, fits func(*fhirmodel.Type) bool) {
	if slices.ContainsFunc(t.Results, func(p fhirpath.Possible) bool { return !p.Type.Kind.Primitive() || fits(p.Type) }) {
		return
	}
	p := at(r, "method-without-effect", Warning, -1)
	p.Problem = fmt.Sprintf("The path leads to %s only, which the method %s does not %s.", typeList(t, true), r.Method, what)
	p.Consequence = "The value stays as it is, and no later rule treats it, since this one has taken it."
	p.Remedy = "Use another method, such as redact."
	l.add(p)
}

// typeList names the types of the results that are primitive, or those that are
// not.
func typeList(t *fhirpath.Typing, primitive bool) string {
	var names []string
	for _, p := range t.Results {
		if p.Type.Kind.Primitive() == primitive && !slices.Contains(names, p.Type.Path) {
			names = append(names, p.Type.Path)
		}
	}
	if len(names) > 4 {
		names = append(names[:4], "…")
	}
	return strings.Join(names, ", ")
}
