package fhirpath

// Collections lie on the arena of their evaluator, one behind the other as on a
// stack, so that evaluating takes no memory. What a part gives is moved down to
// where it began.

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
