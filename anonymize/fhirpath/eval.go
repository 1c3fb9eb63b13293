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

// list is a collection of one item.
func (e *Evaluator) list(i Item) Collection {
	mark := e.mark()
	e.push(i)
	return e.since(mark)
}

// push puts an item on the arena, unless there are too many.
func (e *Evaluator) push(i Item) {
	if len(e.arena) >= e.o.MaxItems {
		if e.err == nil {
			e.err = &Error{-1, "the expression gives too many items"}
		}
		return
	}
	e.arena = append(e.arena, i)
}

func (e *Evaluator) pushAll(c Collection) {
	for _, i := range c {
		e.push(i)
	}
}

// mark and since bracket the items of a collection that is being made: nothing
// else may be left on the arena in between.
func (e *Evaluator) mark() int { return len(e.arena) }

func (e *Evaluator) since(mark int) Collection { return e.arena[mark:len(e.arena):len(e.arena)] }

// settle moves a collection down to the mark and drops what was above it.
func (e *Evaluator) settle(mark int, c Collection) Collection {
	if len(c) > 0 && mark < len(e.arena) && &c[0] == &e.arena[mark] { // there it lies
		e.arena = e.arena[:mark+len(c)]
		return e.since(mark)
	}
	e.arena = append(e.arena[:mark], c...)
	return e.since(mark)
}

func (e *Evaluator) boolean(b bool) Collection { return e.list(Boolean(b)) }

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

func (e *Evaluator) special(x *Special) Collection {
	switch x.Name {
	case "index":
		return e.list(Integer(int64(e.scope.index)))
	case "total":
		return e.scope.total
	}
	return e.list(e.scope.this)
}

func (e *Evaluator) variable(x *Variable) Collection {
	for v := e.scope.vars; v != nil; v = v.next {
		if v.name == x.Name {
			return v.value
		}
	}
	switch x.Name {
	case "context":
		return e.list(e.scope.context)
	case "resource":
		return e.list(nodeItem(e.scope.resource))
	case "rootResource":
		n := e.scope.resource
		if el := e.doc.Element(n); el != nil && el.Name == "contained" {
			for n = e.doc.Parent(n); !e.doc.IsResource(n); n = e.doc.Parent(n) {
			}
		}
		return e.list(nodeItem(n))
	}
	if text, ok := constant(x.Name); ok {
		return e.list(String(text))
	}
	return e.fail(x, "there is no variable %%%s", x.Name)
}

// constant is a variable of https://hl7.org/fhir/fhirpath.html#vars.
func constant(name string) (string, bool) {
	switch name {
	case "sct":
		return "http://snomed.info/sct", true
	case "loinc":
		return "http://loinc.org", true
	case "ucum":
		return "http://unitsofmeasure.org", true
	}
	if len(name) > 3 && name[:3] == "vs-" {
		return "http://hl7.org/fhir/ValueSet/" + name[3:], true
	}
	if len(name) > 4 && name[:4] == "ext-" {
		return "http://hl7.org/fhir/StructureDefinition/" + name[4:], true
	}
	return "", false
}

// member gives the children with a name; or at the beginning of a path the focus
// itself, where the name is its type.
func (e *Evaluator) member(x *Member, focus Collection) Collection {
	if x.Input == nil {
		if x.Name != "" && x.Name[0] >= 'A' && x.Name[0] <= 'Z' && len(focus) == 1 && focus[0].Kind == KindNode && e.isContextType(focus[0].Node, x.Name) {
			return focus
		}
	} else {
		focus = e.eval(x.Input, focus)
	}
	mark := e.mark()
	for _, i := range focus {
		if i.Kind == KindNode {
			e.children(i.Node, x.Name)
			if x.Name == "resourceType" && e.doc.IsResource(i.Node) && !e.dialect.Rules {
				e.push(String(e.doc.Type(i.Node).Name)) // it is a member in JSON
			}
		} else if v, ok := systemMember(i, x.Name); ok {
			e.push(v)
		}
	}
	return e.since(mark)
}

func (e *Evaluator) isContextType(n int32, name string) bool {
	typ := e.doc.Type(n)
	if typ.Name == name {
		return true
	}
	if !e.doc.IsResource(n) {
		return false
	}
	return name == "Resource" || name == "DomainResource" && (e.dialect.Rules || isDomainResource(typ.Name))
}

// children pushes the children of a node that have a name. The name with the
// type, such as valueQuantity, is understood too, but not by Microsoft's tool.
func (e *Evaluator) children(n int32, name string) {
	for c := e.doc.First(n); c != None; c = e.doc.Next(c) {
		el := e.doc.Element(c)
		if el.Name == name || el.Choice && el.Key == name && !e.dialect.Rules {
			e.push(nodeItem(c))
		}
	}
}

func systemMember(i Item, name string) (Item, bool) {
	switch v := i.ref.(type) {
	case *TypeName:
		switch name {
		case "name":
			return String(v.Name), true
		case "namespace":
			return String(v.Namespace), true
		}
	case *quantity:
		switch name {
		case "value":
			return decimalItem(v.value), true
		case "unit", "code":
			return String(v.unit), true
		}
	}
	return Item{}, false
}

func (e *Evaluator) index(x *Index, focus Collection) Collection {
	in := e.eval(x.Input, focus)
	of := e.alone(x.Of, e.list(e.scope.this))
	if e.err != nil || len(of) == 0 {
		return nil
	}
	n, ok := e.integer(of)
	if !ok {
		return e.fail(x, "an index is one whole number")
	}
	if n < 0 || n >= int64(len(in)) {
		return nil
	}
	return in[n : n+1]
}

func (e *Evaluator) call(x *Call, focus Collection) Collection {
	in := focus
	if x.Input != nil {
		in = e.eval(x.Input, focus)
		if e.err != nil {
			return nil
		}
	}
	if x.fn == nil { // not made by Parse
		return e.fail(x, "there is no function %s()", x.Name)
	}
	return x.fn.eval(e, x, in)
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
