package anonymize

import (
	"fmt"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// What a Validator finds besides the Reason… codes of a LineError: stable codes.
const (
	IssueRequired  = "required"  // an element that has to be there is not
	IssueFormat    = "format"    // a value is not written as its type asks for
	IssueBinding   = "binding"   // a code is none of its required value set
	IssueReference = "reference" // a reference has no form that FHIR knows, or points at nothing contained
	IssueNarrative = "narrative" // a narrative is no XHTML fragment
	IssueEmpty     = "empty"     // an object, array or string is empty, or a null stands for nothing
)

// Issue says what is wrong with a resource, and where; it has no value.
type Issue struct {
	// Path is the element's path with the places in arrays, such as
	// "Patient.name[0].given[1]". Of JSON that is no FHIR at all it is as far as
	// it is known.
	Path string `json:"path"`
	// Kind is one of the codes.
	Kind string `json:"kind"`
}

func (i Issue) String() string { return i.Kind + " at " + i.Path }

// InvalidError says that a resource is not valid.
type InvalidError struct {
	// Line counts from 1; 0 for a single resource.
	Line int64
	// Stage is "input" or "output".
	Stage  string
	Issues []Issue
}

func (e *InvalidError) Error() string {
	text := "the " + e.Stage + " is not valid: " + e.Issues[0].String()
	if more := len(e.Issues) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s", e.Line, text)
	}
	return text
}

// LineReason is the code under which the line is counted: invalid-input or
// invalid-output.
func (e *InvalidError) LineReason() string { return "invalid-" + e.Stage }

// maxIssues is how many issues of one resource are listed.
const maxIssues = 100

// Validator checks resources against a FHIR version's definitions: the JSON form,
// required elements, cardinality, the formats of primitives, required bindings
// where the value set is enumerated, the form of references and narratives, and
// that nothing is empty. It knows neither profiles nor the invariants that are
// written in FHIRPath. It is used by one goroutine at a time.
type Validator struct {
	doc *Document
	// rules are what is checked of a type, by its index, made when it is met.
	rules  []*typeRules
	text   []byte // of a string with escapes
	tags   [][]byte
	open   []jsonLevel
	issues []Issue
}

// typeRules are what is asked of all nodes of a type.
type typeRules struct {
	required []*fhirmodel.Element
	format   func([]byte) bool // nil where any text will do
}

// NewValidator makes a validator for a FHIR version.
func NewValidator(model *fhirmodel.Model) *Validator {
	v := &Validator{
		doc:   &Document{newScanner(model, nil, true)},
		rules: make([]*typeRules, model.NumTypes),
	}
	v.doc.lossless = true
	return v
}

// Validate checks one resource in JSON, and lists at most 100 issues; none means
// that it is valid as far as is checked. JSON that does not fit the definitions
// at all ends the check: what is behind it cannot be told.
func (v *Validator) Validate(data []byte) []Issue {
	v.issues = nil
	d := v.doc
	if fail := d.scan(data); fail != nil {
		return []Issue{{Path: fail.Path, Kind: fail.Reason}}
	}
	for i := range d.tape {
		if len(v.issues) >= maxIssues {
			return v.issues
		}
		v.node(int32(i))
	}
	v.empties()
	return v.issues
}

func (v *Validator) issue(at int32, kind string) {
	v.issueBelow(at, "", kind)
}

// issueBelow notes an issue at a node's member that has no node itself.
func (v *Validator) issueBelow(at int32, member, kind string) {
	if len(v.issues) < maxIssues {
		v.issues = append(v.issues, Issue{v.doc.indexedPath(at) + member, kind})
	}
}

func (v *Validator) node(at int32) {
	n := &v.doc.tape[at]
	rules := v.rules[n.typ.Index]
	if rules == nil {
		rules = newTypeRules(n.typ)
		v.rules[n.typ.Index] = rules
	}
	if n.typ.Kind.Primitive() {
		v.primitive(at, n, rules)
		return
	}
	if v.doc.First(at) == fhirpath.None && n.flags&resource == 0 {
		v.issue(at, IssueEmpty)
		return
	}
	v.members(at, rules)
}

// members looks for the required elements of an object.
func (v *Validator) members(at int32, rules *typeRules) {
	if len(rules.required) == 0 {
		return
	}
	var seen seenSet
	for c := v.doc.First(at); c != fhirpath.None; c = v.doc.Next(c) {
		seen.add(v.doc.tape[c].elem.Group)
	}
	for _, e := range rules.required {
		if !seen.add(e.Group) {
			name := e.Name
			if e.Choice {
				name += "[x]"
			}
			v.issueBelow(at, "."+name, IssueRequired)
		}
	}
}

// primitive checks a value. One without is right if it has extensions instead.
func (v *Validator) primitive(at int32, n *node, rules *typeRules) {
	if n.start == n.end {
		return // only "_x" is there
	}
	text := v.doc.data[n.start:n.end]
	if text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	if n.flags&escaped != 0 {
		v.text = unescape(v.text[:0], text)
		text = v.text
	}
	switch {
	case n.flags&hasValue == 0:
		v.issue(at, IssueEmpty)
	case rules.format != nil && !rules.format(text):
		v.issue(at, IssueFormat)
	case n.typ.Kind == fhirmodel.XHTML:
		if !v.narrative(text) {
			v.issue(at, IssueNarrative)
		}
	case n.elem != nil && n.elem.ValueSet != "":
		if has, known := v.doc.model.HasCode(n.elem.ValueSet, string(text)); known && !has {
			v.issue(at, IssueBinding)
		}
	case n.elem != nil && n.elem.Name == "reference" && v.doc.tape[n.parent].typ.Name == "Reference":
		if !v.reference(at, text) {
			v.issue(at, IssueReference)
		}
	}
}

// reference accepts #id of a contained resource, Type/id with or without a
// version, and absolute URLs; in a Bundle also the conditional form Type?query.
func (v *Validator) reference(at int32, text []byte) bool {
	s := string(text)
	if id, local := strings.CutPrefix(s, "#"); local {
		return id == "" || v.contains(at, id)
	}
	if strings.ContainsAny(s, " \t\r\n") {
		return false
	}
	if name, query, ok := strings.Cut(s, "?"); ok && v.doc.model.ResourceType([]byte(name)) != nil {
		return query != "" && v.doc.tape[0].typ.Name == "Bundle"
	}
	if scheme, rest, ok := strings.Cut(s, ":"); ok && isScheme(scheme) {
		switch strings.ToLower(scheme) {
		case "urn":
			return len(rest) > 0
		case "http", "https":
			return len(rest) > 2 && strings.HasPrefix(rest, "//")
		}
		return rest != ""
	}
	parts := strings.Split(s, "/")
	if len(parts) != 2 && !(len(parts) == 4 && parts[2] == "_history" && isID([]byte(parts[3]))) {
		return false
	}
	return v.doc.model.ResourceType([]byte(parts[0])) != nil && isID([]byte(parts[1]))
}

// contains looks for a contained resource's id in the resource that a reference
// is in, or that contains the one it is in.
func (v *Validator) contains(at int32, id string) bool {
	for n := &v.doc.tape[at]; n.flags&resource == 0 || n.elem != nil && n.elem.Name == "contained"; n = &v.doc.tape[at] {
		at = n.parent
	}
	for c := v.doc.First(at); c != fhirpath.None; c = v.doc.Next(c) {
		if v.doc.tape[c].elem.Name != "contained" {
			continue
		}
		for m := v.doc.First(c); m != fhirpath.None; m = v.doc.Next(m) {
			if v.doc.tape[m].elem.Name != "id" {
				continue
			}
			if text, ok := v.doc.Text(m); ok && string(text) == id {
				return true
			}
		}
	}
	return false
}

// newTypeRules gathers what is asked of a type's nodes.
func newTypeRules(t *fhirmodel.Type) *typeRules {
	r := &typeRules{format: formatOf(t.Name)}
	var groups seenSet
	for _, e := range t.Elements {
		if e.Required && !groups.add(e.Group) {
			r.required = append(r.required, e)
		}
	}
	return r
}

// seenSet is a set of the elements of a type, by their Group.
type seenSet [3]uint64

// add says whether the number was there.
func (s *seenSet) add(n int) bool {
	word, bit := n/64, uint64(1)<<(n%64)
	if word >= len(s) {
		return false // there is no such type
	}
	was := s[word]&bit != 0
	s[word] |= bit
	return was
}
