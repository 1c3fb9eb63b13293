package lint

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
)

// shadowed finds the rules that leave nothing to a rule: those that decide every
// element it would decide if it were alone. It claims nothing where elements may
// be out of sight: below a type that is inside itself, or in a resource within the
// resource.
func (l *linter) shadowed(e *anonymize.Engine, r *policy.Rule) error {
	alone := *l.policy
	alone.Rules = []policy.Rule{*r}
	single, err := compile(&alone, l.model.Version)
	if err != nil {
		return nil // the engine says of it what there is to say
	}
	by, all, err := l.takers(e, single, r, true)
	if err == nil && len(by) == 0 && l.model.ResourceType([]byte(r.Prefix)) != nil {
		by, all, err = l.takers(e, single, r, false)
	}
	if err != nil || !all || len(by) == 0 {
		return err
	}
	if floats(r) && slices.ContainsFunc(by, func(n int) bool { return !floats(&l.policy.Rules[n-1]) }) {
		return nil
	}
	l.idle[r.Number] = true
	p := at(r, "shadowed", Warning, -1)
	p.Problem = "Earlier rules have taken every element that this rule leads to: " + l.ruleList(by) + "."
	p.Consequence = "The first rule that reaches an element decides, so this one does nothing."
	p.Remedy = "Take the rule out, or put it before the others if it is to win."
	keeps := func(n int) bool { return l.policy.Rules[n-1].Method == policy.Keep }
	if r.Method != policy.Keep && slices.ContainsFunc(by, keeps) {
		p.Severity = Error
		p.Consequence = fmt.Sprintf("What this rule was to %s stays as it is.", verb(r.Method))
		p.Remedy = "Put this rule before the one that keeps, or take one of them out."
	}
	l.add(p)
	return nil
}

func verb(m policy.Method) string {
	switch m {
	case policy.Redact, policy.Substitute, policy.PerturbBy, policy.GeneralizeBy, policy.Encrypt:
		return string(m)
	case policy.CryptoHash:
		return "hash"
	case policy.DateShift:
		return "shift"
	}
	return "treat"
}

// takers are the rules that decide in e what the rule alone, in single, decides,
// those that take most first; none where that is nothing in sight. all says that they are earlier rules, each
// for every resource.
func (l *linter) takers(e, single *anonymize.Engine, r *policy.Rule, shallow bool) (by []int, all bool, err error) {
	all = true
	took := make(map[int]int)
	for _, t := range contexts(r, l.model) {
		mine := make(map[string]bool)
		err := walk(single, t, shallow, func(s *site) {
			if s.Rule == r.Number && s.Direct || slices.Contains(s.Maybe, r.Number) {
				mine[s.Path] = true
			}
		})
		if err != nil {
			return nil, false, err
		}
		if len(mine) == 0 {
			continue
		}
		err = walk(e, t, shallow, func(s *site) {
			if !mine[s.Path] {
				return
			}
			all = all && s.Rule > 0 && s.Rule < r.Number && !slices.Contains(s.Maybe, r.Number)
			took[s.Rule]++
		})
		if err != nil {
			return nil, false, err
		}
	}
	by = slices.SortedFunc(maps.Keys(took), func(a, b int) int { return cmp.Or(took[b]-took[a], a-b) })
	return by, all, nil
}

// floats reports whether a rule's path reaches elements at any depth.
func floats(r *policy.Rule) bool {
	if r.Self || r.IndexBy != "" {
		return true
	}
	text := r.Expression.String()
	for _, f := range []string{"nodesBy", "descendants", "repeat", "children"} {
		if strings.Contains(text, f) {
			return true
		}
	}
	return false
}

// ruleList names rules with their lines and paths.
func (l *linter) ruleList(numbers []int) string {
	var parts []string
	for i, n := range numbers {
		if i == 4 {
			parts = append(parts, fmt.Sprintf("and %d more", len(numbers)-i))
			break
		}
		r := &l.policy.Rules[n-1]
		parts = append(parts, fmt.Sprintf("rule %d (line %d: %s, %s)", r.Number, r.Line, r.Path, r.Method))
	}
	return strings.Join(parts, ", ")
}
