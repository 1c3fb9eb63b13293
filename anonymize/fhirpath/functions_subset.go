package fhirpath

// Subsetting and combining: https://hl7.org/fhirpath/#subsetting and #combining.
var subsetFunctions = map[string]*function{
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
		d := e.startDistinct()
		both := e.startMembership(other)
		for _, i := range in {
			if both.has(i) {
				d.push(i)
			}
		}
		both.done()
		return d.done()
	}},
	"exclude": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		other := e.arg(x, 0)
		mark := e.mark()
		out := e.startMembership(other)
		for _, i := range in {
			if !out.has(i) {
				e.push(i)
			}
		}
		out.done()
		return e.since(mark)
	}},
	"union": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		return e.union(in, e.arg(x, 0))
	}},
	"combine": {min: 1, max: 2, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		other := e.arg(x, 0)
		mark := e.mark()
		e.pushAll(in)
		e.pushAll(other)
		return e.since(mark)
	}},
}
