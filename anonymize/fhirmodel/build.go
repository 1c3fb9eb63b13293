package fhirmodel

import "strings"

// builder puts a model together. Elements name their types before all types are
// read, so they are resolved at the end.
type builder struct {
	m      *Model
	byPath map[string]*Type // types and backbones by path
	rows   []row
}

type row struct {
	parent, name string
	required     bool
	array        bool
	types        string
	valueSet     string
}

func (b *builder) line(f []string) {
	switch f[0] {
	case "T":
		t := b.add(f[1], f[1])
		t.Abstract = f[3] == "1"
		switch f[2] {
		case "R":
			t.Kind = Resource
		case "P":
			t.Kind = primitiveKind(f[1])
		}
		b.m.types[f[1]] = t
		if t.Kind == Resource && !t.Abstract {
			b.m.resources = append(b.m.resources, t)
		}
	case "E":
		dot := strings.LastIndexByte(f[1], '.')
		r := row{parent: f[1][:dot], name: f[1][dot+1:], required: f[2] != "0", array: f[3] == "*", types: f[4]}
		if f[5] != "-" {
			r.valueSet = f[5]
		}
		if r.types == "BackboneElement" || r.types == "Element" {
			b.add(r.types, f[1])
		}
		b.rows = append(b.rows, r)
	case "P":
		b.m.patientPaths[f[1]] = strings.Split(f[2], ",")
	case "V":
		codes := make(map[string]bool)
		for _, c := range strings.Split(f[2], ",") {
			codes[c] = true
		}
		b.m.codes[f[1]] = codes
	}
}

func (b *builder) add(name, path string) *Type {
	t := &Type{Name: name, Path: path, Index: b.m.NumTypes}
	b.m.NumTypes++
	b.byPath[path] = t
	return t
}

func primitiveKind(name string) Kind {
	switch name {
	case "boolean":
		return Boolean
	case "integer", "positiveInt", "unsignedInt":
		return Integer
	case "decimal":
		return Decimal
	case "date":
		return Date
	case "dateTime":
		return DateTime
	case "instant":
		return Instant
	case "time":
		return Time
	case "xhtml":
		return XHTML
	}
	return String // with integer64, which is a string in JSON
}

func (b *builder) finish() {
	group := make(map[*Type]int)
	for _, r := range b.rows {
		parent := b.byPath[r.parent]
		name, choice := strings.CutSuffix(r.name, "[x]")
		g := group[parent]
		group[parent]++
		for _, code := range strings.Split(r.types, ",") {
			e := &Element{Name: name, Key: name, Array: r.array, Choice: choice, Required: r.required, Group: g, ValueSet: r.valueSet}
			switch {
			case strings.HasPrefix(code, "#"):
				e.Type = b.byPath[code[1:]]
			case code == "BackboneElement", code == "Element":
				e.Type = b.byPath[r.parent+"."+r.name]
				if choice { // a choice of the abstract type does not occur
					e.Type = b.m.types[code]
				}
			default:
				e.Type = b.m.types[code]
			}
			if choice {
				e.Key = name + strings.ToUpper(code[:1]) + code[1:]
			}
			if e.Type == nil {
				panic("fhirmodel: " + r.parent + "." + r.name + " has the unknown type " + code)
			}
			e.NoExtension = name == "id" || r.parent == "Extension" && name == "url"
			b.addElement(parent, e)
		}
	}
	p := &Type{Name: "Element", Path: "Element", Index: b.m.NumTypes}
	b.m.NumTypes++
	b.addElement(p, &Element{Name: "id", Key: "id", Type: b.m.types["string"], NoExtension: true})
	b.addElement(p, &Element{Name: "extension", Key: "extension", Type: b.m.types["Extension"], Array: true, Group: 1})
	b.m.primitive = p
}

func (b *builder) addElement(t *Type, e *Element) {
	e.Index, e.ID = len(t.Elements), b.m.NumElements
	e.Head = `"` + e.Key + `":`
	b.m.NumElements++
	t.Elements = append(t.Elements, e)
	t.byKey.add(e)
}
