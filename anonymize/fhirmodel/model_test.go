package fhirmodel

import "testing"

func TestModels(t *testing.T) {
	for v, want := range map[Version]int{STU3: 117, R4: 146, R4B: 141, R5: 158} {
		m, err := Load(v)
		if err != nil {
			t.Fatal(err)
		}
		resources := 0
		for _, typ := range m.types {
			if typ.Kind == Resource && !typ.Abstract {
				resources++
			}
		}
		if resources != want {
			t.Errorf("%s has %d resource types, want %d", v, resources, want)
		}
	}
}

func TestElements(t *testing.T) {
	m, err := Load(R4)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		typ, key, name, ofType string
		array                  bool
	}{
		{"Patient", "birthDate", "birthDate", "date", false},
		{"Patient", "name", "name", "HumanName", true},
		{"Patient", "deceasedDateTime", "deceased", "dateTime", false},
		{"Patient", "contact", "contact", "BackboneElement", true},
		{"Observation", "valueQuantity", "value", "Quantity", false},
		{"Range", "low", "low", "Quantity", false},
		{"Timing", "repeat", "repeat", "Element", false},
		{"Bundle", "entry", "entry", "BackboneElement", true},
		{"Narrative", "div", "div", "xhtml", false},
		{"Patient", "contained", "contained", "Resource", true},
	} {
		e := m.Type(c.typ).Member([]byte(c.key))
		if e == nil || e.Name != c.name || e.Type.Name != c.ofType || e.Array != c.array {
			t.Errorf("%s.%s is %+v, want %+v", c.typ, c.key, e, c)
		}
	}
	if m.Type("Observation").Member([]byte("value")) != nil {
		t.Error("a choice can be written without its suffix")
	}
	ref := m.Type("Observation").Member([]byte("component")).Type.Member([]byte("referenceRange"))
	if ref == nil || ref.Type.Path != "Observation.referenceRange" {
		t.Error("a content reference is not followed")
	}
	if m.ResourceType([]byte("DomainResource")) != nil || m.ResourceType([]byte("HumanName")) != nil {
		t.Error("a type that is no concrete resource is taken for one")
	}
	if has, known := m.HasCode("http://hl7.org/fhir/ValueSet/administrative-gender", "female"); !has || !known {
		t.Error("a code of a required value set is not known")
	}
}
