package fhirmodel

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Version is a FHIR version.
type Version string

// The versions with a table.
const (
	STU3 Version = "STU3"
	R4   Version = "R4"
	R4B  Version = "R4B"
	R5   Version = "R5"
)

// ParseVersion reads a version's name, in any case.
func ParseVersion(s string) (Version, bool) {
	v := Version(strings.ToUpper(s))
	switch v {
	case STU3, R4, R4B, R5:
		return v, true
	}
	return "", false
}

// Kind is what sort of type a Type is.
type Kind uint8

// The kinds of types.
const (
	Complex Kind = iota
	Resource
	// The primitive kinds, by how their values look in JSON and what is checked.
	String
	Boolean
	Integer
	Decimal
	Date
	DateTime
	Instant
	Time
	XHTML
)

// Primitive reports whether a type of this kind has a value.
func (k Kind) Primitive() bool { return k >= String }

// Text reports whether the values of a primitive kind are strings in JSON.
func (k Kind) Text() bool { return k == String || k >= Date }

// Type is a FHIR type, or the type of a backbone element.
type Type struct {
	// Name is what FHIRPath reports: "Patient", "HumanName", "date", and
	// "BackboneElement" or "Element" for a backbone.
	Name string
	// Path is the element path of a backbone, such as "Observation.component",
	// else the name.
	Path     string
	Kind     Kind
	Abstract bool
	// Elements are the JSON members in the order of the definition; a choice has
	// one for each type.
	Elements []*Element
	byKey    keyTable
	// Index numbers the types of a model.
	Index int
}

// Element is a JSON member of a type.
type Element struct {
	// Name is the element's name without a choice's suffix: "value".
	Name string
	// Key is the JSON member: "valueQuantity".
	Key  string
	Type *Type
	// Array says that the member is a JSON array.
	Array bool
	// Choice says that other members have the same Name.
	Choice bool
	// Required says that the definition asks for at least one.
	Required bool
	// Index is the place in the parent's Elements, Group the place of the
	// element among those with other names. ID numbers the elements of a model.
	Index, Group, ID int
	// Head is how the member begins in JSON: "key": with its quotes and colon.
	Head string
	// ValueSet is the URL of the required value set of a code, or "".
	ValueSet string
	// NoExtension says that the element's value is a plain string without a
	// sibling in JSON: id, and Extension.url.
	NoExtension bool
}

// Member returns the element of a JSON member, or nil.
func (t *Type) Member(key []byte) *Element { return t.byKey.find(key) }

// Model is all of one version.
type Model struct {
	Version Version
	types   map[string]*Type
	// NumTypes is one more than the largest Type.Index, NumElements one more than
	// the largest Element.ID.
	NumTypes, NumElements int
	// primitive is the type of a primitive's own members: id and extension.
	primitive *Type
	resources []*Type
	codes     map[string]map[string]bool
	// patientPaths are the paths of references to patients, by resource type.
	patientPaths map[string][]string
}

// Type returns a type by its name, or nil.
func (m *Model) Type(name string) *Type { return m.types[name] }

// TypeNames lists the names of all types, sorted.
func (m *Model) TypeNames() []string { return slices.Sorted(maps.Keys(m.types)) }

// ResourceTypes lists the resource types that can be instantiated, by name.
func (m *Model) ResourceTypes() []*Type {
	var list []*Type
	for _, name := range m.TypeNames() {
		if t := m.types[name]; t.Kind == Resource && !t.Abstract {
			list = append(list, t)
		}
	}
	return list
}

// ResourceType returns a resource type that can be instantiated, or nil.
func (m *Model) ResourceType(name []byte) *Type {
	t := m.types[string(name)]
	if t == nil || t.Kind != Resource || t.Abstract {
		return nil
	}
	return t
}

// Resources are the resource types that can be instantiated, by Index.
func (m *Model) Resources() []*Type { return m.resources }

// PrimitiveMembers is the type of what stands in "_x" beside a primitive "x":
// id and extension.
func (m *Model) PrimitiveMembers() *Type { return m.primitive }

// PatientPaths are the element paths, such as "Observation.subject", at which
// resources of a type refer to the patients they are about or by: those of the
// patient compartment's search parameters
// (https://hl7.org/fhir/compartmentdefinition-patient.html). A path may lead to
// references to others too. The resource Patient has none to itself.
func (m *Model) PatientPaths(resourceType string) []string { return m.patientPaths[resourceType] }

// HasCode reports whether a required value set has a code; known is false where
// the value set is not enumerated.
func (m *Model) HasCode(valueSet, code string) (has, known bool) {
	codes, known := m.codes[valueSet]
	return codes[code], known
}

// Codes lists the codes of a required value set, sorted; none where it is not
// enumerated.
func (m *Model) Codes(valueSet string) []string { return slices.Sorted(maps.Keys(m.codes[valueSet])) }

//go:embed *.txt.gz
var tables embed.FS

var loaders = map[Version]func() *Model{
	STU3: sync.OnceValue(func() *Model { return load(STU3) }),
	R4:   sync.OnceValue(func() *Model { return load(R4) }),
	R4B:  sync.OnceValue(func() *Model { return load(R4B) }),
	R5:   sync.OnceValue(func() *Model { return load(R5) }),
}

// Load returns the model of a version, read once.
func Load(v Version) (*Model, error) {
	l, ok := loaders[v]
	if !ok {
		return nil, fmt.Errorf("there is no FHIR version %q; it is STU3, R4, R4B or R5", v)
	}
	return l(), nil
}

// load reads a table that was generated; it cannot fail but by a fault of the
// generator, which the tests would show.
func load(v Version) *Model {
	data, err := tables.ReadFile(strings.ToLower(string(v)) + ".txt.gz")
	if err != nil {
		panic(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		panic(err)
	}
	b := builder{m: &Model{Version: v, types: make(map[string]*Type), codes: make(map[string]map[string]bool), patientPaths: make(map[string][]string)}, byPath: make(map[string]*Type)}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		b.line(strings.Fields(lines.Text()))
	}
	if err := lines.Err(); err != nil {
		panic(err)
	}
	b.finish()
	return b.m
}
