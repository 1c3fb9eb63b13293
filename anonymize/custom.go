package anonymize

import (
	"encoding/json"
	"fmt"
	"strings"

	"fhirdeid/anonymize/policy"
)

// Method is a method that a program adds to the rule language. It is called for
// each primitive element with a value that a rule of it decides, by several
// goroutines at once.
type Method interface {
	// Apply changes the element, or leaves it as it is. An error makes the line
	// one that cannot be processed; it must not have the value in it.
	Apply(e *Element) error
}

// NewMethod makes the Method of one rule. customSettings are the rule file's
// "parameters"."customSettings", rule is the rule itself, both as JSON; either
// may be nil.
type NewMethod func(customSettings, rule json.RawMessage) (Method, error)

// Element is a primitive element in the hands of a Method.
type Element struct {
	w *worker
	n *node
	i int32
}

// Type is the FHIR type, such as "string".
func (e *Element) Type() string { return e.n.typ.Name }

// Path is the element's path, such as "Patient.name.family".
func (e *Element) Path() string { return e.w.path(e.i) }

// Text is the value: of a string or date without quotes and escapes, of a number
// in plain digits, of a boolean True or False.
func (e *Element) Text() string { return string(e.w.text(e.n)) }

// SetText makes a text the value; an empty one removes it.
func (e *Element) SetText(text string) { e.w.setString(e.n, []byte(text)) }

// Remove removes the value.
func (e *Element) Remove() { e.w.remove(e.n) }

// Record adds the security label of a built-in method to the resource. Methods
// without a label are ignored.
func (e *Element) Record(m policy.Method) {
	switch m {
	case policy.Redact:
		e.w.record(e.i, opRedact)
	case policy.CryptoHash:
		e.w.record(e.i, opCryptoHash)
	case policy.Encrypt:
		e.w.record(e.i, opEncrypt)
	case policy.PerturbBy, policy.DateShift:
		e.w.record(e.i, opPerturb)
	case policy.Substitute:
		e.w.record(e.i, opSubstitute)
	case policy.GeneralizeBy:
		e.w.record(e.i, opGeneralize)
	}
}

// makeCustom makes the methods of the rules that name one of the program's.
func (e *Engine) makeCustom(methods map[string]NewMethod) error {
	e.custom = make([]Method, len(e.policy.Rules))
	for i := range e.policy.Rules {
		r := &e.policy.Rules[i]
		if r.Custom == "" {
			continue
		}
		var make NewMethod
		for name, m := range methods {
			if strings.EqualFold(name, r.Custom) {
				make = m
			}
		}
		if make == nil {
			return &policy.Error{Line: r.Line, Rule: r.Number, Text: fmt.Sprintf("the program has no method %q", r.Custom)}
		}
		m, err := make(e.policy.CustomSettings, r.Settings)
		if err != nil {
			return &policy.Error{Line: r.Line, Rule: r.Number, Text: fmt.Sprintf("the method %q: %v", r.Custom, err)}
		}
		e.custom[i] = m
	}
	return nil
}

func (w *worker) custom(i int32, n *node, c claim) {
	if err := w.engine.custom[c.rule].Apply(&Element{w, n, i}); err != nil {
		w.faultProcessing(i, w.ruleText(c.rule)+": "+err.Error())
	}
}
