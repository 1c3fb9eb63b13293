package lint

import (
	"fmt"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
	"fhirdeid/anonymize/policy"
)

// conditions looks at the cases of a generalize rule: a condition without a
// result counts as met with Microsoft's tool.
func (l *linter) conditions(r *policy.Rule) {
	t := typing(r, l.model)
	var types []*fhirmodel.Type
	dates := false
	for _, p := range t.Results {
		types = append(types, p.Type)
		dates = dates || isDate(p.Type)
	}
	for i, c := range r.Generalize.Cases {
		p := at(r, "empty-condition", Warning, -1)
		p.Line = c.Line
		typed := fhirpath.Infer(c.Condition, l.model, types...)
		switch {
		case len(types) == 0:
			continue
		case typed.Dead():
			p.Severity = Error
			p.Problem = fmt.Sprintf("The condition %q of case %d never has a result.", c.ConditionText, i+1)
			p.Consequence = "With Microsoft's tool it counts as met for every value. Here it counts as not met."
			p.Remedy = "Correct the condition."
		case canBeEmpty(c.Condition.Root, dates):
			p.Problem = fmt.Sprintf("The condition %q of case %d has no result for some values", c.ConditionText, i+1)
			if dates {
				p.Problem += ", such as a date of which only the year is known"
			}
			p.Problem += "."
			p.Consequence = "With Microsoft's tool, or with --compat microsoft, it counts as met then, and the value of this case is written. Otherwise it counts as not met."
			p.Remedy = fmt.Sprintf("Write \"iif(%s, true, false)\" if the file must give the same with Microsoft's tool.", c.ConditionText)
		default:
			continue
		}
		l.add(p)
	}
}

func isDate(t *fhirmodel.Type) bool {
	return t.Kind == fhirmodel.Date || t.Kind == fhirmodel.DateTime || t.Kind == fhirmodel.Instant || t.Kind == fhirmodel.Time
}

// canBeEmpty reports whether an expression may be without a result for a value;
// dates says that the value is a date or a time, which need not be complete.
func canBeEmpty(x fhirpath.Node, dates bool) bool {
	switch x := x.(type) {
	case *fhirpath.Literal:
		return false
	case *fhirpath.Special:
		return x.Name != "this"
	case *fhirpath.Unary:
		return canBeEmpty(x.X, dates)
	case *fhirpath.TypeTest:
		return x.As || canBeEmpty(x.X, dates)
	case *fhirpath.Binary:
		either := canBeEmpty(x.Left, dates) || canBeEmpty(x.Right, dates)
		switch x.Op {
		case "~", "!~", "&":
			return false
		case "=", "!=", "<", "<=", ">", ">=":
			return either || dates && (isValue(x.Left) || isValue(x.Right))
		case "/", "div", "mod":
			return true // by zero
		case "|":
			return canBeEmpty(x.Left, dates) && canBeEmpty(x.Right, dates)
		}
		return either
	case *fhirpath.Call:
		switch x.Name {
		case "iif":
			return len(x.Args) < 3 || canBeEmpty(x.Args[1], dates) || canBeEmpty(x.Args[2], dates)
		case "exists", "empty", "count", "all", "allTrue", "allFalse", "anyTrue", "anyFalse", "hasValue", "isDistinct":
			return false
		case "not", "toString", "startsWith", "endsWith", "contains", "matches", "matchesFull", "length", "upper", "lower", "trim", "replace", "replaceMatches", "is":
			return x.Input != nil && canBeEmpty(x.Input, dates)
		}
	}
	return true
}

// isValue reports whether an expression is the value itself.
func isValue(x fhirpath.Node) bool {
	s, ok := x.(*fhirpath.Special)
	return ok && s.Name == "this"
}
