package planted

import "fhirdeid/anonymize/fhirmodel"

// sibling puts "_x" beside a primitive by turns: an id and an extension, in an
// array behind a null.
func (m *maker) sibling(e *fhirmodel.Element) {
	if m.inExtension || m.next(11) != 0 {
		return
	}
	m.add(`,"_` + e.Key + `":`)
	if e.Array {
		m.add("[null,")
	}
	m.at("_"+e.Key, func() {
		m.at("id", func() { m.add(`{"id":"` + m.word(Text) + `","extension":[`) })
		m.at("extension", func() { m.extension(m.anyType()) })
		m.add("]}")
	})
	if e.Array {
		m.add("]")
	}
}

func (m *maker) anyType() *fhirmodel.Element {
	return m.values[m.next(len(m.values))]
}

// extension makes one of an unknown URL.
func (m *maker) extension(value *fhirmodel.Element) {
	m.types = append(m.types, m.types[len(m.types)-1]+".Extension")
	defer func() { m.types = m.types[:len(m.types)-1] }()
	m.add("{")
	m.at("url", func() { m.add(`"url":"http://` + m.word(Text) + `.example/StructureDefinition/` + m.word(Text) + `"`) })
	m.valueOf(value)
	m.add("}")
}

func (m *maker) valueOf(value *fhirmodel.Element) {
	old := m.inExtension
	m.inExtension = true
	m.add(`,"` + value.Key + `":`)
	m.at(value.Key, func() { m.value(value, 1) })
	m.inExtension = old
}

// usCore is how the URLs of extensions begin that a policy may list.
const usCore = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"

// extensionsOfAllTypes makes an extension of each type of value, one in an
// extension, and those of US Core with values where they ought to have and where
// not.
func (m *maker) extensionsOfAllTypes() {
	m.types = append(m.types, m.types[len(m.types)-1]+".Extension")
	defer func() { m.types = m.types[:len(m.types)-1] }()
	m.add("[")
	values := m.values
	if m.variant%least != 0 { // all types in one resource of each type
		values = values[m.next(len(values)):][:1]
	}
	for _, value := range values {
		m.comma()
		m.extension(value)
	}
	m.add(`,{"url":"http://` + m.word(Text) + `.example/nested","extension":[`)
	m.at("extension", func() { m.extension(m.anyType()) })
	m.add("]}")
	race := []string{"us-core-race", "us-core-ethnicity"}[m.next(2)]
	m.add(`,{"url":"` + usCore + race[len("us-core-"):] + `","extension":[`)
	m.add(`{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3","display":"` + m.word(Text) + `"}}`)
	m.add(`,{"url":"detailed","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"` + m.word(Text) + `"}}`)
	m.add(`,{"url":"text","valueString":"` + m.word(Text) + `"}`)
	m.add(`,{"url":"` + m.word(Text) + `"`)
	m.valueOf(m.anyType())
	m.add("}]")
	m.add(`},{"url":"` + usCore + `birthsex"`)
	if m.next(2) == 0 {
		m.add(`,"valueCode":"F"`)
	} else {
		m.valueOf(m.anyType())
	}
	m.add(`},{"url":"` + usCore + `race"`)
	m.valueOf(m.anyType())
	m.add("}]")
}
