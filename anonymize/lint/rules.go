package lint

import (
	"fmt"
	"slices"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
	"fhirdeid/anonymize/policy"
)

// rule looks at one rule on its own.
func (l *linter) rule(r *policy.Rule) {
	if !l.prefix(r) {
		return
	}
	if !l.strict {
		l.refusedByMicrosoft(r)
	}
	if r.Generalize != nil {
		l.conditions(r)
	}
	if r.Self {
		return
	}
	t := typing(r, l.model)
	if t.Dead() {
		l.dead(r, t)
		return
	}
	l.remarks(r, t)
	l.results(r, t)
}

// refusedByMicrosoft finds expressions that Microsoft's tool cannot read: it lacks
// some functions.
func (l *linter) refusedByMicrosoft(r *policy.Rule) {
	texts := []string{r.Path}
	if r.Generalize != nil {
		for _, c := range r.Generalize.Cases {
			texts = append(texts, c.ConditionText, c.TargetText)
		}
	}
	for _, text := range texts {
		_, err := fhirpath.Parse(text, fhirpath.Microsoft)
		if err == nil {
			continue
		}
		p := at(r, "refused-by-microsoft", Warning, -1)
		p.Problem = fmt.Sprintf("Microsoft's tool cannot read the expression %q: %v.", text, err)
		p.Consequence = "That tool, and --compat microsoft, refuse the whole file. Here the rule works."
		p.Remedy = "Write it without, if the file must work with Microsoft's tool too."
		l.add(p)
		return
	}
}

// prefix checks the type name that a path begins with. It reports whether there
// are resources that the rule applies to.
func (l *linter) prefix(r *policy.Rule) bool {
	if r.Prefix == "" || len(contexts(r, l.model)) > 0 {
		return true
	}
	l.idle[r.Number] = true
	p := at(r, "unknown-type", l.graver(), -1)
	p.Consequence = l.nothing()
	t := l.model.Type(r.Prefix)
	switch {
	case t == nil:
		p.Problem = fmt.Sprintf("FHIR %s has no resource type %s.", l.model.Version, r.Prefix)
		p.Remedy = "Take the rule out, or correct the type."
		if others := otherVersions(l.model, func(m *fhirmodel.Model) bool { return m.ResourceType([]byte(r.Prefix)) != nil }); others != "" {
			p.Problem += " It exists in " + others + "."
			p.Remedy = "Take the rule out of the file for this version."
			l.forOthers(&p)
		} else if near := fhirpath.Nearest(r.Prefix, append(resourceNames(l.model), "Resource", "DomainResource")); near != "" {
			p.Remedy = fmt.Sprintf("Write %q, if that was meant.", near)
		}
	case t.Kind == fhirmodel.Resource:
		p.Code = "abstract-type"
		p.Problem = fmt.Sprintf("%s is no type that resources have.", r.Prefix)
		p.Remedy = "Begin the path with Resource for all of them, or with the type that is meant."
	default:
		p.Code = "data-type-prefix"
		p.Problem = fmt.Sprintf("A path begins with the type of a resource; %s is a type of elements. Microsoft's tool passes such a rule over in silence too.", r.Prefix)
		rest := strings.TrimPrefix(strings.TrimPrefix(r.Path, r.Prefix), ".")
		p.Remedy = fmt.Sprintf("Write nodesByType('%s')", r.Prefix)
		if rest != "" {
			p.Remedy += "." + rest
		}
		p.Remedy += "."
	}
	l.add(p)
	return false
}

func resourceNames(m *fhirmodel.Model) []string {
	var names []string
	for _, t := range m.ResourceTypes() {
		names = append(names, t.Name)
	}
	return names
}

// otherVersions lists the FHIR versions besides m of which something holds.
func otherVersions(m *fhirmodel.Model, holds func(*fhirmodel.Model) bool) string {
	var names []string
	for _, v := range []fhirmodel.Version{fhirmodel.STU3, fhirmodel.R4, fhirmodel.R4B, fhirmodel.R5} {
		if other, err := fhirmodel.Load(v); err == nil && v != m.Version && holds(other) {
			names = append(names, string(v))
		}
	}
	return strings.Join(names, ", ")
}

// dead explains a path that matches nothing: by the first step that does not.
func (l *linter) dead(r *policy.Rule, t *fhirpath.Typing) {
	l.idle[r.Number] = true
	others := otherVersions(l.model, func(m *fhirmodel.Model) bool {
		other := typing(r, m)
		return !other.Dead()
	})
	i := slices.IndexFunc(t.Remarks, func(m fhirpath.Remark) bool {
		return m.Kind == fhirpath.NoElement || m.Kind == fhirpath.NoType || m.Kind == fhirpath.NeverTrue
	})
	const remedy = "Take the rule out, or correct the path."
	p := at(r, "dead-path", l.graver(), -1)
	p.Problem, p.Remedy = fmt.Sprintf("In FHIR %s this path can never match.", l.model.Version), remedy
	if i >= 0 {
		m := t.Remarks[i]
		p = at(r, "dead-path", l.graver(), m.Position)
		p.Problem, p.Remedy = l.deadStep(m, remedy)
	}
	p.Consequence = l.nothing()
	if others != "" {
		p.Problem += " The path can match in " + others + "."
		if i < 0 || t.Remarks[i].Nearest == "" {
			p.Remedy = "Take the rule out of the file for this version, or write the path that this version has."
		}
		l.forOthers(&p)
	}
	l.add(p)
}

// forOthers makes little of a rule that is for another version, in a file that is
// for all of them.
func (l *linter) forOthers(p *Problem) {
	if l.policy.FHIRVersion == "" {
		p.Severity = Note
		p.Consequence = "The rule does nothing in this version."
		p.Remedy = "Nothing has to be done if the file is meant for several versions."
	}
}

// deadStep says why a step matches nothing and what to write.
func (l *linter) deadStep(m fhirpath.Remark, remedy string) (problem, fix string) {
	write := func(nearest string) string {
		if nearest == "" {
			return remedy
		}
		return fmt.Sprintf("Write %q instead of %q, if that was meant.", nearest, m.Name)
	}
	switch m.Kind {
	case fhirpath.NeverTrue:
		return fmt.Sprintf("The condition of %s() can never hold in FHIR %s.", m.Name, l.model.Version), "Correct the condition."
	case fhirpath.NoType:
		if l.model.Type(m.Name) == nil {
			return fmt.Sprintf("FHIR %s has no type %s.", l.model.Version, m.Name), write(m.Nearest)
		}
		return fmt.Sprintf("What the path leads to is never of the type %s%s.", m.Name, inTypes(m)), remedy
	}
	if m.Nearest != "" && strings.HasPrefix(m.Name, m.Nearest) && m.Name != m.Nearest && l.model.Type(m.Name[len(m.Nearest):]) != nil {
		typ := m.Name[len(m.Nearest):]
		return fmt.Sprintf("An element that can be of several types is called by its name alone in paths: %s, not %s.", m.Nearest, m.Name),
			fmt.Sprintf("Write %q, or with \"as %s\" behind it for that type only.", m.Nearest, typ)
	}
	problem = fmt.Sprintf("There is no element %q%s in FHIR %s.", m.Name, inTypes(m), l.model.Version)
	return problem, write(m.Nearest)
}

func inTypes(m fhirpath.Remark) string {
	if len(m.In) == 0 {
		return ""
	}
	return " in " + strings.Join(m.In, ", ")
}
