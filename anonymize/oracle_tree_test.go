package anonymize

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// The oracle is a slow and literal reading of the rule language, to hold the
// engine against. It shares the model, FHIRPath and the loader with the engine,
// and nothing else: it has a tree of its own (here), does to it rule by rule and
// node by node what the description of the language says (oracle_rules_test.go,
// oracle_methods_test.go), and writes it (oracle_write_test.go).

// jsonValue is JSON with the order of its members.
type jsonValue struct {
	// kind is { [ " n, or 0 for a number and t for a boolean.
	kind    byte
	text    string // of a string without escapes, else as it is
	members []jsonMember
	items   []*jsonValue
}

type jsonMember struct {
	name  string
	value *jsonValue
}

func readJSON(data []byte) (*jsonValue, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readValue(d)
	if err == nil && d.More() {
		err = errors.New("there is more")
	}
	return v, err
}

func readValue(d *json.Decoder) (*jsonValue, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case string:
		return &jsonValue{kind: '"', text: token}, nil
	case json.Number:
		return &jsonValue{kind: '0', text: token.String()}, nil
	case bool:
		return &jsonValue{kind: 't', text: fmt.Sprint(token)}, nil
	case json.Delim:
		v := &jsonValue{kind: byte(token)}
		for d.More() {
			name := ""
			if v.kind == '{' {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				name = key.(string)
			}
			item, err := readValue(d)
			if err != nil {
				return nil, err
			}
			if v.kind == '{' {
				v.members = append(v.members, jsonMember{name, item})
			} else {
				v.items = append(v.items, item)
			}
		}
		_, err := d.Token()
		return v, err
	}
	return &jsonValue{kind: 'n'}, nil
}

// member is the last member of a name, as the last one counts.
func (v *jsonValue) member(name string) *jsonValue {
	for i := len(v.members) - 1; i >= 0; i-- {
		if v.members[i].name == name {
			return v.members[i].value
		}
	}
	return nil
}

// list is what a member has: the items of an array, or the one value. A null is nil.
func (v *jsonValue) list() []*jsonValue {
	switch {
	case v == nil:
		return nil
	case v.kind != '[':
		return []*jsonValue{v.notNull()}
	}
	var list []*jsonValue
	for _, item := range v.items {
		list = append(list, item.notNull())
	}
	return list
}

func (v *jsonValue) notNull() *jsonValue {
	if v.kind == 'n' {
		return nil
	}
	return v
}

// oracleNode is an element or a resource.
type oracleNode struct {
	number     int32
	elem       *fhirmodel.Element // nil for the root
	typ        *fhirmodel.Type
	isResource bool
	parent     *oracleNode
	children   []*oracleNode

	// has says that it has a value: text is what FHIRPath reads, json what is
	// written.
	has        bool
	text, json string

	// visited: a rule has been there, one of the resource owner.
	visited bool
	owner   *oracleNode
	// gone: a substitute took it out of the tree.
	gone bool
	// lost: a rule has removed the value; urlLost: an extension's URL was taken out.
	lost, urlLost bool
	// record is what was done to a resource, by the names of the labels' codes.
	record map[string]bool
}

func (n *oracleNode) name() string {
	if n.elem == nil {
		return ""
	}
	return n.elem.Name
}

func (n *oracleNode) child(name string) *oracleNode {
	for _, c := range n.children {
		if c.name() == name {
			return c
		}
	}
	return nil
}

// oracleTree is a document. It is a fhirpath.Document, of what is in it now.
type oracleTree struct {
	model *fhirmodel.Model
	exact bool
	nodes []*oracleNode
}

func (t *oracleTree) add(parent *oracleNode, elem *fhirmodel.Element, typ *fhirmodel.Type) *oracleNode {
	n := &oracleNode{number: int32(len(t.nodes)), elem: elem, typ: typ, parent: parent}
	t.nodes = append(t.nodes, n)
	if parent != nil {
		parent.children = append(parent.children, n)
	}
	return n
}

// object adds an object. Of a resource the type is what it says itself.
func (t *oracleTree) object(parent *oracleNode, elem *fhirmodel.Element, typ *fhirmodel.Type, v *jsonValue) (*oracleNode, error) {
	if v.kind != '{' {
		return nil, errors.New("an object is missing")
	}
	resource := typ == nil || typ.Kind == fhirmodel.Resource
	if resource {
		name := v.member("resourceType")
		if name == nil || name.kind != '"' {
			return nil, errors.New("there is no resourceType")
		}
		if typ = t.model.ResourceType([]byte(name.text)); typ == nil {
			return nil, errors.New("the type is unknown")
		}
	}
	n := t.add(parent, elem, typ)
	n.isResource = resource
	return n, t.members(n, typ, v)
}

func (t *oracleTree) members(n *oracleNode, typ *fhirmodel.Type, v *jsonValue) error {
	read := make(map[string]bool)
	variants := make(map[int]*fhirmodel.Element)
	for _, m := range v.members {
		name := strings.TrimPrefix(m.name, "_")
		if read[name] || name == "resourceType" && n.isResource || name == "fhir_comments" {
			continue
		}
		read[name] = true
		elem := typ.Member([]byte(name))
		if elem == nil {
			return errors.New("a member is unknown")
		}
		if first := variants[elem.Group]; first != nil && first != elem {
			if !t.exact {
				return errors.New("two variants of a choice")
			}
			continue
		}
		variants[elem.Group] = elem
		if err := t.element(n, elem, v.member(name), v.member("_"+name)); err != nil {
			return err
		}
	}
	return nil
}

// element adds what a member and its sibling with "_" have: their items belong
// together by place.
func (t *oracleTree) element(n *oracleNode, elem *fhirmodel.Element, value, sibling *jsonValue) error {
	values, siblings := value.list(), sibling.list()
	if len(siblings) > 0 && (!elem.Type.Kind.Primitive() || elem.NoExtension && elem.Type.Name != "id") {
		return errors.New("a sibling of an element that has none")
	}
	for i := range max(len(values), len(siblings)) {
		var v, s *jsonValue
		if i < len(values) {
			v = values[i]
		}
		if i < len(siblings) {
			s = siblings[i]
		}
		if i > 0 && !elem.Array {
			if !t.exact && (v != nil || s != nil || sibling == nil) {
				return errors.New("several values where one belongs")
			}
			break
		}
		if v == nil && s == nil {
			continue
		}
		if !elem.Type.Kind.Primitive() {
			if _, err := t.object(n, elem, elem.Type, v); err != nil {
				return err
			}
			continue
		}
		c := t.add(n, elem, elem.Type)
		if v != nil {
			if v.kind == '{' || v.kind == '[' {
				return errors.New("a primitive is no object")
			}
			c.read(v.text)
		}
		if s != nil {
			if s.kind != '{' {
				return errors.New("a sibling is an object")
			}
			if err := t.members(c, t.model.PrimitiveMembers(), s); err != nil {
				return err
			}
		}
	}
	return nil
}

// read takes a text as the value of a primitive, in the form of its type.
func (n *oracleNode) read(text string) {
	text = strings.TrimSpace(text)
	n.has = text != ""
	n.text, n.json = text, quoteJSON(text)
	switch n.typ.Kind {
	case fhirmodel.Boolean:
		n.json = text
	case fhirmodel.Integer, fhirmodel.Decimal:
		n.text = plainNumber(text)
		n.json = n.text
	}
}

// The Document interface.

func (t *oracleTree) Type(n int32) *fhirmodel.Type       { return t.nodes[n].typ }
func (t *oracleTree) Element(n int32) *fhirmodel.Element { return t.nodes[n].elem }
func (t *oracleTree) IsResource(n int32) bool            { return t.nodes[n].isResource }

func (t *oracleTree) Parent(n int32) int32 {
	if p := t.nodes[n].parent; p != nil {
		return p.number
	}
	return fhirpath.None
}

func (t *oracleTree) First(n int32) int32 {
	if list := t.nodes[n].children; len(list) > 0 {
		return list[0].number
	}
	return fhirpath.None
}

func (t *oracleTree) Next(n int32) int32 {
	p := t.nodes[n].parent
	if p == nil {
		return fhirpath.None
	}
	for i, c := range p.children {
		if c.number == n && i+1 < len(p.children) {
			return p.children[i+1].number
		}
	}
	return fhirpath.None
}

func (t *oracleTree) Text(n int32) ([]byte, bool) {
	return []byte(t.nodes[n].text), t.nodes[n].has
}
