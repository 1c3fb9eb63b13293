package fhirpath

import "fhirdeid/anonymize/fhirmodel"

// None is no node.
const None int32 = -1

// Document is a resource as a tree of numbered nodes. A primitive is one node
// with its id and extensions below it; each item of an array is a node.
type Document interface {
	// Type is the node's FHIR type.
	Type(n int32) *fhirmodel.Type
	// Element is what the node is in its parent; nil for the root.
	Element(n int32) *fhirmodel.Element
	// IsResource reports whether the node is a resource: the root, contained, or
	// in an entry or a parameter.
	IsResource(n int32) bool
	// Parent is the node above, or None.
	Parent(n int32) int32
	// First is the first node below n, and Next the one behind n under the same
	// parent, in the order of the document; None where there is none.
	First(n int32) int32
	Next(n int32) int32
	// Text is the text of a primitive's value; ok is false where it has none.
	// The bytes are valid until the document changes.
	Text(n int32) (text []byte, ok bool)
}
