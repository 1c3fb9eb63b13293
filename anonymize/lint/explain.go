package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
	"fhirdeid/anonymize/policy"
)

// RuleRef points to a rule.
type RuleRef struct {
	Rule   int    `json:"rule"`
	Line   int    `json:"line"`
	Path   string `json:"path"`
	Method string `json:"method"`
	// At is the element that the rule's path leads to, where it is one above.
	At string `json:"at,omitempty"`
}

// Explanation says which rule decides an element, and why.
type Explanation struct {
	// Path is that of JSON members, Type the element's type.
	Path string `json:"path"`
	Type string `json:"type"`
	// By is the rule that decides, nil where none does.
	By *RuleRef `json:"by,omitempty"`
	// Maybe are earlier rules that decide it in some resources: as their
	// conditions have it.
	Maybe []RuleRef `json:"maybe,omitempty"`
	// Lost are rules that reach the element too, but come later.
	Lost []RuleRef `json:"lost,omitempty"`
	// What says in words what happens.
	What string `json:"what"`
}

// Explain says which rule decides an element, named by its path from a resource
// type, by element names or JSON members: "Patient.deceased",
// "Patient.deceasedDateTime". There is one explanation for each type it can have.
// The error says what is wrong with the path or the policy.
func Explain(p *policy.Policy, o Options, path string) ([]Explanation, error) {
	name := cmp.Or(p.FHIRVersion, strings.ToUpper(o.FHIRVersion), string(fhirmodel.R4))
	version, ok := fhirmodel.ParseVersion(name)
	if !ok {
		return nil, fmt.Errorf("there is no FHIR version %q; it is STU3, R4, R4B or R5", name)
	}
	e, err := compile(p, version)
	if err != nil {
		return nil, fmt.Errorf("compiling the policy: %w", err)
	}
	steps := strings.Split(path, ".")
	if err := checkPath(e.Model(), steps); err != nil {
		return nil, err
	}
	x := explainer{policy: p, version: version, steps: steps}
	found, err := x.follow(e)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s is an element inside itself, or in a nested resource; ask for the inner one, such as the resource's type and what follows", path)
	}
	return x.explain(found)
}

// checkPath looks for each step in the model.
func checkPath(m *fhirmodel.Model, steps []string) error {
	t := m.ResourceType([]byte(steps[0]))
	if t == nil {
		hint := ""
		if near := fhirpath.Nearest(steps[0], resourceNames(m)); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		return fmt.Errorf("FHIR %s has no resource type %q%s", m.Version, steps[0], hint)
	}
	types := []*fhirmodel.Type{t}
	for _, step := range steps[1:] {
		var next []*fhirmodel.Type
		var names []string
		for _, t := range types {
			elements := t.Elements
			if t.Kind.Primitive() {
				elements = m.PrimitiveMembers().Elements
			}
			for _, e := range elements {
				names = append(names, e.Name)
				if e.Name == step || e.Key == step {
					next = append(next, e.Type)
				}
			}
			if t.Kind == fhirmodel.Resource && t.Abstract {
				return nil // a nested resource can be anything
			}
		}
		if len(next) == 0 {
			hint := ""
			if near := fhirpath.Nearest(step, names); near != "" {
				hint = fmt.Sprintf("; did you mean %s?", near)
			}
			return fmt.Errorf("FHIR %s has no element %q there%s", m.Version, step, hint)
		}
		types = next
	}
	return nil
}

// explainer follows one path.
type explainer struct {
	policy  *policy.Policy
	version fhirmodel.Version
	steps   []string
}

// trail are the decisions from the resource down to an element.
type trail []anonymize.Decision

// follow returns the trails of the elements that the path names.
func (x *explainer) follow(e *anonymize.Engine) ([]trail, error) {
	var found []trail
	var now trail
	err := e.Decisions(x.steps[0], func(d anonymize.Decision) bool {
		depth := strings.Count(d.Path, ".")
		if d.Element != nil && d.Element.Name != x.steps[depth] && d.Element.Key != x.steps[depth] {
			return false
		}
		now = append(now[:depth], d)
		if depth+1 == len(x.steps) {
			found = append(found, slices.Clone(now))
			return false
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the element: %w", err)
	}
	return found, nil
}

// explain asks each other rule what it would decide if it were alone.
func (x *explainer) explain(found []trail) ([]Explanation, error) {
	list := make([]Explanation, len(found))
	for i, t := range found {
		d := t[len(t)-1]
		list[i] = Explanation{Path: d.Path, Type: d.Type.Name}
		if d.Rule > 0 {
			ref := x.ref(d.Rule, t)
			list[i].By = &ref
		}
		for _, n := range d.Maybe {
			list[i].Maybe = append(list[i].Maybe, x.ref(n, t))
		}
		list[i].What = x.what(&d)
	}
	for i := range x.policy.Rules {
		r := &x.policy.Rules[i]
		if r.Unknown || !r.Applies(x.steps[0]) && r.IndexBy == "" {
			continue
		}
		alone := *x.policy
		alone.Rules = []policy.Rule{*r}
		e, err := compile(&alone, x.version)
		if err != nil {
			return nil, fmt.Errorf("compiling rule %d: %w", r.Number, err)
		}
		single, err := x.follow(e)
		if err != nil {
			return nil, err
		}
		for k, t := range single {
			d := t[len(t)-1]
			reaches := d.Rule == r.Number || slices.Contains(d.Maybe, r.Number)
			won := found[k][len(found[k])-1]
			if reaches && won.Rule != r.Number && !slices.Contains(won.Maybe, r.Number) {
				list[k].Lost = append(list[k].Lost, x.ref(r.Number, t))
			}
		}
	}
	return list, nil
}

// ref points to a rule, and to where on the trail its path leads.
func (x *explainer) ref(number int, t trail) RuleRef {
	i := slices.IndexFunc(x.policy.Rules, func(r policy.Rule) bool { return r.Number == number })
	r := &x.policy.Rules[i]
	ref := RuleRef{Rule: r.Number, Line: r.Line, Path: r.Path, Method: string(r.Method)}
	last := len(t) - 1
	if t[last].Rule == number && t[last].Direct {
		return ref
	}
	for k := last - 1; k >= 0; k-- {
		if t[k].Rule == number && t[k].Direct {
			ref.At = t[k].Path
			break
		}
	}
	return ref
}
