package planted

import "fhirdeid/anonymize/fhirmodel"

// complexTypes are data types whose members belong together. Each is called for
// one value and returns what makes its members; false leaves a member to the
// general way.
var complexTypes = map[string]func(m *maker) func(e *fhirmodel.Element) bool{
	"Coding":    coding,
	"Reference": reference,
	"Address":   address,
	"Quantity":  quantity, "Age": quantity, "Duration": quantity, "Count": quantity, "Distance": quantity,
	"Money":        money,
	"ContactPoint": contactPoint,
	"Identifier":   identifier,
	"HumanName":    humanName,
}

// fixed makes the members that are given, as JSON.
func (m *maker) fixed(values map[string]func() string) func(e *fhirmodel.Element) bool {
	return func(e *fhirmodel.Element) bool {
		value := values[e.Key]
		if value != nil {
			m.add(value())
		}
		return value != nil
	}
}

func quoted(s string) func() string { return func() string { return `"` + s + `"` } }

// coding makes codes that are what they say, and words where codes belong: of a
// public system with a grammar, of one with a list of codes, and of others.
func coding(m *maker) func(e *fhirmodel.Element) bool {
	planted := func(k Kind) func() string { return func() string { return `"` + m.word(k) + `"` } }
	system, code := quoted("http://snomed.info/sct"), quoted("271649006")
	switch m.next(9) {
	case 0:
		system, code = quoted("http://loinc.org"), quoted("8302-2")
	case 1:
		system, code = quoted("http://loinc.org"), planted(Text)
	case 2:
		code = planted(Text)
	case 3:
		system, code = quoted("http://terminology.hl7.org/CodeSystem/v3-ActCode"), quoted("AMB")
	case 4:
		system, code = quoted("http://terminology.hl7.org/CodeSystem/observation-category"), planted(Code)
	case 5:
		system, code = quoted("http://hl7.org/fhir/sid/icd-10-nl"), planted(Code)
	case 6:
		system = func() string { return `"http://` + m.word(Text) + `.example/codes"` }
		code = planted(Text)
	case 7:
		system = quoted("http://terminology.hl7.org/CodeSystem/v2-0203")
		code = func() string { return `"` + []func() string{m.ssn, m.phone, m.day}[m.next(3)]() + `"` }
	}
	return m.fixed(map[string]func() string{"system": system, "code": code})
}

// reference makes all forms of references by turns. Beside them stand type,
// identifier and display.
func reference(m *maker) func(e *fhirmodel.Element) bool {
	var text string
	switch n := m.next(10); {
	case m.entries != nil && n < 6:
		text = m.entries[n%len(m.entries)]
	case m.contained != nil && !m.small && n < 3:
		text = "#" + m.contained[n%2]
	case n == 3:
		text = "https://fhir.x.example/r4/Patient/" + m.word(Text)
	case n == 4:
		text = "Patient/" + m.word(Text) + "/_history/" + m.word(Text)
	case n == 5 && m.entries == nil:
		text = "urn:uuid:" + m.uuid()
	case n == 6:
		text = "Patient?identifier=http://" + m.word(Text) + ".example|" + m.number(9)
	case n == 7:
		return func(e *fhirmodel.Element) bool { return e.Key == "reference" } // only the others
	case n == 8:
		text = "urn:oid:1.2." + m.number(9)
	default:
		text = "Practitioner/" + m.word(Text)
	}
	return m.fixed(map[string]func() string{"reference": quoted(text), "type": func() string {
		if m.next(2) == 0 {
			return `"Patient"`
		}
		return `"` + m.word(Text) + `"`
	}})
}

func address(m *maker) func(e *fhirmodel.Element) bool {
	return m.fixed(map[string]func() string{
		"postalCode": func() string { return `"` + m.zip() + `"` },
		"city":       func() string { return `"` + m.word(Town) + `"` },
		"state": func() string {
			if m.next(2) == 0 {
				return `"MA"`
			}
			return `"` + m.word(Text) + `"`
		},
		"country": func() string {
			if m.next(3) != 0 {
				return `"US"`
			}
			return `"` + m.word(Text) + `"`
		},
	})
}

// quantity makes amounts in units, ages over 89, and words where units belong.
func quantity(m *maker) func(e *fhirmodel.Element) bool {
	system, code, value := quoted("http://unitsofmeasure.org"), quoted("mg"), m.decimal
	switch m.next(7) {
	case 0:
		code, value = quoted("a"), m.age
	case 1:
		code = quoted("mo")
		value = func() string { return m.plant(Age, []string{"1200", "1150", "1234"}[m.next(3)]) }
	case 2:
		code = func() string { return `"{` + m.word(Text) + `}"` }
	case 3:
		code = func() string { return `"` + m.word(Text) + `"` }
	case 4:
		system = func() string { return `"http://` + m.word(Text) + `.example/units"` }
	case 5: // a number without a unit may be an age
		return func(e *fhirmodel.Element) bool {
			if e.Key == "value" {
				m.add(m.age())
			}
			return e.Key == "value" || e.Key == "system" || e.Key == "code"
		}
	}
	return m.fixed(map[string]func() string{"system": system, "code": code, "value": value})
}

func money(m *maker) func(e *fhirmodel.Element) bool {
	currency := func() string {
		if m.next(2) == 0 {
			return `"USD"`
		}
		return `"` + m.word(Text) + `"`
	}
	return m.fixed(map[string]func() string{"currency": currency, "code": currency})
}

func contactPoint(m *maker) func(e *fhirmodel.Element) bool {
	return m.fixed(map[string]func() string{"value": func() string {
		if m.next(2) == 0 {
			return `"` + m.phone() + `"`
		}
		return `"` + m.word(Text) + `@` + m.word(Text) + `.example"`
	}})
}

func identifier(m *maker) func(e *fhirmodel.Element) bool {
	return m.fixed(map[string]func() string{"value": func() string {
		return `"` + []func() string{m.ssn, func() string { return m.number(9) }, func() string { return m.word(Text) }}[m.next(3)]() + `"`
	}})
}

func humanName(m *maker) func(e *fhirmodel.Element) bool {
	return m.fixed(map[string]func() string{"family": func() string { return `"` + m.word(Text) + `"` }})
}
