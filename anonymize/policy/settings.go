package policy

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"fhirdeid/anonymize/fhirpath"
)

// Replacement is what a substitute rule puts in.
type Replacement struct {
	// Null says that the value is removed; a complex element gets an object
	// without members.
	Null bool
	// Text is what a primitive gets, as Microsoft's tool has it: "False", "1", or
	// the indented JSON of an object.
	Text string
	// Object is the JSON object that a complex element gets, nil if there is none.
	// A text that holds an object counts.
	Object json.RawMessage
}

func (rp *ruleParser) readSubstitute() error {
	v := rp.n.get("replaceWith")
	if v == nil {
		return rp.fault("the method substitute needs \"replaceWith\"; null removes the value")
	}
	r := &Replacement{Null: v.kind == kindNull, Text: v.asText(rp.dates())}
	switch v.kind {
	case kindObject:
		r.Object = v.raw()
		if rp.dates() {
			r.Object = []byte(r.Text)
		}
	case kindString:
		if inner, err := parseFrom([]byte(v.text), v.line); err == nil && inner.kind == kindObject {
			r.Object = inner.raw()
		}
	}
	rp.rule.ReplaceWith = r
	return nil
}

// Perturb are the settings of a perturb rule.
type Perturb struct {
	Span         float64
	Proportional bool
	// RoundTo is the number of decimals, 0 to 28.
	RoundTo int
}

// spanPattern is a number as .NET reads it from a text.
var spanPattern = regexp.MustCompile(`^[+-]?(\d[\d,]*(\.\d*)?|\.\d+)([eE][+-]?\d+)?$`)

func (rp *ruleParser) readPerturb() error {
	s := &rp.rule.Perturb
	s.RoundTo = 2
	span := rp.n.get("span")
	if span == nil {
		return rp.fault("the method perturb needs \"span\", the width of the noise")
	}
	if span.kind != kindNull { // null is 0 to .NET
		text := strings.TrimSpace(span.asText(false))
		var err error
		if s.Span, err = strconv.ParseFloat(strings.ReplaceAll(text, ",", ""), 64); err != nil || !spanPattern.MatchString(text) || s.Span < 0 {
			return rp.faultAt(span, "\"span\" must be a number that is not negative")
		}
	}
	if v := rp.n.get("roundTo"); v != nil {
		s.RoundTo = 0
		if v.kind != kindNull {
			n, err := strconv.ParseInt(strings.TrimSpace(v.asText(false)), 10, 32)
			if err != nil || n < 0 || n > 28 {
				return rp.faultAt(v, "\"roundTo\" must be a whole number from 0 to 28, the number of decimals")
			}
			s.RoundTo = int(n)
		}
	}
	if v := rp.n.get("rangeType"); v != nil {
		switch strings.ToLower(v.asText(false)) {
		case "fixed":
		case "proportional":
			s.Proportional = true
		default:
			return rp.faultAt(v, "\"rangeType\" must be fixed or proportional")
		}
	}
	return nil
}

// Generalize are the settings of a generalize rule: the first case whose
// condition is met gives the new value.
type Generalize struct {
	Cases []Case
	// KeepOthers says that a value which no case meets stays; else it is removed.
	KeepOthers bool
}

// Case is one case of a generalize rule. Condition and Target are evaluated with
// the value as $this; the texts are as they are written in the file.
type Case struct {
	Condition, Target         *fhirpath.Expression
	ConditionText, TargetText string
	Line                      int
}

func (rp *ruleParser) readGeneralize() error {
	cases := rp.n.get("cases")
	if cases == nil {
		return rp.fault("the method generalize needs \"cases\": an object of conditions and values")
	}
	list := cases
	if list.kind == kindString {
		var err error
		if list, err = parseFrom([]byte(cases.text), cases.line); err != nil {
			return rp.faultAt(cases, "the text of \"cases\" is no JSON object: %v", err)
		}
	}
	if list.kind != kindObject {
		return rp.faultAt(cases, "\"cases\" must be an object of conditions and values, not %s", list.kind)
	}
	g := &Generalize{}
	for _, m := range list.members {
		c := Case{ConditionText: m.key, TargetText: rp.target(m.value), Line: m.value.line}
		var err error
		if c.Condition, err = fhirpath.Parse(c.ConditionText, rp.o.dialect()); err != nil {
			return rp.faultAt(m.value, "the condition %q is no FHIRPath: %v", c.ConditionText, err)
		}
		if c.Target, err = fhirpath.Parse(c.TargetText, rp.o.dialect()); err != nil {
			return rp.faultAt(m.value, "the value %q of the case %q is no FHIRPath: %v; a text needs single quotes of its own", c.TargetText, c.ConditionText, err)
		}
		g.Cases = append(g.Cases, c)
	}
	if v := rp.n.get("otherValues"); v != nil {
		switch strings.ToLower(v.asText(false)) {
		case "redact":
		case "keep":
			g.KeepOthers = true
		default:
			return rp.faultAt(v, "\"otherValues\" must be redact or keep")
		}
	}
	rp.rule.Generalize = g
	return nil
}

// target is the expression of a case. To Microsoft's tool the value true is the
// element True, which does not exist.
func (rp *ruleParser) target(n *node) string {
	if n.kind == kindBool && rp.o.Compat != CompatMicrosoft {
		return strconv.FormatBool(n.boolean)
	}
	return n.asText(rp.dates())
}
