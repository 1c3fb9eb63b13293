package anonymize

import "fhirdeid/anonymize/fhirmodel"

// node is one FHIR node of a line. A primitive with its "_x" is one node, whose
// children are the id and extensions; each item of an array is a node.
type node struct {
	elem  *fhirmodel.Element // nil for the root
	typ   *fhirmodel.Type
	state *state
	// start and end are the bytes of the JSON value in the line; of a primitive
	// without a value both are 0.
	start, end int32
	// after is the index of the first node that is not below this one.
	after  int32
	parent int32
	// out is the new value in worker.values, where changed is set.
	outStart, outEnd int32
	flags            flags
	ops              ops
}

type flags uint16

const (
	// hasValue: a primitive with a value.
	hasValue flags = 1 << iota
	// dirty: the bytes are not in canonical form, here or below.
	dirty
	// touched: a rule has changed something here or below.
	touched
	// removed: the value is gone.
	removed
	// replaced: the value is a new one.
	replaced
	// escaped: the string has escapes, so its text is not its bytes.
	escaped
	// resource: the node is a resource.
	resource
	// wrongKind: the JSON type is not the one of the FHIR type.
	wrongKind
	// dropped: a strict policy has dropped the node with all below it.
	dropped
	// alive: something is left of the node, or of what is below it.
	alive
	// done: the value's method was applied before its turn.
	done
	// urlLost: an extension that has no URL any more.
	urlLost
)

// ops are what was done to a resource, for its security labels.
type ops uint16

const (
	opRedact ops = 1 << iota
	opAbstract
	opCryptoHash
	opEncrypt
	opPerturb
	opSubstitute
	opGeneralize
	opPseudonym
	opEnd // one more than all of them
)
