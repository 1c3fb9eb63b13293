package lint

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
)

// compile makes an engine to be asked for its decisions on elements.
func compile(p *policy.Policy, version fhirmodel.Version) (*anonymize.Engine, error) {
	return Engine(p, string(version), time.Unix(0, 0))
}

// Engine makes an engine that is only asked for its decisions, at an instant. Its
// keys are no secrets, and custom methods do nothing: no result of it is safe.
func Engine(p *policy.Policy, fhirVersion string, asOf time.Time) (*anonymize.Engine, error) {
	key := []byte(strings.Repeat("0", 32))
	o := anonymize.Options{
		AsOf: asOf, FHIRVersion: fhirVersion,
		Keys:    anonymize.Keys{DateShift: key, CryptoHash: key, Encrypt: key, Pseudonym: key},
		Methods: make(map[string]anonymize.NewMethod),
	}
	for _, r := range p.Rules {
		if r.Custom != "" {
			o.Methods[r.Custom] = func(json.RawMessage, json.RawMessage) (anonymize.Method, error) { return idle{}, nil }
		}
	}
	return anonymize.Compile(p, o)
}

// idle is a method that does nothing.
type idle struct{}

func (idle) Apply(*anonymize.Element) error { return nil }

// decisions asks the engine which rule decides each element: for coverage, and
// for rules that others leave nothing.
func (l *linter) decisions() error {
	e, err := compile(l.policy, l.model.Version)
	var fault *policy.Error
	if errors.As(err, &fault) {
		l.fault(fault)
		return nil
	}
	if err != nil {
		return fmt.Errorf("compiling the policy: %w", err)
	}
	g := newGaps()
	works := make(map[int]bool)
	for _, t := range l.model.ResourceTypes() {
		err := walk(e, t, true, func(s *site) {
			if s.leaf && s.Rule == 0 {
				g.add(t, s.parent(), &s.Decision)
			}
			if s.counts {
				works[s.Rule] = true
				for _, rule := range s.Maybe {
					works[rule] = true
				}
			}
		})
		if err != nil {
			return err
		}
	}
	l.report.Coverage = g.coverage(l.strict)
	for i := range l.policy.Rules {
		r := &l.policy.Rules[i]
		if works[r.Number] || l.idle[r.Number] || r.Unknown {
			continue
		}
		if err := l.shadowed(e, r); err != nil {
			return err
		}
	}
	return nil
}

// site is an element that a walk comes to.
type site struct {
	anonymize.Decision
	// types are those of the elements above, the outermost first.
	types []*fhirmodel.Type
	// leaf says that the element has a value, or is an extension, which is looked
	// at as one. What is below a primitive is not told apart from it.
	leaf bool
	// counts says that a rule which decides the element does something there,
	// whatever becomes of what is below it.
	counts bool
}

func (s *site) parent() *fhirmodel.Type { return s.types[len(s.types)-1] }

// walk goes through the elements of a resource type. Unless it is deep, it enters
// extensions of the resource itself only, and those no further than to their
// values: else there would be hundreds of times as many elements.
func walk(e *anonymize.Engine, t *fhirmodel.Type, shallow bool, visit func(*site)) error {
	var types []*fhirmodel.Type
	return e.Decisions(t.Name, func(d anonymize.Decision) bool {
		depth := strings.Count(d.Path, ".")
		types = append(types[:depth], d.Type)
		s := &site{Decision: d, types: types[:depth]}
		if d.Element == nil {
			visit(s)
			return true
		}
		extension := d.Type.Name == "Extension"
		in := slices.IndexFunc(s.types, func(t *fhirmodel.Type) bool { return t.Name == "Extension" })
		again := slices.Contains(s.types, d.Type)
		s.counts = d.Type.Kind.Primitive() || d.Type.Kind == fhirmodel.Resource || extension || again
		s.leaf = in < 0 && (d.Type.Kind.Primitive() || extension) && !s.parent().Kind.Primitive()
		visit(s)
		if !shallow {
			return true
		}
		return in < 0 && (!extension || depth == 1)
	})
}
