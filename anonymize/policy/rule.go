package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"fhirdeid/anonymize/fhirpath"
)

// Rule is one rule of the file.
type Rule struct {
	// Number counts from 1, Line is the line in the file.
	Number, Line int
	// Path is the path as it is written.
	Path string
	// Prefix is the type name that the path begins with, or "". It says which
	// resources the rule applies to.
	Prefix string
	// Self says that the path is its prefix: the resource itself is meant.
	Self bool
	// Expression is the path behind its prefix.
	Expression *fhirpath.Expression
	// IndexBy is "type" or "name" where the path is nodesByType('IndexOf') or
	// nodesByName('IndexOf') and nothing else but perhaps one name behind it,
	// IndexSuffix: then the nodes are found among all below a resource, nested
	// resources included as nodes but not entered. Otherwise it is "".
	IndexBy, IndexOf, IndexSuffix string

	// Method is the method's name as its constant has it, of a custom method its
	// registered name, of an unknown one the name in the file.
	Method Method
	// Custom is the registered name of a custom method, or "".
	Custom string
	// Unknown says that there is no such method, which only CompatMicrosoft lets
	// pass: the rule is an error when a resource comes that it applies to.
	Unknown bool
	// Reason is why the rule may keep more than the claim's profile does, or "".
	Reason string
	// Profile is the built-in profile that the rule is from where the file extends
	// one, or "": Line is the line there.
	Profile string
	// Settings is the rule as strict JSON, for custom methods.
	Settings json.RawMessage

	// ReplaceWith is for the method substitute, Generalize for generalize; nil
	// for others.
	ReplaceWith *Replacement
	Generalize  *Generalize
	Perturb     Perturb
}

// Applies reports whether the rule is looked at in a resource of a type.
// Microsoft's tool takes DomainResource for every resource.
func (r *Rule) Applies(resourceType string) bool {
	switch r.Prefix {
	case "", "Resource", "DomainResource", resourceType:
		return true
	}
	return false
}

// ruleKeys are the members of a rule, besides those of custom methods.
var ruleKeys = []string{"path", "method", "replaceWith", "span", "rangeType", "roundTo", "cases", "otherValues", "reason"}

// ruleParser reads one rule. Its checks come in the order of Microsoft's tool:
// path and method, the path's grammar, the method's settings.
type ruleParser struct {
	p    *Policy
	o    *ParseOptions
	n    *node
	rule Rule
}

func (rp *ruleParser) fault(format string, args ...any) error {
	return rp.faultAt(rp.n, format, args...)
}

func (rp *ruleParser) faultAt(n *node, format string, args ...any) error {
	return &Error{Line: n.line, Rule: rp.rule.Number, Text: fmt.Sprintf(format, args...)}
}

// warn notes what is odd in the rule.
func (rp *ruleParser) warn(n *node, format string, args ...any) {
	rp.p.warnings = append(rp.p.warnings, Error{Line: n.line, Rule: rp.rule.Number, Text: fmt.Sprintf(format, args...)})
}

// dates says whether texts that look like dates are rewritten.
func (rp *ruleParser) dates() bool { return rp.o.Compat == CompatMicrosoft }

func (rp *ruleParser) parse() error {
	if rp.n.kind != kindObject {
		return rp.fault("a rule must be an object with \"path\" and \"method\", not %s", rp.n.kind)
	}
	path, method := rp.n.get("path"), rp.n.get("method")
	for _, m := range []struct {
		key   string
		value *node
	}{{"path", path}, {"method", method}} {
		if m.value == nil || strings.TrimSpace(m.value.asText(false)) == "" {
			hint := ""
			if v := rp.n.getFold(m.key); v != nil && m.value == nil {
				hint = "; it is there, but the names in a rule are case-sensitive: write it in lower case"
			}
			return rp.fault("%q is missing%s", m.key, hint)
		}
	}
	if err := rp.readPath(path); err != nil {
		return err
	}
	if err := rp.readMethod(method); err != nil {
		return err
	}
	if err := rp.readReason(); err != nil {
		return err
	}
	return rp.checkKeys()
}

// readReason reads why a rule may keep more than its claim's profile. Such a rule
// has to say which element: a reason for all of a kind is none.
func (rp *ruleParser) readReason() error {
	n := rp.n.get("reason")
	if n == nil || rp.p.Mode != Strict {
		return nil
	}
	if n.kind != kindString || strings.TrimSpace(n.text) == "" {
		return rp.faultAt(n, "\"reason\" must be a text that says why this may be kept")
	}
	if r := &rp.rule; !elementPath.MatchString(r.Path) {
		return rp.faultAt(n, "a rule with a reason names one element, such as \"Observation.note.text\"; %q is more", r.Path)
	}
	rp.rule.Reason = strings.TrimSpace(n.text)
	return nil
}

// elementPath is a path of a resource type and names.
var elementPath = regexp.MustCompile(`^[A-Z][A-Za-z]*(?:\.[a-z][A-Za-z0-9]*)+$`)

func (rp *ruleParser) readMethod(n *node) error {
	name := n.asText(false)
	fold := func(m string) bool { return strings.EqualFold(m, name) }
	if i := slices.IndexFunc(rp.o.CustomMethods, fold); i >= 0 {
		rp.rule.Custom = rp.o.CustomMethods[i]
		rp.rule.Method = Method(rp.rule.Custom)
		rp.rule.Settings = rp.n.raw()
		return nil
	}
	known := rp.p.methods()
	i := slices.IndexFunc(known, func(m Method) bool { return fold(string(m)) })
	if i < 0 {
		return rp.unknownMethod(n, name)
	}
	rp.rule.Method = known[i]
	switch rp.rule.Method {
	case Substitute:
		return rp.readSubstitute()
	case PerturbBy:
		return rp.readPerturb()
	case GeneralizeBy:
		return rp.readGeneralize()
	}
	return nil
}

// unknownMethod refuses a method that does not exist. Microsoft's tool only warns
// and stops at the first resource that the rule applies to.
func (rp *ruleParser) unknownMethod(n *node, name string) error {
	names := slices.Clone(rp.o.CustomMethods)
	for _, m := range rp.p.methods() {
		names = append(names, string(m))
	}
	hint := ""
	if near := fhirpath.Nearest(name, names); near != "" {
		hint = fmt.Sprintf("; did you mean %q?", near)
	}
	if rp.o.Compat != CompatMicrosoft {
		for _, m := range strictMethods {
			if strings.EqualFold(string(m), name) {
				return rp.faultAt(n, "the method %q is unknown here: only a policy with \"mode\": \"strict\" has it", name)
			}
		}
		return rp.faultAt(n, "the method %q is unknown%s There are: %s", name, cmp.Or(hint, "."), strings.Join(names, ", "))
	}
	rp.rule.Method, rp.rule.Unknown, rp.rule.Settings = Method(name), true, rp.n.raw()
	rp.warn(n, "the method %q is unknown%s Every resource that the rule applies to will be an error.", name, cmp.Or(hint, "."))
	return nil
}

// checkKeys looks for members that no method reads. Those of a custom method are
// its own.
func (rp *ruleParser) checkKeys() error {
	if rp.rule.Custom != "" || rp.rule.Unknown {
		return nil
	}
	for _, m := range rp.n.members {
		if slices.Contains(ruleKeys, m.key) {
			continue
		}
		hint := ""
		if near := fhirpath.Nearest(m.key, ruleKeys); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		if rp.p.Mode == Strict {
			return rp.faultAt(m.value, "the member %q is unknown, which a strict policy does not allow%s", m.key, hint)
		}
		rp.warn(m.value, "the member %q is unknown and has no effect%s", m.key, cmp.Or(hint, "."))
	}
	return nil
}
