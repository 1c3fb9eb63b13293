package anonymize

import "fhirdeid/anonymize/fhirpath"

// cutter replaces the beginnings of an expression that are steps by slots.
type cutter struct {
	identity bool
	slots    [][]linearPath
}

// cut goes from the end of an expression towards its beginning: down the inputs
// of members, functions and unions. What stands in arguments stays as it is; it
// is evaluated for the items that come.
//
// strict says that the result is empty where all slots are.
func (c *cutter) cut(x fhirpath.Node) (out fhirpath.Node, strict bool) {
	if x == nil {
		return c.slot([]linearPath{{}}), true // the resource itself
	}
	if paths := linear(x, c.identity); inOrder(paths) {
		return c.slot(paths), true
	}
	switch x := x.(type) {
	case *fhirpath.Member:
		y := *x
		y.Input, strict = c.cut(x.Input)
		return &y, strict
	case *fhirpath.Call:
		y := *x
		y.Input, strict = c.cut(x.Input)
		return &y, strict && emptyOfEmpty(x.Name)
	case *fhirpath.Index:
		y := *x
		y.Input, strict = c.cut(x.Input)
		return &y, strict
	case *fhirpath.TypeTest:
		y := *x
		y.X, strict = c.cut(x.X)
		return &y, strict
	case *fhirpath.Binary:
		if x.Op != "|" {
			return x, false
		}
		y := *x
		var left, right bool
		y.Left, left = c.cut(x.Left)
		y.Right, right = c.cut(x.Right)
		return &y, left && right
	}
	return x, false
}

// inOrder reports whether a path gives its nodes in the order of the document and
// each once, as those of a slot come: then first(), an index or a union by value
// finds the same ones.
func inOrder(paths []linearPath) bool {
	if len(paths) != 1 {
		return false
	}
	steps := paths[0].steps
	for i, s := range steps {
		if s.name == "" && i+1 < len(steps) { // nodes in each other, and then what is below them
			return false
		}
	}
	return true
}

func (c *cutter) slot(paths []linearPath) fhirpath.Node {
	c.slots = append(c.slots, paths)
	return &fhirpath.Slot{Number: len(c.slots) - 1}
}

// emptyOfEmpty reports whether a function of nothing gives nothing.
func emptyOfEmpty(function string) bool {
	switch function {
	case "where", "select", "ofType", "as", "first", "last", "tail", "skip", "take", "single", "distinct",
		"intersect", "exclude", "extension", "children", "descendants", "repeat", "nodesByType", "nodesByName", "trace":
		return true
	}
	return false
}
