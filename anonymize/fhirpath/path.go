package fhirpath

func (e *Evaluator) special(x *Special) Collection {
	switch x.Name {
	case "index":
		return e.list(Integer(int64(e.scope.index)))
	case "total":
		return e.scope.total
	}
	return e.list(e.scope.this)
}

func (e *Evaluator) variable(x *Variable) Collection {
	for v := e.scope.vars; v != nil; v = v.next {
		if v.name == x.Name {
			return v.value
		}
	}
	switch x.Name {
	case "context":
		return e.list(e.scope.context)
	case "resource":
		return e.list(nodeItem(e.scope.resource))
	case "rootResource":
		n := e.scope.resource
		if el := e.doc.Element(n); el != nil && el.Name == "contained" {
			for n = e.doc.Parent(n); !e.doc.IsResource(n); n = e.doc.Parent(n) {
			}
		}
		return e.list(nodeItem(n))
	}
	if text, ok := constant(x.Name); ok {
		return e.list(String(text))
	}
	return e.fail(x, "there is no variable %%%s", x.Name)
}

// constant is a variable of https://hl7.org/fhir/fhirpath.html#vars.
func constant(name string) (string, bool) {
	switch name {
	case "sct":
		return "http://snomed.info/sct", true
	case "loinc":
		return "http://loinc.org", true
	case "ucum":
		return "http://unitsofmeasure.org", true
	}
	if len(name) > 3 && name[:3] == "vs-" {
		return "http://hl7.org/fhir/ValueSet/" + name[3:], true
	}
	if len(name) > 4 && name[:4] == "ext-" {
		return "http://hl7.org/fhir/StructureDefinition/" + name[4:], true
	}
	return "", false
}

// member gives the children with a name; or at the beginning of a path the focus
// itself, where the name is its type.
func (e *Evaluator) member(x *Member, focus Collection) Collection {
	if x.Input == nil {
		if x.Name != "" && x.Name[0] >= 'A' && x.Name[0] <= 'Z' && len(focus) == 1 && focus[0].Kind == KindNode && e.isContextType(focus[0].Node, x.Name) {
			return focus
		}
	} else {
		focus = e.eval(x.Input, focus)
	}
	mark := e.mark()
	for _, i := range focus {
		if i.Kind == KindNode {
			e.children(i.Node, x.Name)
			if x.Name == "resourceType" && e.doc.IsResource(i.Node) && !e.dialect.Rules {
				e.push(String(e.doc.Type(i.Node).Name)) // it is a member in JSON
			}
		} else if v, ok := systemMember(i, x.Name); ok {
			e.push(v)
		}
	}
	return e.since(mark)
}

func (e *Evaluator) isContextType(n int32, name string) bool {
	typ := e.doc.Type(n)
	if typ.Name == name {
		return true
	}
	if !e.doc.IsResource(n) {
		return false
	}
	return name == "Resource" || name == "DomainResource" && (e.dialect.Rules || isDomainResource(typ.Name))
}

// children pushes the children of a node that have a name. The name with the
// type, such as valueQuantity, is understood too, but not by Microsoft's tool.
func (e *Evaluator) children(n int32, name string) {
	for c := e.doc.First(n); c != None; c = e.doc.Next(c) {
		el := e.doc.Element(c)
		if el.Name == name || el.Choice && el.Key == name && !e.dialect.Rules {
			e.push(nodeItem(c))
		}
	}
}

func systemMember(i Item, name string) (Item, bool) {
	switch v := i.ref.(type) {
	case *TypeName:
		switch name {
		case "name":
			return String(v.Name), true
		case "namespace":
			return String(v.Namespace), true
		}
	case *quantity:
		switch name {
		case "value":
			return decimalItem(v.value), true
		case "unit", "code":
			return String(v.unit), true
		}
	}
	return Item{}, false
}

func (e *Evaluator) index(x *Index, focus Collection) Collection {
	in := e.eval(x.Input, focus)
	of := e.alone(x.Of, e.list(e.scope.this))
	if e.err != nil || len(of) == 0 {
		return nil
	}
	n, ok := e.integer(of)
	if !ok {
		return e.fail(x, "an index is one whole number")
	}
	if n < 0 || n >= int64(len(in)) {
		return nil
	}
	return in[n : n+1]
}

func (e *Evaluator) call(x *Call, focus Collection) Collection {
	in := focus
	if x.Input != nil {
		in = e.eval(x.Input, focus)
		if e.err != nil {
			return nil
		}
	}
	if x.fn == nil { // not made by Parse
		return e.fail(x, "there is no function %s()", x.Name)
	}
	return x.fn.eval(e, x, in)
}
