package fhirpath

import (
	"fmt"
	"regexp"
	"time"

	"github.com/cockroachdb/apd/v3"

	"fhirdeid/anonymize/fhirmodel"
)

// Options belong to an evaluator.
type Options struct {
	// Model is the FHIR version's. It is needed.
	Model *fhirmodel.Model
	// Now is what now(), today() and timeOfDay() give; the zero time is the
	// time of the evaluation.
	Now time.Time
	// MaxItems bounds a collection, so that an expression cannot fill the memory;
	// 0 is a million.
	MaxItems int
	// MaxSteps bounds the work of one evaluation: parts evaluated, items compared;
	// 0 is twenty million, a matter of seconds.
	MaxSteps int
	// Trace takes the name that trace() is given, if it is written out, and how many
	// items there are, never their values; nil drops it.
	Trace func(name string, count int)
}

// Evaluator evaluates expressions. Its buffers are used again.
type Evaluator struct {
	o       Options
	dialect Dialect
	doc     Document
	// arena holds the items of all collections of one evaluation, as a stack.
	arena     []Item
	slots     []Collection
	texts     slab[[]byte]
	temporals slab[temporal]
	decimals  slab[apd.Decimal]
	scope     scope
	err       error
	depth     int
	steps     int
	sets      []*nodeSet
	free      int // the first of sets that is not in use
	// patterns are the regular expressions so far.
	patterns map[string]*regexp.Regexp
}

// Collection is an ordered list of items.
type Collection = []Item

// scope is what a part of an expression sees besides its focus.
type scope struct {
	this  Item
	index int
	total Collection
	// vars are the variables that were defined, the last first.
	vars *variable
	// context is %context, resource %resource.
	context  Item
	resource int32
}

type variable struct {
	name  string
	value Collection
	next  *variable
}

// NewEvaluator makes an evaluator.
func NewEvaluator(o Options) *Evaluator {
	if o.MaxItems == 0 {
		o.MaxItems = 1 << 20
	}
	if o.MaxSteps == 0 {
		o.MaxSteps = 20_000_000
	}
	return &Evaluator{o: o}
}

// spend counts work, and ends the evaluation when it was too much.
func (e *Evaluator) spend(steps int) bool {
	if e.steps += steps; e.steps <= e.o.MaxSteps {
		return true
	}
	if e.err == nil {
		e.err = &Error{-1, "the expression takes too long"}
	}
	return false
}

// Eval evaluates an expression with a node as its context. The items are valid
// until the next call. The error is an *Error.
func (e *Evaluator) Eval(x *Expression, doc Document, context int32) ([]Item, error) {
	return e.EvalSlots(x, doc, context, nil)
}

// EvalSlots is Eval for an expression with slots: nodes that the caller has found
// already.
func (e *Evaluator) EvalSlots(x *Expression, doc Document, context int32, slots [][]Item) ([]Item, error) {
	e.doc, e.dialect, e.slots = doc, x.Dialect, slots
	e.arena, e.err, e.depth, e.steps, e.free = e.arena[:0], nil, 0, 0, 0
	e.texts.reset()
	e.temporals.reset()
	e.decimals.reset()
	resource := context
	for !doc.IsResource(resource) && doc.Parent(resource) != None {
		resource = doc.Parent(resource)
	}
	this := nodeItem(context)
	e.scope = scope{this: this, context: this, resource: resource}
	out := e.eval(x.Root, e.list(this))
	if e.err != nil {
		return nil, e.err
	}
	return out, nil
}

func (e *Evaluator) fail(n Node, format string, args ...any) Collection {
	if e.err == nil {
		e.err = &Error{n.position(), fmt.Sprintf(format, args...)}
	}
	return nil
}

// eval evaluates a part with a focus. Variables that it defines stay defined.
func (e *Evaluator) eval(x Node, focus Collection) Collection {
	if e.err != nil {
		return nil
	}
	if e.depth++; e.depth > 2*maxNesting {
		return e.fail(x, "the expression is nested too deep")
	}
	if !e.spend(1) {
		return nil
	}
	mark := e.mark()
	var out Collection
	switch x := x.(type) {
	case *Literal:
		out = e.list(x.Value)
	case *Empty:
	case *Special:
		out = e.special(x)
	case *Variable:
		out = e.variable(x)
	case *Member:
		out = e.member(x, focus)
	case *Index:
		out = e.index(x, focus)
	case *Call:
		out = e.call(x, focus)
	case *Unary:
		out = e.unary(x, focus)
	case *Binary:
		out = e.binary(x, focus)
	case *TypeTest:
		out = e.typeTest(x, focus)
	case *Slot:
		if x.Number < 0 || x.Number >= len(e.slots) {
			return e.fail(x, "a slot has no nodes")
		}
		out = e.slots[x.Number]
	}
	e.depth--
	if e.err != nil {
		return nil
	}
	return e.settle(mark, out)
}

// alone evaluates a part whose variables nobody else sees.
func (e *Evaluator) alone(x Node, focus Collection) Collection {
	if l, ok := x.(*Literal); ok && e.err == nil { // frequent, and nothing to do
		return e.list(l.Value)
	}
	vars := e.scope.vars
	out := e.eval(x, focus)
	e.scope.vars = vars
	return out
}

// each evaluates a part for one item of a collection, as $this.
func (e *Evaluator) each(x Node, item Item, index int) Collection {
	this, at, vars := e.scope.this, e.scope.index, e.scope.vars
	e.scope.this, e.scope.index = item, index
	mark := e.mark()
	out := e.settle(mark, e.eval(x, e.list(item)))
	e.scope.this, e.scope.index, e.scope.vars = this, at, vars
	return out
}

// arg evaluates an argument that is no criterion: its focus is that of the
// expression around it.
func (e *Evaluator) arg(x *Call, n int) Collection {
	return e.alone(x.Args[n], e.list(e.scope.this))
}

// The singletons: each takes a collection of at most one item as a value of a
// type (https://hl7.org/fhirpath/#singleton-evaluation-of-collections).

func (e *Evaluator) integer(c Collection) (int64, bool) {
	if len(c) != 1 {
		return 0, false
	}
	v, ok := e.value(c[0])
	return v.num, ok && (v.Kind == KindInteger || v.Kind == KindLong)
}
