package fhirpath

import "fhirdeid/anonymize/fhirmodel"

// base is the type a FHIR type is derived from, "" for none. Resources are
// derived from DomainResource but for three.
func base(t *fhirmodel.Type) string {
	switch t.Name {
	case "code", "id", "markdown":
		return "string"
	case "url", "canonical", "uuid", "oid":
		return "uri"
	case "unsignedInt", "positiveInt":
		return "integer"
	case "Age", "Count", "Distance", "Duration", "MoneyQuantity", "SimpleQuantity":
		return "Quantity"
	case "Timing", "Dosage", "ElementDefinition":
		return "BackboneElement"
	case "BackboneElement":
		return "Element"
	case "Element", "Resource":
		return ""
	case "DomainResource":
		return "Resource"
	}
	if t.Kind != fhirmodel.Resource {
		return "Element"
	}
	if isDomainResource(t.Name) {
		return "DomainResource"
	}
	return "Resource"
}

func isDomainResource(name string) bool {
	return name != "Bundle" && name != "Binary" && name != "Parameters"
}

var systemTypes = map[string]bool{"Boolean": true, "String": true, "Integer": true, "Long": true, "Decimal": true, "Date": true, "DateTime": true, "Time": true, "Quantity": true, "Any": true}

// knows reports whether there is such a type.
func (e *Evaluator) knows(t TypeName) bool {
	if t.Namespace != "FHIR" && systemTypes[t.Name] {
		return true
	}
	return t.Namespace != "System" && (e.o.Model.Type(t.Name) != nil || t.Name == "SimpleQuantity" || t.Name == "MoneyQuantity")
}

// isType reports whether an item is of a type. Microsoft's tool asks for the very
// type.
func (e *Evaluator) isType(i Item, want TypeName) bool {
	if i.Kind != KindNode {
		return want.Namespace != "FHIR" && (i.Kind.String() == want.Name || want.Name == "Any")
	}
	if el := e.doc.Element(i.Node); want.Name == "String" && el != nil && el.NoExtension {
		return want.Namespace != "FHIR" // an element's id and an extension's url
	}
	typ := e.doc.Type(i.Node)
	if isSystem(typ) != (want.Namespace == "System") && want.Namespace != "" {
		return false
	}
	if typ.Name == want.Name {
		return true
	}
	if e.dialect.Rules {
		return false
	}
	for name := base(typ); name != ""; {
		if name == want.Name {
			return true
		}
		t := e.o.Model.Type(name)
		if t == nil {
			return name == "Quantity" && want.Name == "Element"
		}
		name = base(t)
	}
	return false
}

// typeTest is "is" and "as".
func (e *Evaluator) typeTest(x *TypeTest, focus Collection) Collection {
	in := e.alone(x.X, focus)
	if e.err != nil {
		return nil
	}
	if x.As {
		return e.as(x, in, x.Type)
	}
	return e.condition(e.is(x, in, x.Type))
}

func (e *Evaluator) is(n Node, in Collection, want TypeName) truth {
	if len(in) == 0 || e.err != nil {
		return unknown
	}
	if len(in) > 1 {
		e.fail(n, "is takes one item")
		return unknown
	}
	if !e.checkType(n, want) {
		return unknown
	}
	return truthOf(e.isType(in[0], want))
}

// as takes one item; in rule files a collection, of which it leaves those of the
// type.
func (e *Evaluator) as(n Node, in Collection, want TypeName) Collection {
	if len(in) > 1 && !e.dialect.Rules {
		return e.fail(n, "as takes one item; ofType takes several")
	}
	return e.ofType(n, in, want)
}

// ofType leaves the items of a type. Of the System types it leaves the primitives
// too that have such values.
func (e *Evaluator) ofType(n Node, in Collection, want TypeName) Collection {
	if !e.checkType(n, want) {
		return nil
	}
	_, function := n.(*Call)
	mark := e.mark()
	for _, i := range in {
		if e.isType(i, want) || function && want.Namespace == "System" && !e.dialect.Rules && e.hasSystemType(i, want.Name) {
			e.push(i)
		}
	}
	return e.since(mark)
}

func (e *Evaluator) hasSystemType(i Item, name string) bool {
	v, ok := e.value(i)
	return ok && v.Kind.String() == name
}

func (e *Evaluator) checkType(n Node, t TypeName) bool {
	if e.dialect.Rules || e.knows(t) {
		return true
	}
	e.fail(n, "there is no type %s", t)
	return false
}

// TypeOf is the type of an item: what type() gives.
func TypeOf(doc Document, i Item) TypeName {
	if i.Kind != KindNode {
		return TypeName{"System", i.Kind.String()}
	}
	if el := doc.Element(i.Node); el != nil && el.NoExtension {
		return TypeName{"System", "String"}
	}
	if typ := doc.Type(i.Node); isSystem(typ) {
		return TypeName{"System", typ.Name}
	}
	return TypeName{"FHIR", doc.Type(i.Node).Name}
}
