package anonymize

import (
	"math/rand/v2"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
)

// maker makes up resources of any type, from the model.
type maker struct {
	*rand.Rand
	model *fhirmodel.Model
	// odd is how much of a resource is in a form that FHIR does not have but that
	// is read: of 100.
	odd int
}

// oneIn is true once in n times.
func (m *maker) oneIn(n int) bool { return m.IntN(n) == 0 }

func pick[T any](m *maker, list ...T) T { return list[m.IntN(len(list))] }

// resourceTypes are those that resources are made of: small and large, with
// nested resources and with choices.
var resourceTypes = strings.Fields("Patient Patient Patient Observation Observation Condition Bundle Bundle Parameters Practitioner Questionnaire FamilyMemberHistory MedicationRequest Encounter Person Basic")

func (m *maker) resource(depth int) *jsonValue {
	name := pick(m, resourceTypes...)
	if depth > 1 {
		name = pick(m, "Patient", "Observation", "Practitioner", "Basic")
	}
	typ := m.model.ResourceType([]byte(name))
	if typ == nil {
		typ = m.model.ResourceType([]byte("Patient"))
	}
	v := m.object(typ, depth, 2+m.IntN(7))
	if v.member("id") == nil && !m.oneIn(3) {
		v.members = append(v.members, jsonMember{"id", text(pick(m, "a", "b", "example"))})
		m.shuffle(v)
	}
	lead := jsonMember{"resourceType", text(typ.Name)}
	at := 0
	if m.IntN(100) < m.odd {
		at = m.IntN(len(v.members) + 1)
	}
	v.members = append(v.members[:at:at], append([]jsonMember{lead}, v.members[at:]...)...)
	return v
}

func text(s string) *jsonValue { return &jsonValue{kind: '"', text: s} }

func (m *maker) shuffle(v *jsonValue) {
	m.Shuffle(len(v.members), func(i, j int) { v.members[i], v.members[j] = v.members[j], v.members[i] })
}

// likely are elements that have more to tell than others.
var likely = strings.Fields("name identifier address extension contained entry parameter value contact telecom subject birthDate deceased meta id resource onset component photo text family given postalCode period reference security code use fullUrl item condition")

func (m *maker) object(typ *fhirmodel.Type, depth, count int) *jsonValue {
	v := &jsonValue{kind: '{'}
	groups := make(map[int]bool)
	for range count {
		elem := typ.Elements[m.IntN(len(typ.Elements))]
		if m.oneIn(2) {
			want := pick(m, likely...)
			for _, e := range typ.Elements {
				if e.Name == want && (!groups[e.Group] && m.oneIn(3) || elem.Name != want) {
					elem = e
				}
			}
		}
		if groups[elem.Group] || depth > 7 && !elem.Type.Kind.Primitive() || elem.Type.Kind == fhirmodel.Resource && depth > 5 || elem.Type.Kind == fhirmodel.Complex && elem.Type.Abstract {
			continue
		}
		groups[elem.Group] = true
		m.element(v, elem, depth)
	}
	if typ.Name == "Extension" && !groups[typ.Member([]byte("url")).Group] && !m.oneIn(20) {
		v.members = append(v.members, jsonMember{"url", text(pick(m, "http://x/1", "http://x/2"))})
	}
	m.shuffle(v)
	return v
}

// element adds a member, and perhaps the one with "_".
func (m *maker) element(v *jsonValue, elem *fhirmodel.Element, depth int) {
	odd := func() bool { return m.IntN(100) < m.odd }
	count := 1
	if elem.Array {
		count = pick(m, 1, 1, 2, 3)
	}
	siblings := elem.Type.Kind.Primitive() && (!elem.NoExtension || elem.Type.Name == "id" && m.oneIn(3)) && m.oneIn(5)
	values, others := &jsonValue{kind: '['}, &jsonValue{kind: '['}
	for range count {
		var value *jsonValue
		switch kind := elem.Type.Kind; {
		case odd() && (elem.Array || elem.Type.Kind.Primitive()):
			value = &jsonValue{kind: 'n'}
		case kind.Primitive():
			value = m.primitive(elem)
		case kind == fhirmodel.Resource:
			value = m.resource(depth + 1)
		default:
			value = m.object(elem.Type, depth+1, m.IntN(4)+1)
			if odd() {
				value.members = nil
			}
		}
		values.items = append(values.items, value)
		other := &jsonValue{kind: 'n'}
		if siblings && !m.oneIn(3) {
			other = &jsonValue{kind: '{'}
			m.element(other, m.model.PrimitiveMembers().Member([]byte("extension")), depth+2)
			if m.oneIn(3) {
				other.members = append(other.members, jsonMember{"id", text("e")})
			}
		}
		others.items = append(others.items, other)
	}
	if !elem.Array || count == 1 && odd() {
		values, others = values.items[0], others.items[0]
	}
	if !siblings || !m.oneIn(4) {
		v.members = append(v.members, jsonMember{elem.Key, values})
	}
	if siblings {
		v.members = append(v.members, jsonMember{"_" + elem.Key, others})
	}
}

var texts = []string{"a", "b", "Smith", "x y", "Muster, Max", "é", "\u2028 q\"uo\\te\t", "https://x/\u00fcber", "12345", "1980-02-03"}

func (m *maker) primitive(elem *fhirmodel.Element) *jsonValue {
	odd := m.IntN(100) < m.odd
	switch elem.Name {
	case "postalCode":
		return text(pick(m, "12345", "02139-1234", "K1A 0B1", "9", "03601"))
	case "reference":
		return text(pick(m, "Patient/a", "#p", "#", "https://my-host/fhir/Patient/1/_history/2", "http://h.org/Patient/1", "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "Patient/1#f", "Patient?id=3", "http://h/OurPatient/3", "urn:oid:1.2.3"))
	case "fullUrl":
		return text(pick(m, "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", "http://h.org/Patient/1"))
	case "id":
		return text(pick(m, "a", "b", "example"))
	}
	switch kind := elem.Type.Kind; kind {
	case fhirmodel.Boolean:
		v := &jsonValue{kind: 't', text: pick(m, "true", "false")}
		if odd {
			v.kind = '"'
		}
		return v
	case fhirmodel.Integer:
		v := &jsonValue{kind: '0', text: pick(m, "1", "2", "17", "0", "90")}
		if odd {
			v.kind = '"'
		}
		if elem.Type.Name == "integer64" {
			v.kind = '"'
		}
		return v
	case fhirmodel.Decimal:
		return &jsonValue{kind: '0', text: pick(m, "1", "1.50", "72.5", "-2.345", "0.0", "-0.0", "90", "12.5e1", "25E-1", "89")}
	case fhirmodel.Date:
		return text(pick(m, "1980-02-03", "1980", "1980-02", "1930-01-01", "2020-12-31", "9999-12-31"))
	case fhirmodel.DateTime:
		return text(pick(m, "1980-02-03", "2015-02-07T13:28:17-05:00", "2015", "2015-02-07T13:28:17.500Z", "1930-01-01T10:00:00Z", "2015-02-07T13:28"))
	case fhirmodel.Instant:
		return text(pick(m, "2015-02-07T13:28:17.239+02:00", "2020-12-31T23:59:59Z", "2015-02-07T13:28:17.100Z"))
	case fhirmodel.Time:
		return text(pick(m, "10:00:00", "23:59:59"))
	case fhirmodel.XHTML:
		return text(`<div xmlns="http://www.w3.org/1999/xhtml">a &lt; b</div>`)
	}
	switch elem.Type.Name {
	case "code":
		return text(pick(m, "official", "usual", "home", "final", "a", "male", "REDACTED", "masked"))
	case "uri", "url", "canonical", "oid", "uuid":
		return text(pick(m, "http://x/1", "http://x/2", "urn:oid:1.2.3"))
	case "base64Binary":
		return text("YWJj")
	}
	s := pick(m, texts...)
	if odd {
		s = pick(m, "", "  ", " "+s, s+"\t", "\u00a0"+s)
	}
	return text(s)
}

// spell is a value as JSON, with white space and escapes as odd as wanted.
func (m *maker) spell(v *jsonValue) string {
	gap := func() string {
		if m.IntN(100) < m.odd {
			return pick(m, " ", "\t", "  ", " \r ")
		}
		return ""
	}
	quote := func(s string) string {
		q := quoteJSON(s)
		if m.IntN(100) < m.odd {
			q = strings.ReplaceAll(strings.ReplaceAll(q, "/", `\/`), "é", `\u00E9`)
		}
		return q
	}
	switch v.kind {
	case '{':
		var parts []string
		for _, x := range v.members {
			parts = append(parts, gap()+quote(x.name)+gap()+":"+gap()+m.spell(x.value)+gap())
		}
		return "{" + strings.Join(parts, ",") + "}"
	case '[':
		var parts []string
		for _, x := range v.items {
			parts = append(parts, gap()+m.spell(x)+gap())
		}
		return "[" + strings.Join(parts, ",") + "]"
	case '"':
		return quote(v.text)
	case 'n':
		return "null"
	}
	return v.text
}
