package policy

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fhirdeid/anonymize/fhirpath"
)

// Compat says how closely Microsoft's tool is followed.
type Compat string

// CompatMicrosoft is Microsoft's tool exactly, its traps included: see the table
// of ParseWith. The empty Compat differs where that tool leaks, crashes, or takes
// a word for another.
const CompatMicrosoft Compat = "microsoft"

// ParseOptions say how a rule file is read.
type ParseOptions struct {
	Compat Compat
	// FHIRVersion is the version of the engine that the file is for, "" for any:
	// a file that names another is refused.
	FHIRVersion string
	// CustomMethods are names of methods that the program adds, in any case.
	CustomMethods []string
}

// Parse reads and checks a rule file, as ParseWith does without options.
func Parse(data []byte) (*Policy, error) { return ParseWith(data, ParseOptions{}) }

// ParseWith reads and checks a rule file: all that Microsoft's tool checks when it
// loads one, in its order. The error is an *Error that says line and rule.
//
// A byte order mark is taken off, of UTF-16 too; Microsoft's library does so only
// for files.
//
// Where the reading differs by Compat:
//
//	                               CompatMicrosoft                     else
//	unknown method                 a warning; an error when a          refused, with the nearest name
//	                               resource comes it applies to
//	"replaceWith" that looks like  rewritten, its zone worked in       as it is written
//	a date and a time
//	a case's value true, false     the element True, so nothing        the boolean
//	equal nodes in a union         one of them                         all of them
//	functions that Microsoft's     refused                             there
//	tool lacks
//	members of the file that       the last wins                       refused
//	differ in case only
//	"mode": "strict"               refused                             there
func ParseWith(data []byte, o ParseOptions) (*Policy, error) {
	p, faults := ParseAll(data, o)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	return p, nil
}

// ParseAll is ParseWith for who wants to know all faults, not only the first. The
// policy is nil where the file could not be read at all; else it lacks the rules
// that have a fault. A policy with faults must not be used on data.
func ParseAll(data []byte, o ParseOptions) (*Policy, []*Error) {
	if err := o.check(); err != nil {
		return nil, faults(err)
	}
	root, err := parseJSON(data)
	if err != nil {
		return nil, faults(err)
	}
	if root.kind != kindObject {
		return nil, faults(&Error{Line: root.line, Text: "a rule file is a JSON object, not " + root.kind.String()})
	}
	p := &Policy{Mode: Microsoft, Claim: ClaimNone, Compat: o.Compat, source: bytes.Clone(data)}
	if err := p.readTop(root, &o); err != nil {
		return nil, faults(err)
	}
	if err := p.readParameters(root.getFold("parameters")); err != nil {
		return nil, faults(err)
	}
	all := p.readRules(root, &o)
	if n := len(p.Parameters.EncryptKey); n != 0 && n != 16 && n != 24 && n != 32 {
		line := root.getFold("parameters").getFold("encryptKey").line
		all = append(all, &Error{Line: line, Text: fmt.Sprintf("\"encryptKey\" has %d bytes; AES takes 16, 24 or 32", n)})
	}
	p.takeBase()
	return p, all
}

// faults is an error as a list.
func faults(err error) []*Error {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Text: err.Error()}
	}
	return []*Error{e}
}

func (o *ParseOptions) check() error {
	if o.Compat != "" && o.Compat != CompatMicrosoft {
		return fmt.Errorf("there is no compatibility %q; there is %q", o.Compat, CompatMicrosoft)
	}
	for _, name := range o.CustomMethods {
		for _, m := range slices.Concat(methods, strictMethods) {
			if strings.EqualFold(name, string(m)) {
				return fmt.Errorf("a custom method cannot be called %q: there is a built-in method of that name", name)
			}
		}
	}
	return nil
}

func (p *Policy) readRules(root *node, o *ParseOptions) (all []*Error) {
	rules := root.getFold("fhirPathRules")
	if rules == nil || rules.kind == kindNull {
		return faults(&Error{Line: root.line, Text: "\"fhirPathRules\" is missing: the list of rules, which may be empty"})
	}
	if rules.kind != kindArray {
		return faults(&Error{Line: rules.line, Text: "\"fhirPathRules\" must be an array of rules, not " + rules.kind.String()})
	}
	for i, n := range rules.items {
		rp := ruleParser{p: p, o: o, n: n, rule: Rule{Number: i + 1, Line: n.line}}
		if err := rp.parse(); err != nil {
			all = append(all, faults(err)...)
			continue
		}
		p.Rules = append(p.Rules, rp.rule)
	}
	return all
}

var topKeys = []string{"fhirVersion", "processingErrors", "fhirPathRules", "parameters", "mode", "claim", "codeSystems", "extensions", "description", "extends", "risk"}

func (p *Policy) readTop(root *node, o *ParseOptions) error {
	for _, read := range []func(*node, *ParseOptions) error{p.readExtends, p.readMode, p.readClaim, p.readVersion, p.readProcessingErrors, p.readRisk} {
		if err := read(root, o); err != nil {
			return err
		}
	}
	if err := p.readList(root, codeSystemsKey, &p.CodeSystems); err != nil {
		return err
	}
	if err := p.readList(root, extensionsKey, &p.Extensions); err != nil {
		return err
	}
	return p.checkNames(root, topKeys)
}

// scalar returns the text of a member that is a text, a number or a boolean, ""
// where it is absent or null.
func scalar(n *node, key string) (text string, line int, err error) {
	v := n.getFold(key)
	switch {
	case v == nil || v.kind == kindNull:
		return "", 0, nil
	case v.kind == kindArray || v.kind == kindObject:
		return "", v.line, &Error{Line: v.line, Text: fmt.Sprintf("%q must be a text, not %s", key, v.kind)}
	}
	return v.asText(false), v.line, nil
}

func (p *Policy) readMode(root *node, o *ParseOptions) error {
	mode, line, err := scalar(root, "mode")
	if err != nil {
		return err
	}
	switch Mode(strings.ToLower(mode)) {
	case "", Microsoft:
		return nil
	case Strict:
		if o.Compat == CompatMicrosoft {
			return &Error{Line: line, Text: "a policy with \"mode\": \"strict\" cannot be read as Microsoft's tool reads files: that has no such mode"}
		}
		p.Mode = Strict
		return nil
	}
	return &Error{Line: line, Text: "\"mode\" must be microsoft or strict"}
}

func (p *Policy) readClaim(root *node, _ *ParseOptions) error {
	claim, line, err := scalar(root, "claim")
	if err != nil {
		return err
	}
	if claim != "" {
		p.Claim = Claim(strings.ToLower(claim))
	}
	switch p.Claim {
	case ClaimNone:
		return nil
	case ClaimSafeHarbor, ClaimLimitedDataSet:
		if p.Mode != Strict {
			return &Error{Line: line, Text: fmt.Sprintf("the claim %q needs \"mode\": \"strict\": a file that keeps what no rule reaches can prove nothing", claim)}
		}
		return nil
	}
	return &Error{Line: line, Text: "\"claim\" must be safe-harbor, limited-data-set or none"}
}

func (p *Policy) readVersion(root *node, o *ParseOptions) error {
	version, line, err := scalar(root, "fhirVersion")
	if err != nil {
		return err
	}
	p.FHIRVersion = strings.ToUpper(version)
	switch {
	case version == "":
		if p.Mode != Strict { // those may be for all versions
			p.warnings = append(p.warnings, Error{Text: "The file names no fhirVersion; the setting FHIR_VERSION, or --fhir-version, says which it is."})
		}
	case !slices.Contains([]string{"STU3", "R4", "R4B", "R5"}, p.FHIRVersion):
		return &Error{Line: line, Text: "\"fhirVersion\" must be STU3, R4, R4B or R5"}
	case o.FHIRVersion != "" && !strings.EqualFold(o.FHIRVersion, version):
		return &Error{Line: line, Text: fmt.Sprintf("the file is for FHIR %s, the engine for %s", p.FHIRVersion, strings.ToUpper(o.FHIRVersion))}
	}
	return nil
}

func (p *Policy) readProcessingErrors(root *node, _ *ParseOptions) error {
	v := root.getFold("processingErrors")
	if v == nil {
		return nil
	}
	i, ok := v.enum("raise", "skip")
	if !ok {
		return &Error{Line: v.line, Text: "\"processingErrors\" must be raise or skip"}
	}
	p.SkipErrors = i == 1
	return nil
}

// checkNames looks for members of n that nobody reads, and for those that differ
// in case only.
func (p *Policy) checkNames(n *node, known []string) error {
	seen := make(map[string]string)
	for _, m := range n.members {
		lower := strings.ToLower(m.key)
		if first, twice := seen[lower]; twice && p.Compat != CompatMicrosoft {
			return &Error{Line: m.value.line, Text: fmt.Sprintf("the members %q and %q are the same but for their case; remove one", first, m.key)}
		}
		seen[lower] = m.key
		if slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, m.key) }) {
			continue
		}
		hint := "."
		if near := fhirpath.Nearest(m.key, known); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		if p.Mode == Strict {
			return &Error{Line: m.value.line, Text: fmt.Sprintf("the member %q is unknown, which a strict policy does not allow%s", m.key, hint)}
		}
		p.warnings = append(p.warnings, Error{Line: m.value.line, Text: fmt.Sprintf("the member %q is unknown and has no effect%s", m.key, hint)})
	}
	return nil
}
