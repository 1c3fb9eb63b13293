package fhirpath

import "slices"

// Aggregates: https://hl7.org/fhirpath/#aggregates.
var aggregateFunctions = map[string]*function{
	"aggregate": {min: 1, max: 2, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		saved := e.scope.total
		var total Collection
		if len(x.Args) > 1 {
			total = slices.Clone(e.arg(x, 1))
		}
		for i, item := range in {
			e.scope.total = total
			mark := e.mark()
			total = slices.Clone(e.each(x.Args[0], item, i))
			e.arena = e.arena[:mark]
		}
		e.scope.total = saved
		return total
	}},
	"sum": {where: notMicrosoft, eval: fold((*Evaluator).sum)},
	"min": {where: notMicrosoft, eval: fold(func(e *Evaluator, x *Call, a, b Item) Collection { return e.extreme(x, a, b, -1) })},
	"max": {where: notMicrosoft, eval: fold(func(e *Evaluator, x *Call, a, b Item) Collection { return e.extreme(x, a, b, 1) })},
	"avg": {where: notMicrosoft, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		sum := fold((*Evaluator).sum)(e, x, in)
		if len(sum) == 0 {
			return nil
		}
		return e.arithmetic(&Binary{x.at, "/", nil, nil}, sum, Collection{Integer(int64(len(in)))})
	}},
}

func (e *Evaluator) sum(x *Call, a, b Item) Collection {
	return e.arithmetic(&Binary{x.at, "+", nil, nil}, Collection{a}, Collection{b})
}

// fold joins all items by a function of two.
func fold(f func(*Evaluator, *Call, Item, Item) Collection) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		if len(in) == 0 {
			return nil
		}
		total := in[0]
		for _, i := range in[1:] {
			c := f(e, x, total, i)
			if len(c) != 1 {
				return nil
			}
			total = c[0]
		}
		v, ok := e.value(total)
		if !ok {
			return e.unfit(x, total)
		}
		return e.list(v)
	}
}

// extreme is the smaller or the larger of two.
func (e *Evaluator) extreme(x *Call, a, b Item, sign int) Collection {
	v, ok1 := e.value(a)
	w, ok2 := e.value(b)
	if !ok1 {
		return e.unfit(x, a)
	}
	if !ok2 {
		return e.unfit(x, b)
	}
	order, t, fits := e.order(v, w)
	switch {
	case !fits:
		return e.fail(x, "%s() does not compare %s with %s", x.Name, v.Kind, w.Kind)
	case t == unknown:
		return nil
	case order*sign >= 0:
		return Collection{v}
	}
	return Collection{w}
}

// unfit is the result for an item without a value: nothing for a primitive, else
// an error.
func (e *Evaluator) unfit(x *Call, i Item) Collection {
	if e.isPrimitive(i) {
		return nil
	}
	return e.fail(x, "%s() does not take this type", x.Name)
}
