package fhirpath

import "slices"

// Conditions, variables and the like.
var controlFunctions = map[string]*function{
	"not": {eval: func(e *Evaluator, x *Call, in Collection) Collection { return e.condition(not(e.truth(x, in))) }},
	"iif": {min: 2, max: 3, eval: iif},
	"trace": {min: 1, max: 2, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		name, _ := literalString(x.Args[0]) // a name that was computed may be data
		if len(x.Args) > 1 {
			for i, item := range in {
				e.each(x.Args[1], item, i)
			}
		}
		if e.o.Trace != nil && e.err == nil {
			e.o.Trace(name, len(in))
		}
		return in
	}},
	"defineVariable": {min: 1, max: 2, eval: defineVariable},
	"coalesce": {min: 1, max: 16, where: notMicrosoft, eval: func(e *Evaluator, x *Call, _ Collection) Collection {
		for n := range x.Args {
			if c := e.arg(x, n); len(c) > 0 {
				return c
			}
		}
		return nil
	}},
}

// iif evaluates only what it gives.
func iif(e *Evaluator, x *Call, in Collection) Collection {
	if len(in) > 1 {
		return e.fail(x, "iif() takes at most one item")
	}
	part := func(n int) Collection {
		if len(in) == 1 {
			return e.each(x.Args[n], in[0], 0)
		}
		return e.alone(x.Args[n], nil)
	}
	c := part(0)
	if len(c) == 1 && !e.dialect.Rules {
		if v, ok := e.value(c[0]); !ok || v.Kind != KindBoolean {
			return e.fail(x, "the criterion of iif() is no boolean")
		}
	}
	switch t := e.truth(x, c); {
	case t == yes:
		return part(1)
	case len(x.Args) > 2 && e.err == nil:
		return part(2)
	}
	return nil
}

// defineVariable names its input, or what its second argument gives, for the rest
// of the path.
func defineVariable(e *Evaluator, x *Call, in Collection) Collection {
	name, ok := e.text(x, e.arg(x, 0))
	if !ok {
		return e.fail(x, "defineVariable() needs a name")
	}
	_, fixed := constant(name)
	if fixed || name == "context" || name == "resource" || name == "rootResource" {
		return e.fail(x, "the variable is there already")
	}
	for v := e.scope.vars; v != nil; v = v.next {
		if v.name == name {
			return e.fail(x, "the variable is there already")
		}
	}
	value := in
	if len(x.Args) > 1 {
		if len(in) == 1 {
			value = e.each(x.Args[1], in[0], 0)
		} else {
			value = e.alone(x.Args[1], in)
		}
	}
	e.scope.vars = &variable{name, slices.Clone(value), e.scope.vars}
	return in
}
