package anonymize

import (
	"fmt"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
)

// alive reports whether anything is left of a node. A resource always stays.
func (o *oracle) alive(n *oracleNode) bool {
	if n.isResource || n.has {
		return true
	}
	if !o.exact && n.typ.Name == "Extension" {
		if url := n.child("url"); n.urlLost || url != nil && url.lost {
			return false
		}
	}
	for _, c := range n.children {
		if o.alive(c) {
			return true
		}
	}
	return false
}

// write is a node as JSON.
func (o *oracle) write(n *oracleNode) string {
	var members []string
	if n.isResource {
		members = append(members, `"resourceType":`+quoteJSON(n.typ.Name))
	}
	done := make(map[*fhirmodel.Element]bool)
	for _, c := range n.children {
		if done[c.elem] {
			continue
		}
		done[c.elem] = true
		var group []*oracleNode
		for _, d := range n.children {
			if d.elem == c.elem && o.alive(d) {
				group = append(group, d)
			}
		}
		members = append(members, o.writeElement(c.elem, group)...)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// writeElement is an element's member, and the one with "_" where it needs one.
func (o *oracle) writeElement(elem *fhirmodel.Element, group []*oracleNode) (members []string) {
	if len(group) == 0 {
		return nil
	}
	var values, siblings []string
	anyValue, anySibling := false, false
	for _, n := range group {
		value, sibling := "null", "null"
		switch {
		case !elem.Type.Kind.Primitive():
			value, anyValue = o.write(n), true
		default:
			if n.has {
				value, anyValue = n.json, true
			}
			below := *n
			below.has = false
			if o.alive(&below) {
				sibling, anySibling = o.write(n), true
			}
		}
		values, siblings = append(values, value), append(siblings, sibling)
	}
	for _, m := range []struct {
		key   string
		items []string
		any   bool
	}{{elem.Key, values, anyValue}, {"_" + elem.Key, siblings, anySibling}} {
		if !m.any {
			continue
		}
		text := strings.Join(m.items, ",")
		if elem.Array {
			text = "[" + text + "]"
		}
		members = append(members, quoteJSON(m.key)+":"+text)
	}
	return members
}

// quoteJSON is a text as a JSON string, escaped as Microsoft's tool does.
func quoteJSON(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case 0x85, 0x2028, 0x2029:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			if r < 0x20 {
				fmt.Fprintf(&b, `\u%04x`, r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}

// plainNumber is a JSON number in plain digits. It is for numbers of some digits
// only.
func plainNumber(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa = text[:i]
		fmt.Sscan(strings.TrimPrefix(text[i+1:], "+"), &exponent)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	for ; exponent > 0; exponent-- {
		if fraction == "" {
			fraction = "0"
		}
		whole, fraction = whole+fraction[:1], fraction[1:]
	}
	for ; exponent < 0; exponent++ {
		if whole == "" {
			whole = "0"
		}
		whole, fraction = whole[:len(whole)-1], whole[len(whole)-1:]+fraction
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if strings.Trim(whole+fraction, "0") == "" {
		sign = "" // there is no negative zero
		if strings.ContainsAny(text, "eE") {
			return "0"
		}
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole
}
