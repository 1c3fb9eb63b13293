package anonymize

import (
	"bytes"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// guard is the usual shape of a path that has to be evaluated: nodes that the
// automaton finds, conditions on them, and names below them, such as
//
//	Patient.identifier.where(type.coding.code = 'SS' and value.exists()).value
//
// It is run without the evaluator, which costs a few times as much. What it does not
// know for certain, such as a comparison of a date, it leaves to the evaluator.
type guard []guardStep

// guardStep goes from a node to the children of a name, those of them with a URL
// where it is extension('url'), or keeps the node if a condition holds.
type guardStep struct {
	name      string
	url       []byte
	condition *condition
}

// condition is a condition of a guard.
type condition struct {
	op          conditionOp
	left, right *condition // of and, or; left of not
	path        []string   // from the node; none is the node itself
	text        []byte     // what is compared with
	typ         string     // what is asked for by is
}

type conditionOp uint8

const (
	opAnd conditionOp = iota
	opOr
	opNot
	opExists
	opEquals
	opStartsWith
	opIs
)

// guardOf is an expression as a guard; nil where it is more than that. Its
// beginning has been cut to slot 0.
func (e *Engine) guardOf(x fhirpath.Node) guard {
	var step guardStep
	var input fhirpath.Node
	switch x := x.(type) {
	case *fhirpath.Slot:
		return guard{}
	case *fhirpath.Member:
		input, step.name = x.Input, x.Name
	case *fhirpath.Call:
		input = x.Input
		switch x.Name {
		case "where":
			if step.condition = e.conditionOf(x.Args[0]); step.condition == nil {
				return nil
			}
		case "extension":
			url, ok := literalText(x.Args[0])
			if !ok {
				return nil
			}
			step.name, step.url = "extension", []byte(url)
		default:
			return nil
		}
	}
	if input == nil {
		return nil
	}
	g := e.guardOf(input)
	if g == nil {
		return nil
	}
	return append(g, step)
}

func (e *Engine) conditionOf(x fhirpath.Node) *condition {
	switch x := x.(type) {
	case *fhirpath.Binary:
		switch x.Op {
		case "and", "or":
			c := &condition{op: opAnd, left: e.conditionOf(x.Left), right: e.conditionOf(x.Right)}
			if x.Op == "or" {
				c.op = opOr
			}
			if c.left == nil || c.right == nil {
				return nil
			}
			return c
		case "=":
			return textCondition(opEquals, x.Left, x.Right)
		}
	case *fhirpath.Call:
		switch {
		case x.Name == "not":
			if c := e.conditionOf(x.Input); c != nil {
				return &condition{op: opNot, left: c}
			}
		case x.Name == "startsWith":
			return textCondition(opStartsWith, x.Input, x.Args[0])
		case (x.Name == "exists" || x.Name == "empty") && len(x.Args) == 0:
			path, ok := namesOf(x.Input)
			if !ok {
				return nil
			}
			c := &condition{op: opExists, path: path}
			if x.Name == "empty" {
				c = &condition{op: opNot, left: c}
			}
			return c
		}
	case *fhirpath.TypeTest:
		this, ok := x.X.(*fhirpath.Special)
		if t := e.model.Type(x.Type.Name); ok && this.Name == "this" && !x.As && t != nil && !t.Kind.Primitive() && (x.Type.Namespace == "" || x.Type.Namespace == "FHIR") {
			return &condition{op: opIs, typ: t.Name}
		}
	}
	return nil
}

func textCondition(op conditionOp, path, text fhirpath.Node) *condition {
	names, ok1 := namesOf(path)
	literal, ok2 := literalText(text)
	if !ok1 || !ok2 {
		return nil
	}
	return &condition{op: op, path: names, text: []byte(literal)}
}

// namesOf is an expression that is a path of names from the node in hand.
func namesOf(x fhirpath.Node) (path []string, ok bool) {
	switch x := x.(type) {
	case nil:
		return nil, true
	case *fhirpath.Special:
		return nil, x.Name == "this"
	case *fhirpath.Member:
		if x.Input == nil && (x.Name == "" || x.Name[0] >= 'A' && x.Name[0] <= 'Z') { // it may be a type
			return nil, false
		}
		path, ok = namesOf(x.Input)
		return append(path, x.Name), ok
	}
	return nil, false
}

// run appends the nodes that a guard leads to from a node; ok is false where the
// evaluator has to.
func (g guard) run(v *view, n int32, found []int32) (_ []int32, ok bool) {
	if len(g) == 0 {
		return append(found, n), true
	}
	step := &g[0]
	if c := step.condition; c != nil {
		switch t, ok := c.holds(v, n); {
		case !ok:
			return found, false
		case t != yes:
			return found, true
		}
		return g[1:].run(v, n, found)
	}
	for c := v.First(n); c != fhirpath.None; c = v.Next(c) {
		if v.tape[c].elem.Name != step.name || step.url != nil && !hasURL(v, c, step.url) {
			continue
		}
		if found, ok = g[1:].run(v, c, found); !ok {
			return found, false
		}
	}
	return found, true
}

func hasURL(v *view, n int32, url []byte) bool {
	for c := v.First(n); c != fhirpath.None; c = v.Next(c) {
		if v.tape[c].elem.Name == "url" {
			text, ok := v.Text(c)
			return ok && bytes.Equal(text, url)
		}
	}
	return false
}

// truth is a condition of three values: unknown where there is nothing to compare.
type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// holds evaluates a condition; ok is false where the evaluator has to.
func (c *condition) holds(v *view, n int32) (t truth, ok bool) {
	switch c.op {
	case opAnd, opOr:
		left, ok1 := c.left.holds(v, n)
		right, ok2 := c.right.holds(v, n)
		if c.op == opAnd {
			return min(left, right), ok1 && ok2
		}
		return max(left, right), ok1 && ok2
	case opNot:
		t, ok = c.left.holds(v, n)
		return -t, ok
	case opIs:
		return truthOf(v.tape[n].typ.Name == c.typ), true
	}
	at, count := only(v, n, c.path)
	switch {
	case c.op == opExists:
		return truthOf(count > 0), true
	case count == 0:
		return unknown, true
	case count > 1 && c.op == opEquals:
		return no, true
	case count > 1:
		return no, false
	}
	typ := v.tape[at].typ
	if typ.Kind != fhirmodel.String || typ.Name == "integer64" {
		return no, false
	}
	text, has := v.Text(at)
	if c.op == opEquals {
		return truthOf(has && bytes.Equal(text, c.text)), true
	}
	if !has {
		return unknown, true
	}
	return truthOf(bytes.HasPrefix(text, c.text)), true
}

// only is the node that a path leads to, and how many there are, two for more.
func only(v *view, n int32, path []string) (at int32, count int) {
	if len(path) == 0 {
		return n, 1
	}
	for c := v.First(n); c != fhirpath.None && count < 2; c = v.Next(c) {
		if v.tape[c].elem.Name == path[0] {
			found, more := only(v, c, path[1:])
			if more > 0 {
				at = found
			}
			count += more
		}
	}
	return at, count
}
