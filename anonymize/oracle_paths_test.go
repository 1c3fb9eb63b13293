package anonymize

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"fhirdeid/anonymize/policy"
)

// ruleFile makes up rules that have something to do in the resources.
func (m *maker) ruleFile(trees []*oracleTree, compat policy.Compat) *ruleSet {
	s := &ruleSet{version: string(m.model.Version), compat: compat, parameters: map[string]any{
		"enablePartialDatesForRedact":    m.oneIn(2),
		"enablePartialAgesForRedact":     m.oneIn(2),
		"enablePartialZipCodesForRedact": m.oneIn(2),
	}}
	if m.oneIn(2) {
		s.parameters["restrictedZipCodeTabulationAreas"] = []string{"036"}
	}
	if m.oneIn(4) {
		s.parameters["dateShiftFixedOffsetInDays"] = pick(m, 7, -3)
	}
	if m.oneIn(4) {
		s.parameters["dateShiftScope"] = pick(m, "file", "folder", "resource")
	}
	s.skip = m.oneIn(6)
	for range 1 + m.IntN(8) {
		s.rules = append(s.rules, m.rule(trees))
	}
	if compat == policy.CompatMicrosoft && m.oneIn(20) {
		s.rules[0]["method"] = "redcat" // an error where the rule applies
	}
	return s
}

// ruleSet is a rule file in parts, so that some can be left out.
type ruleSet struct {
	version    string
	compat     policy.Compat
	skip       bool
	parameters map[string]any
	rules      []map[string]any
}

func (s *ruleSet) text() []byte {
	errors := "raise"
	if s.skip {
		errors = "skip"
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(map[string]any{"fhirVersion": s.version, "processingErrors": errors, "fhirPathRules": append([]map[string]any{}, s.rules...), "parameters": s.parameters}); err != nil {
		panic(err)
	}
	return []byte(b.String())
}

func (m *maker) rule(trees []*oracleTree) map[string]any {
	tree := trees[m.IntN(len(trees))]
	target := tree.nodes[m.IntN(len(tree.nodes))]
	r := map[string]any{"path": m.path(tree, target)}
	switch m.IntN(14) {
	case 0, 1, 2, 3:
		r["method"] = "redact"
	case 4, 5:
		r["method"] = "keep"
	case 6, 7:
		r["method"] = "cryptoHash"
	case 8:
		r["method"] = "dateShift"
	case 9:
		r["method"] = "encrypt"
	case 10:
		r["method"], r["span"], r["roundTo"] = "perturb", 0, m.IntN(3)
	case 11, 12:
		r["method"], r["replaceWith"] = "substitute", m.replacement(tree, target)
		r["path"] = m.onePath(tree, target) // in a union an inner node could come before an outer one
	case 13:
		r["method"], r["path"] = "generalize", m.onePath(tree, target)
		if m.oneIn(3) {
			r["otherValues"] = "keep"
		}
		r["cases"] = map[string]any{pick(m, "true", "$this = 'a'", "$this.toString().length() > 4", "$this > 10", "$this >= @1980-02-03", "$this.exists()", "{}", "$this in ('a' | 'b')"): pick(m, "'x'", "$this", "{}", "1", "2.50", "@1990", "true", "$this.toString().substring(0,2)", "('a' | 'b')", "($this div 10) * 10", "%resource.id")}
	}
	return r
}

// replacement is what a substitute gives: an object for an object, mostly.
func (m *maker) replacement(tree *oracleTree, n *oracleNode) any {
	switch {
	case m.oneIn(6):
		return nil
	case n.typ.Kind.Primitive():
		return pick[any](m, "x", "2001-01-01", 5, true, "a")
	case m.oneIn(6):
		return map[string]any{}
	}
	mk := *m
	mk.odd = 0
	v := mk.object(n.typ, 6, 1+m.IntN(3))
	return json.RawMessage(mk.spell(v))
}

// path is a path that may lead to a node, in one of many ways.
func (m *maker) path(tree *oracleTree, n *oracleNode) string {
	p := m.onePath(tree, n)
	if m.oneIn(8) {
		other := tree.nodes[m.IntN(len(tree.nodes))]
		q := m.onePath(tree, other)
		p = p + " | " + strings.TrimPrefix(q, strings.SplitN(p, ".", 2)[0]+".")
	}
	return p
}

func (m *maker) onePath(tree *oracleTree, n *oracleNode) string {
	switch m.IntN(12) {
	case 0:
		return fmt.Sprintf("nodesByType('%s')", n.typ.Name) + m.suffix(n)
	case 1:
		if n.elem != nil {
			return fmt.Sprintf("nodesByName('%s')", n.name()) + m.suffix(n)
		}
	}
	var chain []*oracleNode
	for x := n; ; x = x.parent {
		chain = append(chain, x)
		if x.elem == nil || x.isResource && x != n && !m.oneIn(4) {
			break
		}
	}
	slices.Reverse(chain)
	top := chain[0]
	p := pick(m, top.typ.Name, top.typ.Name, top.typ.Name, top.typ.Name, "Resource", "DomainResource", "")
	join := func(s string) {
		if p != "" {
			p += "."
		}
		p += s
	}
	for i, x := range chain[1:] {
		if m.oneIn(25) {
			join(fmt.Sprintf("nodesByType('%s')", n.typ.Name))
			break
		}
		if m.oneIn(25) {
			join(fmt.Sprintf("nodesByName('%s')", n.name()))
			break
		}
		join(x.name())
		if x.elem.Choice && m.oneIn(3) {
			p += fmt.Sprintf(pick(m, ".ofType(%s)", ".as(%s)"), pick(m, x.typ.Name, x.typ.Name, "Quantity"))
		}
		if m.oneIn(5) {
			p += m.guard(x)
		}
		if i == len(chain)-2 && x.elem.Choice && m.oneIn(6) && !strings.Contains(p, "|") {
			p += " as " + x.typ.Name
		}
	}
	if p == "" {
		return pick(m, "descendants()", "children()", "id")
	}
	if !strings.Contains(p, " as ") && m.oneIn(10) {
		p += pick(m, ".descendants()", ".children()", ".repeat(extension)", ".repeat(children())", ".extension('http://x/1').value", ".extension('http://x/1')", ".descendants().where($this is string)", ".extension.where(url = 'http://x/2')", ".exists()")
	}
	return p
}

// suffix goes one step down, perhaps, or filters.
func (m *maker) suffix(n *oracleNode) string {
	switch m.IntN(4) {
	case 0:
		if len(n.children) > 0 {
			return "." + pick(m, n.children...).name()
		}
	case 1:
		return m.guard(n)
	}
	return ""
}

// guard filters nodes such as one.
func (m *maker) guard(n *oracleNode) string {
	switch m.IntN(12) {
	case 0:
		return fmt.Sprintf("[%d]", m.IntN(3))
	case 1:
		return pick(m, ".first()", ".last()", ".tail()", ".take(2)", ".skip(1)", ".distinct()", ".single()")
	case 2:
		return pick(m, ".where($index = 0)", ".where($index > 0)", ".where(exists())", ".where(count() = 1)", ".where($this is Patient)", ".where(%resource.id = 'a')", ".where(%context.id.exists())", ".where(extension.exists())", ".where(hasValue())")
	case 3:
		return pick(m, ".select($this)", ".trace('x')", ".where(children().count() > 1)", ".where(extension('http://x/1').exists())", ".where(extension.url.startsWith('http'))", ".where(descendants().exists())", ".where(true)", ".where(false)", ".exclude(first())", ".intersect(last())", ".where(iif(exists(), true, false))")
	}
	return ".where(" + m.condition(n) + ")"
}

// condition asks for something of a node, which may be there.
func (m *maker) condition(n *oracleNode) string {
	if len(n.children) == 0 || m.oneIn(8) {
		if !n.has {
			return "$this.exists()"
		}
		return "$this = " + m.literal(n)
	}
	c := pick(m, n.children...)
	name := c.name()
	if c.children != nil && m.oneIn(2) {
		d := pick(m, c.children...)
		name, c = name+"."+d.name(), d
	}
	simple := func() string {
		switch m.IntN(6) {
		case 0:
			return name + ".exists()"
		case 1:
			return name + ".empty()"
		case 2:
			return name + ".exists().not()"
		case 3:
			if c.has && strings.Contains("string code id uri", c.typ.Name) {
				return fmt.Sprintf(pick(m, "%s.startsWith('%s')", "%s.first().startsWith('%s')"), name, pick(m, "a", "h", "S"))
			}
			return name + ".count() > 1"
		case 4:
			return name + " != " + m.literal(c)
		}
		return name + " = " + m.literal(c)
	}
	x := simple()
	if m.oneIn(4) {
		x = "(" + x + ") " + pick(m, "and", "or", "xor", "implies") + " (" + simple() + ")"
	}
	return x
}

// literal is the value of a node, or another.
func (m *maker) literal(n *oracleNode) string {
	if !n.has {
		return "'a'"
	}
	switch {
	case isDate(n):
		return "@" + n.text
	case n.json[0] != '"':
		return n.json
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(n.text) + "'"
}
