package fhirpath

import (
	"bytes"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"fhirdeid/anonymize/fhirmodel"
)

// What FHIR adds: https://hl7.org/fhir/fhirpath.html#functions.
var fhirFunctions = func() map[string]*function {
	table := map[string]*function{
		"extension": {min: 1, max: 1, eval: extension},
		"hasExtension": {min: 1, max: 1, where: notMicrosoft, eval: func(e *Evaluator, x *Call, in Collection) Collection {
			return e.boolean(len(extension(e, x, in)) > 0)
		}},
		"hasValue": {where: notMicrosoft, eval: func(e *Evaluator, _ *Call, in Collection) Collection {
			return e.boolean(len(in) == 1 && e.hasValue(in[0]))
		}},
		"getValue": {where: notMicrosoft, eval: func(e *Evaluator, x *Call, in Collection) Collection {
			if len(in) != 1 || !e.hasValue(in[0]) {
				return nil
			}
			v, _ := e.value(in[0])
			return e.list(v)
		}},
		"conformsTo": {min: 1, max: 1, where: notMicrosoft, eval: conformsTo},
		"htmlChecks": {where: notMicrosoft, eval: func(e *Evaluator, _ *Call, in Collection) Collection {
			if len(in) != 1 || in[0].Kind != KindNode {
				return nil
			}
			text, ok := e.doc.Text(in[0].Node)
			switch kind := e.doc.Type(in[0].Node).Kind; {
			case ok && kind == fhirmodel.XHTML:
				return e.boolean(validNarrative(string(text)))
			case ok && kind == fhirmodel.String: // a part of a narrative
				return e.boolean(validNarrative(`<div xmlns="` + xhtml + `">` + string(text) + "</div>"))
			}
			return nil
		}},
		"weight":  {where: notMicrosoft, eval: weight},
		"ordinal": {where: notMicrosoft, eval: weight},
	}
	for name, refused := range map[string]struct {
		min, max int
		reason   string
	}{
		"resolve":           {0, 0, "a resource is looked at on its own"},
		"memberOf":          {1, 1, "it needs a terminology server"},
		"subsumes":          {1, 1, "it needs a terminology server"},
		"subsumedBy":        {1, 1, "it needs a terminology server"},
		"elementDefinition": {0, 0, "it needs the definitions of profiles"},
		"slice":             {2, 2, "it needs the definitions of profiles"},
		"checkModifiers":    {0, 16, "it needs the definitions of profiles"},
	} {
		table[name] = &function{min: refused.min, max: refused.max, where: notMicrosoft, eval: func(e *Evaluator, x *Call, _ Collection) Collection {
			return e.fail(x, "%s() is refused: %s", x.Name, refused.reason)
		}}
	}
	return table
}()

// extension gives the extensions with a URL.
func extension(e *Evaluator, x *Call, in Collection) Collection {
	url, ok := e.textBytes(x, e.arg(x, 0))
	if !ok {
		return nil
	}
	mark := e.mark()
	for _, i := range in {
		if i.Kind == KindNode {
			e.extensions(i.Node, url)
		}
	}
	return e.since(mark)
}

func (e *Evaluator) extensions(n int32, url []byte) {
	for c := e.doc.First(n); c != None; c = e.doc.Next(c) {
		if e.doc.Element(c).Name == "extension" && e.childHas(c, "url", url) {
			e.push(nodeItem(c))
		}
	}
}

// childHas reports whether a child with the name has the text.
func (e *Evaluator) childHas(n int32, name string, want []byte) bool {
	for c := e.doc.First(n); c != None; c = e.doc.Next(c) {
		if e.doc.Element(c).Name == name {
			text, ok := e.doc.Text(c)
			return ok && bytes.Equal(text, want)
		}
	}
	return false
}

// hasValue is for primitives only; a narrative counts as none.
func (e *Evaluator) hasValue(i Item) bool {
	if i.Kind != KindNode {
		return i.Kind != KindQuantity && i.Kind != KindType
	}
	if e.doc.Type(i.Node).Kind == fhirmodel.XHTML {
		return false
	}
	_, ok := e.nodeValue(i.Node)
	return ok
}

const structureDefinition = "http://hl7.org/fhir/StructureDefinition/"

// conformsTo knows only the base definitions; other profiles would have to be
// fetched.
func conformsTo(e *Evaluator, x *Call, in Collection) Collection {
	url, ok := e.textBytes(x, e.arg(x, 0))
	if !ok || len(in) == 0 {
		return nil
	}
	if len(in) > 1 {
		return e.fail(x, "conformsTo() takes one item")
	}
	name, base := strings.CutPrefix(string(url), structureDefinition)
	want := TypeName{"FHIR", name}
	if !base || !e.knows(want) {
		return e.fail(x, "conformsTo() is refused for profiles: only the base definitions are known")
	}
	return e.boolean(e.isType(in[0], want))
}

// weight is the score of codings and answers: https://hl7.org/fhir/extensions/StructureDefinition-itemWeight.html.
func weight(e *Evaluator, _ *Call, in Collection) Collection {
	mark := e.mark()
	for _, i := range in {
		if i.Kind != KindNode {
			continue
		}
		if d, ok := e.scoreOf(i.Node); ok {
			e.push(decimalItem(d))
		}
	}
	return e.since(mark)
}

func (e *Evaluator) scoreOf(n int32) (*apd.Decimal, bool) {
	for c := e.doc.First(n); c != None; c = e.doc.Next(c) {
		switch e.doc.Element(c).Name {
		case "value", "valueCoding":
			if d, ok := e.scoreOf(c); ok {
				return d, true
			}
		case "extension":
			if !e.childHas(c, "url", []byte(structureDefinition+"itemWeight")) && !e.childHas(c, "url", []byte(structureDefinition+"ordinalValue")) {
				continue
			}
			for v := e.doc.First(c); v != None; v = e.doc.Next(v) {
				if e.doc.Element(v).Name == "value" {
					text, _ := e.doc.Text(v)
					return parseDecimal(string(text))
				}
			}
		}
	}
	return nil, false
}
