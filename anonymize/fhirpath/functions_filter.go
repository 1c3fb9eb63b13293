package fhirpath

import "slices"

// Filtering and projection: https://hl7.org/fhirpath/#filtering-and-projection,
// with sort and repeatAll of later ballots.
var filterFunctions = map[string]*function{
	"where": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		mark := e.mark()
		for i, item := range in {
			if e.holds(x, item, i) == yes {
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
	"sort": {max: 8, where: notMicrosoft, eval: (*Evaluator).sort},
}

// repeat applies its argument to what it gives until nothing new comes. What was
// found stays on the arena, and is worked off in turn.
func repeat(once bool) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		d := e.startRepeat()
		find := func(item Item, index int) {
			at := e.mark()
			found := e.each(x.Args[0], item, index)
			e.arena = e.arena[:at]
			for _, i := range found { // pushed where they lie, or before
				if once {
					d.push(i)
				} else {
					e.push(i)
				}
			}
		}
		for i, item := range in {
			find(item, i)
		}
		for next := d.mark; next < e.mark() && e.err == nil; next++ {
			find(e.arena[next], next-d.mark)
		}
		return d.done()
	}
}

// sort sorts by its arguments, of which -x and "x desc" are descending.
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
			if order := e.sortOrder(x, a.by[k], b.by[k], descending[k]); order != 0 {
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

// sortOrder compares two keys. What is empty comes first, whatever the
// direction, as the official suite has it.
func (e *Evaluator) sortOrder(x *Call, a, b Collection, descending bool) int {
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
		if v.Kind != KindBoolean || w.Kind != KindBoolean {
			e.fail(x, "sort() does not compare %s with %s", v.Kind, w.Kind)
			return 0
		}
		order = int(v.num - w.num)
	}
	if descending {
		return -order
	}
	return order
}
