package anonymize

import (
	"bytes"
	"encoding/json"
	"strconv"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// Document is one resource, read and checked against the model, for expressions
// to be evaluated over. It is a fhirpath.Document.
type Document struct{ scanner }

// ParseDocument reads a resource. The error is a *LineError.
func ParseDocument(model *fhirmodel.Model, data []byte) (*Document, error) {
	d := &Document{newScanner(model, nil, false)}
	if fail := d.scan(data); fail != nil {
		return nil, fail
	}
	return d, nil
}

// Text is the text of a primitive's value.
func (d *Document) Text(n int32) ([]byte, bool) {
	if d.tape[n].flags&hasValue == 0 {
		return nil, false
	}
	return d.plainText(&d.tape[n]), true
}

// Path is the node's element path, such as Patient.name.given[1].
func (d *Document) Path(n int32) string { return d.indexedPath(n) }

// JSON is an item of a collection as JSON: of a complex node or a resource what
// the input has, of a primitive without a value null.
func (d *Document) JSON(i fhirpath.Item) json.RawMessage {
	if i.Kind != fhirpath.KindNode {
		return i.JSON()
	}
	n := &d.tape[i.Node]
	if n.typ.Kind.Primitive() && n.flags&hasValue == 0 {
		return json.RawMessage("null")
	}
	return json.RawMessage(d.data[n.start:n.end])
}

// What follows makes a scanner's tape a tree for FHIRPath; each has its own
// Text.

// Type is the node's FHIR type.
func (s *scanner) Type(n int32) *fhirmodel.Type { return s.tape[n].typ }

// Element is what the node is in its parent.
func (s *scanner) Element(n int32) *fhirmodel.Element { return s.tape[n].elem }

// IsResource reports whether the node is a resource.
func (s *scanner) IsResource(n int32) bool { return s.tape[n].flags&resource != 0 }

// Parent is the node above.
func (s *scanner) Parent(n int32) int32 { return s.tape[n].parent }

// First is the first node below.
func (s *scanner) First(n int32) int32 {
	if s.tape[n].after > n+1 {
		return n + 1
	}
	return fhirpath.None
}

// Next is the next node under the same parent.
func (s *scanner) Next(n int32) int32 {
	p := s.tape[n].parent
	if p < 0 {
		return fhirpath.None
	}
	if next := max(s.tape[n].after, n+1); next < s.tape[p].after {
		return next
	}
	return fhirpath.None
}

// indexedPath is the path with the places in arrays.
func (s *scanner) indexedPath(n int32) string {
	node := &s.tape[n]
	if node.elem == nil {
		return node.typ.Name
	}
	path := s.indexedPath(node.parent) + "." + node.elem.Key
	if !node.elem.Array {
		return path
	}
	index := 0
	for c := s.First(node.parent); c != n && c != fhirpath.None; c = s.Next(c) {
		if s.tape[c].elem == node.elem {
			index++
		}
	}
	return path + "[" + strconv.Itoa(index) + "]"
}

// plainText is the text of a value as the line has it: a string without quotes
// and escapes, a number or a boolean as JSON has it.
func (s *scanner) plainText(n *node) []byte {
	raw := s.data[n.start:n.end]
	if raw[0] != '"' {
		return raw
	}
	raw = raw[1 : len(raw)-1]
	if n.flags&escaped != 0 {
		raw = unescape(nil, raw) // memory of its own: several texts may be in use
	}
	if n.flags&dirty != 0 {
		raw = bytes.TrimSpace(raw)
	}
	return raw
}
