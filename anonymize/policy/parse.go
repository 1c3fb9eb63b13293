package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parse reads and checks a rule file. The error is an *Error that says line and
// rule. Whether paths can be compiled is found out with the engine.
func Parse(data []byte) (*Policy, error) {
	root, err := parseJSON(data)
	if err != nil {
		return nil, err
	}
	if root.kind != kindObject {
		return nil, &Error{Line: root.line, Text: "a rule file is a JSON object"}
	}
	p := &Policy{Mode: Microsoft, Claim: ClaimNone, source: bytes.Clone(data)}
	if err := p.readTop(root); err != nil {
		return nil, err
	}
	rules := root.getFold("fhirPathRules")
	if rules == nil || rules.kind != kindArray {
		return nil, &Error{Line: root.line, Text: "\"fhirPathRules\" is missing: the list of rules"}
	}
	for i, n := range rules.items {
		rule, err := p.parseRule(i+1, n)
		if err != nil {
			return nil, err
		}
		p.Rules = append(p.Rules, rule)
	}
	if p.Parameters, err = parseParameters(root.getFold("parameters")); err != nil {
		return nil, err
	}
	return p, nil
}

var topKeys = []string{"fhirVersion", "processingErrors", "fhirPathRules", "parameters", "mode", "claim", "codeSystems", "extensions", "description"}

func (p *Policy) readTop(root *node) error {
	text := func(key string) (string, int, error) {
		v := root.getFold(key)
		if v == nil || v.kind == kindNull {
			return "", 0, nil
		}
		if v.kind != kindString && v.kind != kindNumber {
			return "", v.line, &Error{Line: v.line, Text: fmt.Sprintf("%q must be a text, not %s", key, v.kind)}
		}
		return v.text, v.line, nil
	}
	mode, line, err := text("mode")
	if err != nil {
		return err
	}
	switch Mode(strings.ToLower(mode)) {
	case "", Microsoft:
	case Strict:
		p.Mode = Strict
	default:
		return &Error{Line: line, Text: "\"mode\" must be microsoft or strict"}
	}
	claim, line, err := text("claim")
	if err != nil {
		return err
	}
	if claim != "" {
		p.Claim = Claim(strings.ToLower(claim))
	}
	switch p.Claim {
	case ClaimNone:
	case ClaimSafeHarbor, ClaimLimitedDataSet:
		if p.Mode != Strict {
			return &Error{Line: line, Text: fmt.Sprintf("the claim %q needs \"mode\": \"strict\": a file that keeps what no rule reaches can prove nothing", claim)}
		}
	default:
		return &Error{Line: line, Text: "\"claim\" must be safe-harbor, limited-data-set or none"}
	}
	version, line, err := text("fhirVersion")
	if err != nil {
		return err
	}
	p.FHIRVersion = strings.ToUpper(version)
	if p.FHIRVersion != "" && !slices.Contains([]string{"STU3", "R4", "R4B", "R5"}, p.FHIRVersion) {
		return &Error{Line: line, Text: "\"fhirVersion\" must be STU3, R4, R4B or R5"}
	}
	if p.FHIRVersion == "" {
		p.warnings = append(p.warnings, "The file names no fhirVersion; the setting FHIR_VERSION is used.")
	}
	errors, line, err := text("processingErrors")
	if err != nil {
		return err
	}
	switch strings.ToLower(errors) {
	case "", "raise", "0":
	case "skip", "1":
		p.SkipErrors = true
	default:
		return &Error{Line: line, Text: "\"processingErrors\" must be raise or skip"}
	}
	for _, list := range []struct {
		key  string
		into *[]string
	}{{"codeSystems", &p.CodeSystems}, {"extensions", &p.Extensions}} {
		if v := root.getFold(list.key); v != nil {
			for _, item := range v.items {
				if item.kind != kindString {
					return &Error{Line: item.line, Text: fmt.Sprintf("%q must be a list of texts", list.key)}
				}
				*list.into = append(*list.into, item.text)
			}
		}
	}
	for _, m := range root.members {
		if slices.ContainsFunc(topKeys, func(k string) bool { return strings.EqualFold(k, m.key) }) {
			continue
		}
		if p.Mode == Strict {
			return &Error{Line: m.value.line, Text: fmt.Sprintf("the member %q is unknown, which a strict policy does not allow", m.key)}
		}
		p.warnings = append(p.warnings, fmt.Sprintf("Line %d: the member %q is unknown and has no effect.", m.value.line, m.key))
	}
	return nil
}

// text is the text of a rule's setting, whatever its JSON type.
func (n *node) asText() string {
	switch n.kind {
	case kindString, kindNumber:
		return n.text
	case kindBool:
		if n.boolean {
			return "True" // as .NET writes it
		}
		return "False"
	}
	return ""
}

// parseRule checks a rule in the order of Microsoft's tool: path and method,
// then the settings of the method.
func (p *Policy) parseRule(number int, n *node) (Rule, error) {
	r := Rule{Number: number, Line: n.line}
	fault := func(format string, args ...any) error {
		return &Error{Line: n.line, Rule: number, Text: fmt.Sprintf(format, args...)}
	}
	if n.kind != kindObject {
		return r, fault("a rule must be an object with \"path\" and \"method\"")
	}
	path, method := n.get("path"), n.get("method")
	if path == nil || strings.TrimSpace(path.asText()) == "" || method == nil || method.asText() == "" {
		return r, fault("\"path\" and \"method\" are needed, in lower case")
	}
	r.Path = path.asText()
	known := methods
	if p.Mode == Strict {
		known = append(slices.Clone(methods), strictMethods...)
	}
	i := slices.IndexFunc(known, func(m Method) bool { return strings.EqualFold(string(m), method.asText()) })
	if i < 0 {
		return r, fault("the method %q is unknown; there are: %s", method.asText(), methodNames(known))
	}
	r.Method = known[i]
	switch r.Method {
	case Substitute:
		return r, r.readSubstitute(n, fault)
	case PerturbBy:
		return r, r.readPerturb(n, fault)
	case Generalize:
		return r, fault("the method generalize is not supported yet")
	}
	return r, nil
}

func methodNames(list []Method) string {
	names := make([]string, len(list))
	for i, m := range list {
		names[i] = string(m)
	}
	return strings.Join(names, ", ")
}

func (r *Rule) readSubstitute(n *node, fault func(string, ...any) error) error {
	v := n.get("replaceWith")
	if v == nil {
		return fault("the method substitute needs \"replaceWith\", which may be null")
	}
	switch v.kind {
	case kindNull:
		return nil
	case kindObject, kindArray:
		return fault("\"replaceWith\" with an object is not supported yet")
	}
	text := v.asText()
	r.ReplaceWith = &text
	return nil
}

func (r *Rule) readPerturb(n *node, fault func(string, ...any) error) error {
	r.Perturb.RoundTo = 2
	span := n.get("span")
	if span == nil {
		return fault("the method perturb needs \"span\"")
	}
	var err error
	if r.Perturb.Span, err = strconv.ParseFloat(strings.TrimSpace(span.asText()), 64); err != nil || r.Perturb.Span < 0 {
		return fault("\"span\" must be a number that is not negative")
	}
	if v := n.get("roundTo"); v != nil {
		if r.Perturb.RoundTo, err = strconv.Atoi(strings.TrimSpace(v.asText())); err != nil || r.Perturb.RoundTo < 0 || r.Perturb.RoundTo > 28 {
			return fault("\"roundTo\" must be a whole number from 0 to 28")
		}
	}
	if v := n.get("rangeType"); v != nil {
		switch strings.ToLower(v.asText()) {
		case "fixed":
		case "proportional":
			r.Perturb.Proportional = true
		default:
			return fault("\"rangeType\" must be fixed or proportional")
		}
	}
	return nil
}
