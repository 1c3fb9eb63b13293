package lint

import (
	"fhirdeid/anonymize"
	"fhirdeid/anonymize/fhirmodel"
)

// Coverage is what no rule reaches: of a plain rule file that stays as it is, of a
// strict policy it is dropped. Nested resources are looked at as resources of
// their own, and what is inside itself once.
type Coverage struct {
	// Dropped says that what no rule reaches is dropped.
	Dropped bool `json:"dropped"`
	// Groups are the classes, the most telling first.
	Groups []Group `json:"groups"`
}

// Group are the elements of one class.
type Group struct {
	Class Class `json:"class"`
	// Elements counts all paths of the class.
	Elements  int            `json:"elements"`
	Resources []ResourceGaps `json:"resources"`
}

// ResourceGaps are the elements of one resource type.
type ResourceGaps struct {
	Type string `json:"type"`
	// Definition says that such resources define what others use, and have no
	// patient.
	Definition bool  `json:"definition,omitempty"`
	Paths      []Gap `json:"paths"`
}

// Gap is an element that no rule reaches, or not always.
type Gap struct {
	// Path is that of JSON members, such as "Patient.deceasedDateTime".
	Path string `json:"path"`
	// Reason says why it is in its class.
	Reason string `json:"reason"`
	// Sometimes are rules whose conditions may reach it.
	Sometimes []int `json:"sometimes,omitempty"`
}

// gaps collects what no rule reaches.
type gaps struct {
	byClass map[Class][]ResourceGaps
	// known are the classes so far: there are many more paths than elements.
	known map[element]verdict
}

type element struct {
	in, own *fhirmodel.Type
	name    string
}

type verdict struct {
	class  Class
	reason string
}

func newGaps() *gaps {
	return &gaps{byClass: make(map[Class][]ResourceGaps), known: make(map[element]verdict)}
}

// add notes an element of a resource type; in is the type that it stands in.
func (g *gaps) add(resource *fhirmodel.Type, in *fhirmodel.Type, d *anonymize.Decision) {
	key := element{in, d.Type, d.Element.Name}
	v, ok := g.known[key]
	if !ok {
		v.class, v.reason = classify(in, d.Type, d.Element.Name)
		g.known[key] = v
	}
	list := g.byClass[v.class]
	if n := len(list); n == 0 || list[n-1].Type != resource.Name {
		list = append(list, ResourceGaps{Type: resource.Name, Definition: isDefinition(resource)})
	}
	last := &list[len(list)-1]
	last.Paths = append(last.Paths, Gap{Path: d.Path, Reason: v.reason, Sometimes: d.Maybe})
	g.byClass[v.class] = list
}

func (g *gaps) coverage(dropped bool) *Coverage {
	c := &Coverage{Dropped: dropped}
	for _, class := range classes {
		group := Group{Class: class, Resources: g.byClass[class]}
		for _, r := range group.Resources {
			group.Elements += len(r.Paths)
		}
		if group.Elements > 0 {
			c.Groups = append(c.Groups, group)
		}
	}
	return c
}
