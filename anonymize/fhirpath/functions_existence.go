package fhirpath

// Existence: https://hl7.org/fhirpath/#existence.
var existenceFunctions = map[string]*function{
	"empty": {eval: func(e *Evaluator, _ *Call, in Collection) Collection { return e.boolean(len(in) == 0) }},
	"exists": {max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		if len(x.Args) == 0 {
			return e.boolean(len(in) > 0)
		}
		for i, item := range in {
			if e.holds(x, item, i) == yes {
				return e.boolean(true)
			}
		}
		return e.boolean(false)
	}},
	"all": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		for i, item := range in {
			if e.holds(x, item, i) != yes {
				return e.boolean(false)
			}
		}
		return e.boolean(true)
	}},
	"allTrue":  {eval: quantifier(true, true)},
	"allFalse": {eval: quantifier(false, true)},
	"anyTrue":  {eval: quantifier(true, false)},
	"anyFalse": {eval: quantifier(false, false)},
	"subsetOf": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		return e.boolean(e.subset(in, e.arg(x, 0)))
	}},
	"supersetOf": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		return e.boolean(e.subset(e.arg(x, 0), in))
	}},
	"count": {eval: func(e *Evaluator, _ *Call, in Collection) Collection { return e.list(Integer(int64(len(in)))) }},
	"distinct": {eval: func(e *Evaluator, _ *Call, in Collection) Collection {
		return e.union(in, nil)
	}},
	"isDistinct": {eval: func(e *Evaluator, _ *Call, in Collection) Collection {
		for i := range in {
			if !e.spend(i) {
				return nil
			}
			for j := range i {
				if e.equalItems(in[i], in[j]) == yes {
					return e.boolean(false)
				}
			}
		}
		return e.boolean(true)
	}},
}

// holds evaluates the criterion of a function for an item.
func (e *Evaluator) holds(x *Call, item Item, index int) truth {
	this, at, vars := e.scope.this, e.scope.index, e.scope.vars
	e.scope.this, e.scope.index = item, index
	mark := e.mark()
	t := e.test(x.Args[0], e.list(item))
	e.arena = e.arena[:mark]
	e.scope.this, e.scope.index, e.scope.vars = this, at, vars
	return t
}

// quantifier is allTrue and its kind: all or any of the items are want.
func quantifier(want, all bool) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		some, every := false, true
		for _, i := range in {
			v, ok := e.value(i)
			if !ok || v.Kind != KindBoolean {
				return e.fail(x, "%s() takes booleans", x.Name)
			}
			if (v.num != 0) == want {
				some = true
			} else {
				every = false
			}
		}
		if all {
			return e.boolean(every)
		}
		return e.boolean(some)
	}
}

func (e *Evaluator) subset(a, b Collection) bool {
next:
	for _, i := range a {
		if !e.spend(len(b)) {
			return false
		}
		for _, j := range b {
			if e.equalItems(i, j) == yes {
				continue next
			}
		}
		return false
	}
	return true
}
