package fhirpath

import (
	"bytes"
	"encoding/json"
	"fmt"

	"fhirdeid/anonymize/fhirmodel"
)

// Tree is a Document that was read from JSON for expressions to be tried on. It
// is lenient where the engine is not: a member that FHIR does not have is a node
// of a System type, and any JSON object can be looked into. The engine has a
// reader of its own, which refuses such input and is fast.
type Tree struct {
	nodes []treeNode
	// Unknown counts the members and resources that the FHIR version does not
	// have.
	Unknown int
}

type treeNode struct {
	typ                 *fhirmodel.Type
	elem                *fhirmodel.Element
	parent, first, next int32
	last                int32 // the last child so far, while the tree is built
	resource, hasText   bool
	text                []byte
	raw                 json.RawMessage
}

// ReadTree reads a resource. The error has nothing of the data in it.
func ReadTree(model *fhirmodel.Model, data []byte) (*Tree, error) {
	root, err := readJSON(data)
	if err != nil {
		return nil, err
	}
	if root.kind != '{' {
		return nil, fmt.Errorf("a FHIR resource is a JSON object")
	}
	b := treeBuilder{model: model, tree: &Tree{}}
	b.object(nil, b.resourceType(root), None, root)
	return b.tree, nil
}

// The types of what FHIR does not know. They tell by their Path that they are
// none of FHIR.
var (
	systemString  = &fhirmodel.Type{Name: "String", Path: "System.String", Kind: fhirmodel.String}
	systemBoolean = &fhirmodel.Type{Name: "Boolean", Path: "System.Boolean", Kind: fhirmodel.Boolean}
	systemInteger = &fhirmodel.Type{Name: "Integer", Path: "System.Integer", Kind: fhirmodel.Integer}
	systemDecimal = &fhirmodel.Type{Name: "Decimal", Path: "System.Decimal", Kind: fhirmodel.Decimal}
	systemObject  = &fhirmodel.Type{Name: "Any", Path: "System.Any", Kind: fhirmodel.Complex}
)

func isSystem(t *fhirmodel.Type) bool { return len(t.Path) > 7 && t.Path[:7] == "System." }

type treeBuilder struct {
	model *fhirmodel.Model
	tree  *Tree
}

// resourceType is the type an object says it has, nil for none.
func (b *treeBuilder) resourceType(v *jsonValue) *fhirmodel.Type {
	if name := v.member("resourceType"); name != nil && name.kind == '"' {
		return b.model.ResourceType(name.text)
	}
	return nil
}

func (b *treeBuilder) add(elem *fhirmodel.Element, typ *fhirmodel.Type, parent int32, raw json.RawMessage) int32 {
	n := int32(len(b.tree.nodes))
	b.tree.nodes = append(b.tree.nodes, treeNode{typ: typ, elem: elem, parent: parent, first: None, next: None, last: None, raw: raw})
	if parent != None {
		if p := &b.tree.nodes[parent]; p.last == None {
			p.first, p.last = n, n
		} else {
			b.tree.nodes[p.last].next, p.last = n, n
		}
	}
	return n
}

// object adds an object with all below it. A resource is of the type it says,
// whatever typ is.
func (b *treeBuilder) object(elem *fhirmodel.Element, typ *fhirmodel.Type, parent int32, v *jsonValue) {
	own := b.resourceType(v)
	if own != nil {
		typ = own
	}
	name := v.member("resourceType")
	if typ == nil || own == nil && (typ.Kind == fhirmodel.Resource || name != nil) {
		b.tree.Unknown++
		typ = systemObject
		if name != nil && len(name.text) > 0 {
			typ = &fhirmodel.Type{Name: string(name.text), Path: systemObject.Path}
		}
	}
	n := b.add(elem, typ, parent, v.raw)
	b.tree.nodes[n].resource = name != nil
	b.members(n, typ, v)
}

// members adds the members of an object as children of n. "x" and "_x" are one.
func (b *treeBuilder) members(n int32, typ *fhirmodel.Type, v *jsonValue) {
	for i := range v.members {
		m := &v.members[i]
		name, sibling := m.name, (*jsonValue)(nil)
		value := &m.value
		switch {
		case v.member(name) != value:
			continue // another of that name follows
		case name == "resourceType" && b.tree.nodes[n].resource, name == "fhir_comments":
			continue
		case len(name) > 1 && name[0] == '_':
			if v.member(name[1:]) != nil {
				continue // it is taken with the other
			}
			name, sibling, value = name[1:], value, nil
		default:
			sibling = v.member("_" + name)
		}
		if name == "" {
			continue
		}
		elem := typ.Member([]byte(name))
		if elem == nil {
			b.tree.Unknown++
		}
		b.values(n, elem, name, value, sibling)
	}
}

// values adds the items of a member, each with its sibling from "_x". A null in an
// array keeps its place.
func (b *treeBuilder) values(n int32, elem *fhirmodel.Element, name string, value, sibling *jsonValue) {
	if value.isArray() || sibling.isArray() {
		for i := range max(value.length(), sibling.length()) {
			b.value(n, elem, name, value.item(i).notNull(), sibling.item(i).notNull())
		}
		return
	}
	if value, sibling = value.notNull(), sibling.notNull(); value != nil || sibling != nil {
		b.value(n, elem, name, value, sibling)
	}
}

func (b *treeBuilder) value(n int32, elem *fhirmodel.Element, name string, value, sibling *jsonValue) {
	if elem == nil {
		elem = &fhirmodel.Element{Name: name, Key: name, Type: systemType(value), Index: -1, Group: -1}
	}
	if value != nil && value.kind == '{' {
		b.object(elem, elem.Type, n, value)
		return
	}
	typ := elem.Type
	if !typ.Kind.Primitive() {
		typ = systemType(value) // a text where FHIR has an object
		b.tree.Unknown++
	}
	c := b.add(elem, typ, n, json.RawMessage("null"))
	if value != nil && value.kind != '[' {
		node := &b.tree.nodes[c]
		node.text, node.raw, node.hasText = value.text, value.raw, true
	}
	if sibling != nil && sibling.kind == '{' {
		b.members(c, b.model.PrimitiveMembers(), sibling)
	}
}

func systemType(v *jsonValue) *fhirmodel.Type {
	if v == nil {
		return systemString
	}
	switch v.kind {
	case '{':
		return systemObject
	case 't':
		return systemBoolean
	case '0':
		if bytes.ContainsAny(v.text, ".eE") {
			return systemDecimal
		}
		return systemInteger
	}
	return systemString
}

// The Document interface.

// Type is the node's type.
func (t *Tree) Type(n int32) *fhirmodel.Type { return t.nodes[n].typ }

// Element is what the node is in its parent.
func (t *Tree) Element(n int32) *fhirmodel.Element { return t.nodes[n].elem }

// IsResource reports whether the node is a resource.
func (t *Tree) IsResource(n int32) bool { return t.nodes[n].resource }

// Parent is the node above.
func (t *Tree) Parent(n int32) int32 { return t.nodes[n].parent }

// First is the first node below.
func (t *Tree) First(n int32) int32 { return t.nodes[n].first }

// Next is the next node under the same parent.
func (t *Tree) Next(n int32) int32 { return t.nodes[n].next }

// Text is the text of a primitive's value.
func (t *Tree) Text(n int32) ([]byte, bool) { return t.nodes[n].text, t.nodes[n].hasText }

// JSON is an item as JSON: of a node what the input has, of a primitive without a
// value null; of a value the forms that FHIR uses, a quantity as its literal.
func (t *Tree) JSON(i Item) json.RawMessage {
	if i.Kind == KindNode {
		return t.nodes[i.Node].raw
	}
	return i.JSON()
}
