package fhirpath

import "regexp"

// Node is a part of an expression.
type Node interface{ position() int }

// at is where a part begins.
type at int

func (a at) position() int { return int(a) }

// The parts of expressions.
type (
	// Literal is a value.
	Literal struct {
		at
		Value Item
	}
	// Empty is {}.
	Empty struct{ at }
	// Member is a name: the children so called of Input, or of the focus where
	// Input is nil.
	Member struct {
		at
		Input Node
		Name  string
	}
	// Call is a function, of Input or of the focus where Input is nil.
	Call struct {
		at
		Input Node
		Name  string
		Args  []Node
		fn    *function
		// pattern is the regular expression that was written out.
		pattern *regexp.Regexp
	}
	// Index is Input[Of].
	Index struct {
		at
		Input, Of Node
	}
	// Special is $this, $index or $total.
	Special struct {
		at
		Name string
	}
	// Variable is %name.
	Variable struct {
		at
		Name string
	}
	// Unary is + or - before X.
	Unary struct {
		at
		Op string
		X  Node
	}
	// Binary is Left Op Right.
	Binary struct {
		at
		Op          string
		Left, Right Node
	}
	// TypeTest is "X is T" or "X as T".
	TypeTest struct {
		at
		X    Node
		As   bool
		Type TypeName
	}
	// Slot stands for nodes that were found before: Expression.Slots.
	Slot struct {
		at
		Number int
	}
)

// TypeName is a type as it is written: System.String, FHIR.Patient, HumanName.
type TypeName struct{ Namespace, Name string }

// Expression is an expression that was read and checked.
type Expression struct {
	// Root is its outermost part.
	Root    Node
	Dialect Dialect
	text    string
}

// String is the expression as it was written.
func (x *Expression) String() string { return x.text }
