// Package lint reads a rule file as its reviewer would: what in it does nothing,
// what does something else than it seems to, and what no rule reaches.
//
//	report, err := lint.Check(data, lint.Options{})
//	report.WriteText(os.Stdout)
//
// It looks at the file and the definitions of a FHIR version, at no data. What it
// calls dead, shadowed or unreached is so for every valid resource of the version;
// it does not find all there is. Each Problem says in words what is wrong, what
// comes of it, and what to do.
package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
	"fhirdeid/anonymize/policy"
)

// Options say how a file is looked at.
type Options struct {
	// FHIRVersion is used where the policy names none; "" is R4.
	FHIRVersion string
	// CustomMethods are names of methods that the program adds.
	CustomMethods []string
}

// Severity says how bad a problem is.
type Severity string

// The severities.
const (
	// Error: the policy does not do what it says, or cannot be used.
	Error Severity = "error"
	// Warning: something does nothing, or is taken otherwise than it looks.
	Warning Severity = "warning"
	// Note: worth knowing.
	Note Severity = "note"
)

// Problem is one thing found.
type Problem struct {
	// Code names the kind of problem, for programs: "dead-path".
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Line is the line in the file, Rule the rule's number, both from 1, or 0.
	Line int `json:"line,omitempty"`
	Rule int `json:"rule,omitempty"`
	// Path is the rule's path, Column the character in it, from 1, or 0.
	Path   string `json:"path,omitempty"`
	Column int    `json:"column,omitempty"`
	// Problem, Consequence and Remedy are sentences for people.
	Problem     string `json:"problem"`
	Consequence string `json:"consequence"`
	Remedy      string `json:"remedy"`
}

// Report is all that was found.
type Report struct {
	FHIRVersion string `json:"fhirVersion"`
	Mode        string `json:"mode"`
	Claim       string `json:"claim"`
	// Rules counts those without a fault.
	Rules int `json:"rules"`
	// Problems are in the order of the file.
	Problems []Problem `json:"problems"`
	// Coverage is what no rule reaches, nil where the file has faults that hide
	// it.
	Coverage *Coverage `json:"coverage,omitempty"`
}

// Errors counts the problems of severity Error.
func (r *Report) Errors() int { return r.count(Error) }

func (r *Report) count(s Severity) int {
	n := 0
	for _, p := range r.Problems {
		if p.Severity == s {
			n++
		}
	}
	return n
}

// linter looks at one file.
type linter struct {
	report *Report
	policy *policy.Policy
	model  *fhirmodel.Model
	strict bool
	// idle are the rules that were found to do nothing already.
	idle map[int]bool
}

// Check looks at a rule file. The error is a FHIR version that does not exist;
// faults of the file are problems in the report.
func Check(data []byte, o Options) (*Report, error) {
	p, faults := policy.ParseAll(data, policy.ParseOptions{CustomMethods: o.CustomMethods})
	l := &linter{report: &Report{}, policy: p, idle: make(map[int]bool)}
	for _, f := range faults {
		l.fault(f)
	}
	if p == nil {
		return l.report, nil
	}
	name := cmp.Or(p.FHIRVersion, strings.ToUpper(o.FHIRVersion), string(fhirmodel.R4))
	version, ok := fhirmodel.ParseVersion(name)
	if !ok {
		return nil, fmt.Errorf("there is no FHIR version %q; it is STU3, R4, R4B or R5", name)
	}
	var err error
	if l.model, err = fhirmodel.Load(version); err != nil {
		return nil, err
	}
	l.strict = p.Mode == policy.Strict
	l.report.FHIRVersion, l.report.Mode, l.report.Claim = name, string(p.Mode), string(p.Claim)
	l.report.Rules = len(p.Rules)
	for _, w := range p.WarningList() {
		l.warning(w)
	}
	l.keys()
	for i := range p.Rules {
		l.rule(&p.Rules[i])
	}
	if len(faults) == 0 {
		if err := l.decisions(); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(l.report.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return l.report, nil
}

func (l *linter) add(p Problem) { l.report.Problems = append(l.report.Problems, p) }

// fault is what keeps the file from being used.
func (l *linter) fault(e *policy.Error) {
	code := "invalid"
	if strings.HasPrefix(e.Text, "the method ") && strings.Contains(e.Text, "unknown") {
		code = "unknown-method"
	}
	l.add(Problem{
		Code: code, Severity: Error, Line: e.Line, Rule: e.Rule, Problem: sentence(e.Text),
		Consequence: "The file is refused: nothing is de-identified by it.",
		Remedy:      "Correct the rule file as the problem says.",
	})
}

func (l *linter) warning(w policy.Error) {
	if w.Line == 0 {
		l.add(Problem{
			Code: "no-version", Severity: Note, Problem: sentence(w.Text),
			Consequence: "What the file does depends on a setting. It was looked at for FHIR " + l.report.FHIRVersion + ".",
			Remedy:      "Write \"fhirVersion\" into the file.",
		})
		return
	}
	l.add(Problem{
		Code: "without-effect", Severity: Warning, Line: w.Line, Rule: w.Rule, Problem: sentence(w.Text),
		Consequence: "What it was meant to say is not taken into account.",
		Remedy:      "Correct it, or take it out.",
	})
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "?") {
		s += "."
	}
	return s
}

// at is a problem of a rule, at a byte of its expression, or -1.
func at(r *policy.Rule, code string, severity Severity, position int) Problem {
	p := Problem{Code: code, Severity: severity, Line: r.Line, Rule: r.Number, Path: r.Path}
	if position >= 0 {
		// The expression is the end of the path.
		p.Column = max(0, len(r.Path)-len(r.Expression.String())) + position + 1
	}
	return p
}

// graver is a warning, of a strict policy an error.
func (l *linter) graver() Severity {
	if l.strict {
		return Error
	}
	return Warning
}

// nothing says what comes of a rule that does nothing.
func (l *linter) nothing() string {
	if l.strict {
		return "The rule does nothing: what it was meant to treat is dropped, unless another rule reaches it."
	}
	return "The rule does nothing: what it was meant to treat stays as it is, unless another rule reaches it."
}

// typing types a rule's path for all resources it applies to.
func typing(r *policy.Rule, m *fhirmodel.Model) *fhirpath.Typing {
	if r.IndexBy != "" {
		return fhirpath.InferLookup(m, r.Expression.Dialect, r.IndexBy == "type", r.IndexOf, r.IndexSuffix, m.ResourceTypes()...)
	}
	return fhirpath.Infer(r.Expression, m, contexts(r, m)...)
}

// contexts are the resource types that a rule applies to.
func contexts(r *policy.Rule, m *fhirmodel.Model) []*fhirmodel.Type {
	var list []*fhirmodel.Type
	for _, t := range m.ResourceTypes() {
		if r.Applies(t.Name) {
			list = append(list, t)
		}
	}
	return list
}
