package fhirpath

import (
	"slices"
)

// Existence, subsetting, filtering and combining:
// https://hl7.org/fhirpath/#existence to #combining.
var collectionFunctions = map[string]*function{
	"empty": {eval: func(e *Evaluator, _ *Call, in Collection) Collection { return e.boolean(len(in) == 0) }},
	"exists": {max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		if len(x.Args) == 0 {
			return e.boolean(len(in) > 0)
		}
		for i, item := range in {
			mark := e.mark()
			if e.truth(x, e.each(x.Args[0], item, i)) == yes {
				return e.boolean(true)
			}
			e.arena = e.arena[:mark]
		}
		return e.boolean(false)
	}},
	"all": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		for i, item := range in {
			if e.truth(x, e.each(x.Args[0], item, i)) != yes {
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
		return e.boolean(len(e.union(in, nil)) == len(in))
	}},
	"where": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		mark := e.mark()
		for i, item := range in {
			inner := e.mark()
			t := e.each(x.Args[0], item, i)
			keep := len(t) == 1 && e.truth(x, t) == yes
			if len(t) > 1 {
				return e.fail(x, "the criterion of where() has more than one item")
			}
			e.arena = e.arena[:inner]
			if keep {
				e.push(item)
			}
		}
		return e.since(mark)
	}},
	"select": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		mark := e.mark()
		for i, item := range in {
			e.each(x.Args[0], item, i) // what it gives lies on the arena
			if e.err != nil {
				return nil
			}
		}
		return e.since(mark)
	}},
	"repeat":    {min: 1, max: 1, eval: repeat(true)},
	"repeatAll": {min: 1, max: 1, where: notMicrosoft, eval: repeat(false)},
	"ofType": {min: 1, max: 1, typeArg: true, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		return e.ofType(x, in, typeArgument(x))
	}},
	"single": {eval: func(e *Evaluator, x *Call, in Collection) Collection {
		if len(in) > 1 {
			return e.fail(x, "single() has more than one item")
		}
		return in
	}},
	"first": {eval: func(_ *Evaluator, _ *Call, in Collection) Collection { return in[:min(1, len(in))] }},
	"last":  {eval: func(_ *Evaluator, _ *Call, in Collection) Collection { return in[max(0, len(in)-1):] }},
	"tail":  {eval: func(_ *Evaluator, _ *Call, in Collection) Collection { return in[min(1, len(in)):] }},
	"skip": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		n, ok := e.wholeArg(x, 0)
		if !ok {
			return nil
		}
		return in[min(max(n, 0), int64(len(in))):]
	}},
	"take": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		n, ok := e.wholeArg(x, 0)
		if !ok {
			return nil
		}
		return in[:min(max(n, 0), int64(len(in)))]
	}},
	"intersect": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		other := e.arg(x, 0)
		mark := e.mark()
		for _, i := range in {
			if e.has(other, i) && !e.has(e.arena[mark:], i) {
				e.push(i)
			}
		}
		return e.since(mark)
	}},
	"exclude": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		other := e.arg(x, 0)
		mark := e.mark()
		for _, i := range in {
			if !e.has(other, i) {
				e.push(i)
			}
		}
		return e.since(mark)
	}},
	"union": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		return e.union(in, e.arg(x, 0))
	}},
	"combine": {min: 1, max: 2, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		other := e.arg(x, 0)
		mark := e.mark()
		e.arena = append(e.arena, in...)
		e.arena = append(e.arena, other...)
		return e.since(mark)
	}},
	"sort": {max: 8, where: notMicrosoft, eval: (*Evaluator).sort},
	"aggregate": {min: 1, max: 2, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		saved := e.scope
		if len(x.Args) > 1 {
			e.scope.total = slices.Clone(e.arg(x, 1))
		} else {
			e.scope.total = nil
		}
		for i, item := range in {
			mark := e.mark()
			e.scope.total = slices.Clone(e.each(x.Args[0], item, i))
			e.arena = e.arena[:mark]
		}
		total := e.scope.total
		e.scope = saved
		return total
	}},
	"sum": {where: notMicrosoft, eval: fold(func(e *Evaluator, x *Call, a, b Item) Collection {
		return e.arithmetic(&Binary{x.at, "+", nil, nil}, Collection{a}, Collection{b})
	})},
	"min": {where: notMicrosoft, eval: fold(func(e *Evaluator, x *Call, a, b Item) Collection { return e.extreme(x, a, b, -1) })},
	"max": {where: notMicrosoft, eval: fold(func(e *Evaluator, x *Call, a, b Item) Collection { return e.extreme(x, a, b, 1) })},
	"avg": {where: notMicrosoft, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		sum := functions["sum"].eval(e, x, in)
		if len(sum) == 0 {
			return nil
		}
		return e.arithmetic(&Binary{x.at, "/", nil, nil}, sum, Collection{Integer(int64(len(in)))})
	}},
}

// quantifier is allTrue and its kind: all or any of the items are want.
func quantifier(want, all bool) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		found := false
		every := true
		for _, i := range in {
			v, ok := e.value(i)
			if !ok || v.Kind != KindBoolean {
				return e.fail(x, "%s() takes booleans", x.Name)
			}
			if (v.num != 0) == want {
				found = true
			} else {
				every = false
			}
		}
		if all {
			return e.boolean(every)
		}
		return e.boolean(found)
	}
}

func (e *Evaluator) subset(a, b Collection) bool {
	for _, i := range a {
		if !e.has(b, i) {
			return false
		}
	}
	return true
}

// repeat applies its argument to what it gives until nothing new comes.
func repeat(distinct bool) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		var out Collection
		for todo := in; len(todo) > 0; {
			mark := e.mark()
			var fresh Collection
			for i, item := range todo {
				for _, found := range e.each(x.Args[0], item, i) {
					if !distinct || !e.has(out, found) {
						out = append(out, found)
						fresh = append(fresh, found)
					}
				}
				if e.err != nil {
					return nil
				}
			}
			e.arena = e.arena[:mark]
			if len(out) > e.o.MaxItems {
				return e.fail(x, "%s() gives too many items", x.Name)
			}
			todo = fresh
		}
		return out
	}
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
			return e.fail(x, "%s() does not take this type", x.Name)
		}
		return e.list(v)
	}
}

func (e *Evaluator) extreme(x *Call, a, b Item, sign int) Collection {
	v, ok1 := e.value(a)
	w, ok2 := e.value(b)
	if !ok1 || !ok2 {
		return e.fail(x, "%s() does not take this type", x.Name)
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

// sort sorts by its arguments, of which -x is descending.
func (e *Evaluator) sort(x *Call, in Collection) Collection {
	keys := x.Args
	if len(keys) == 0 {
		keys = []Node{&Special{x.at, "this"}}
	}
	type row struct {
		item Item
		by   []Collection
	}
	rows := make([]row, len(in))
	descending := make([]bool, len(keys))
	for k, key := range keys {
		if u, ok := key.(*Unary); ok && u.Op == "-" {
			descending[k], key = true, u.X
		}
		for i, item := range in {
			rows[i].item = item
			rows[i].by = append(rows[i].by, slices.Clone(e.each(key, item, i)))
		}
	}
	if e.err != nil {
		return nil
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		for k := range keys {
			order := e.sortOrder(x, a.by[k], b.by[k])
			if descending[k] {
				order = -order
			}
			if order != 0 {
				return order
			}
		}
		return 0
	})
	mark := e.mark()
	for _, r := range rows {
		e.push(r.item)
	}
	return e.since(mark)
}

// sortOrder sorts what is empty first.
func (e *Evaluator) sortOrder(x *Call, a, b Collection) int {
	if len(a) != 1 || len(b) != 1 {
		return min(len(a), 1) - min(len(b), 1)
	}
	v, ok1 := e.value(a[0])
	w, ok2 := e.value(b[0])
	if !ok1 || !ok2 {
		e.fail(x, "sort() does not take this type")
		return 0
	}
	order, _, fits := e.order(v, w)
	if !fits {
		if v.Kind == KindBoolean && w.Kind == KindBoolean {
			return int(v.num - w.num)
		}
		e.fail(x, "sort() does not compare %s with %s", v.Kind, w.Kind)
	}
	return order
}

var conditionFunctions = map[string]*function{
	"not": {eval: func(e *Evaluator, x *Call, in Collection) Collection { return e.condition(not(e.truth(x, in))) }},
	"iif": {min: 2, max: 3, eval: func(e *Evaluator, x *Call, in Collection) Collection {
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
		if len(c) == 1 {
			if v, ok := e.value(c[0]); (!ok || v.Kind != KindBoolean) && !e.dialect.Microsoft {
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
	}},
	"trace": {min: 1, max: 2, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		name, _ := e.text(x, e.arg(x, 0))
		if e.o.Trace != nil {
			e.o.Trace(name, len(in))
		}
		return in
	}},
	"defineVariable": {min: 1, max: 2, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		name, ok := e.text(x, e.arg(x, 0))
		if !ok {
			return e.fail(x, "defineVariable() needs a name")
		}
		if name == "context" || name == "resource" || name == "rootResource" {
			return e.fail(x, "the variable %%%s is there already", name)
		}
		for v := e.scope.vars; v != nil; v = v.next {
			if v.name == name {
				return e.fail(x, "the variable %%%s is there already", name)
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
	}},
	"coalesce": {min: 1, max: 16, where: notMicrosoft, eval: func(e *Evaluator, x *Call, _ Collection) Collection {
		for n := range x.Args {
			if c := e.arg(x, n); len(c) > 0 {
				return c
			}
		}
		return nil
	}},
}
