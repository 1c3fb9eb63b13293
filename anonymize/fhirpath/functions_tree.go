package fhirpath

// Navigation: https://hl7.org/fhirpath/#tree-navigation, what FHIR adds, and the
// two functions of rule files.
var treeFunctions = map[string]*function{
	"children": {eval: func(e *Evaluator, _ *Call, in Collection) Collection {
		mark := e.mark()
		for _, i := range in {
			if i.Kind == KindNode {
				for c := e.doc.First(i.Node); c != None; c = e.doc.Next(c) {
					e.push(nodeItem(c))
				}
			}
		}
		return e.since(mark)
	}},
	"descendants": {eval: func(e *Evaluator, _ *Call, in Collection) Collection {
		mark := e.mark()
		for _, i := range in {
			if i.Kind == KindNode {
				e.descend(i.Node)
			}
		}
		return e.since(mark)
	}},
	"nodesByType": {min: 1, max: 1, where: onlyRules, eval: nodesBy},
	"nodesByName": {min: 1, max: 1, where: onlyRules, eval: nodesBy},
}

// descend pushes all nodes below n, in the order of the document.
func (e *Evaluator) descend(n int32) {
	for c := e.doc.First(n); c != None; c = e.doc.Next(c) {
		e.push(nodeItem(c))
		e.descend(c)
	}
}

// nodesBy finds nodes by type or name among the items and all below them, without
// entering nested resources or returning them.
func nodesBy(e *Evaluator, x *Call, in Collection) Collection {
	want, ok := e.textBytes(x, e.arg(x, 0))
	if !ok {
		return nil
	}
	mark := e.mark()
	for _, i := range in {
		if i.Kind == KindNode {
			e.gather(i.Node, x.Name == "nodesByType", want)
		}
	}
	return e.since(mark)
}

func (e *Evaluator) gather(n int32, byType bool, want []byte) {
	if byType {
		if e.doc.Type(n).Name == string(want) {
			e.push(nodeItem(n))
		}
	} else if el := e.doc.Element(n); el != nil && el.Name == string(want) {
		e.push(nodeItem(n))
	}
	for c := e.doc.First(n); c != None; c = e.doc.Next(c) {
		if !e.doc.IsResource(c) {
			e.gather(c, byType, want)
		}
	}
}

var typeFunctions = map[string]*function{
	"is": {min: 1, max: 1, typeArg: true, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		return e.condition(e.is(x, in, typeArgument(x)))
	}},
	"as": {min: 1, max: 1, typeArg: true, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		return e.as(x, in, typeArgument(x))
	}},
	"type": {where: notMicrosoft, eval: func(e *Evaluator, _ *Call, in Collection) Collection {
		mark := e.mark()
		for _, i := range in {
			e.push(typeItem(TypeOf(e.doc, i)))
		}
		return e.since(mark)
	}},
}
