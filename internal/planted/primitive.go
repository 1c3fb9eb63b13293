package planted

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"fhirdeid/anonymize/fhirmodel"
)

// primitive makes a value as JSON.
func (m *maker) primitive(e *fhirmodel.Element) string {
	switch e.Type.Name {
	case "boolean":
		return []string{"true", "false"}[m.next(2)]
	case "integer", "positiveInt", "unsignedInt":
		switch m.next(5) {
		case 0, 1:
			return fmt.Sprint(1 + m.random.IntN(80))
		case 2:
			return strings.ReplaceAll(m.day(), "-", "")
		}
		return m.number(9)
	case "decimal":
		return m.decimal()
	}
	return `"` + m.text(e) + `"`
}

func (m *maker) decimal() string {
	if strings.HasSuffix(m.path[len(m.path)-2], ".position") {
		return "-71." + m.number(8)
	}
	switch m.next(3) {
	case 0:
		return fmt.Sprintf("%d.%d", 1+m.random.IntN(80), m.random.IntN(10))
	case 1:
		return m.number(9) + "e0"
	}
	return m.number(9) + ".5"
}

// text makes what stands between the quotes.
func (m *maker) text(e *fhirmodel.Element) string {
	switch e.Type.Name {
	case "date":
		return m.date()
	case "dateTime":
		d := m.date()
		if len(d) == 10 && m.next(3) != 0 {
			d += "T10:20:30" + []string{"Z", ".123+01:00", "-05:00"}[m.next(3)]
		}
		return d
	case "instant":
		return m.day() + "T10:20:30" + []string{"Z", ".123456-05:00"}[m.next(2)]
	case "time":
		return m.plant(Time, fmt.Sprintf("%02d:%02d:%02d", 13+m.random.IntN(11), m.random.IntN(60), m.random.IntN(60)))
	case "code":
		return m.code(e)
	case "id":
		return m.word(Text)
	case "oid":
		return "urn:oid:2.16.840.1." + m.number(9)
	case "uuid":
		return "urn:uuid:" + m.uuid()
	case "uri", "url":
		return m.uri()
	case "canonical":
		return m.canonical()
	case "integer64":
		return m.number(12)
	case "base64Binary":
		return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", m.next(3)) + "Note on " + m.word(Text) + " by phone"))
	case "xhtml":
		return `<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>` + m.sentence() + `</p></div>`
	}
	return m.sentence()
}

// sentence is free text with a word and, by turns, what else identifies.
func (m *maker) sentence() string {
	word := m.word(Text)
	switch m.next(12) {
	case 0:
		return "Call " + word + " at (" + m.phone() + ")"
	case 1:
		return "SSN " + m.ssn() + " of " + word
	case 2:
		return word + "@" + strings.ToLower(m.word(Text)) + ".example"
	case 3:
		return "from " + m.plant(IP, fmt.Sprintf("10.%d.%d.%d", 100+m.random.IntN(150), m.random.IntN(250), m.random.IntN(250))) + " " + word
	case 4:
		return "https://" + word + ".example/portal?mrn=" + m.number(9)
	case 5:
		return "VIN 1HG" + strings.ToUpper(word)[:8] + "A" + fmt.Sprint(20000+m.random.IntN(70000))
	case 6:
		return fmt.Sprintf(`\u%04x`, word[0]) + word[1:] + " lives here"
	case 7:
		return "at%20" + fmt.Sprintf("%%%02x", word[0]) + word[1:]
	case 8:
		return strings.ToUpper(word) + ", seen on " + m.day()
	case 9:
		return word + ", aged " + m.age() + ", of ZIP " + m.zip()
	}
	return word
}

func (m *maker) phone() string {
	n := m.number(10)
	return []string{n[:3] + "-" + n[3:6] + "-" + n[6:], "(" + n[:3] + ") " + n[3:6] + "-" + n[6:], "+1 " + n[:3] + "." + n[3:6] + "." + n[6:]}[m.next(3)]
}

func (m *maker) ssn() string {
	n := m.number(9)
	return n[:3] + "-" + n[3:5] + "-" + n[5:]
}

func (m *maker) uuid() string {
	hex := fmt.Sprintf("%016x%016x", m.random.Uint64(), m.random.Uint64())
	m.plant(UUID, hex)
	return hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:]
}

// dayStep is the distance of planted days: more than a patient's dates are
// shifted, so that a shifted date is never another planted one.
const dayStep = 400

// day is a date with month and day; seldom one of a person over 89.
func (m *maker) day() string {
	first := time.Date(1940, 3, 14, 0, 0, 0, 0, time.UTC)
	d := first.AddDate(0, 0, dayStep*m.random.IntN(70))
	if m.next(8) == 0 {
		d = first.AddDate(0, 0, -dayStep*(8+m.random.IntN(20)))
		m.plant(Old, d.Format("2006"))
	}
	return m.plant(Date, d.Format(time.DateOnly))
}

func (m *maker) date() string {
	d := m.day()
	if m.next(5) == 0 {
		return d[:7]
	}
	return d
}

func (m *maker) age() string { return m.plant(Age, fmt.Sprint(91+m.random.IntN(28))) }

func (m *maker) zip() string {
	four := []string{"0213", "0363", "0593", "0606"}[m.next(4)]
	m.plant(ZIP, four) // the fourth digit says too much already
	z := four + fmt.Sprint(m.random.IntN(10))
	return []string{z, z + "-4567", z + "4567"}[m.next(3)]
}

func (m *maker) uri() string {
	switch m.next(7) {
	case 0:
		return "urn:oid:2.16.840.1." + m.number(9)
	case 1:
		return "mailto:" + m.word(Text) + "@x.example"
	case 2:
		return "tel:+1-" + m.ssn()
	case 3:
		return "urn:uuid:" + m.uuid()
	case 4:
		return "Patient/" + m.word(Text)
	case 5:
		return "https://fhir.x.example/r4/Patient/" + m.word(Text) + "/_history/" + m.number(9)
	}
	return "http://" + m.word(Text) + ".example/" + m.word(Text) + "?id=" + m.number(9)
}

func (m *maker) canonical() string {
	switch m.next(4) {
	case 0:
		return "http://x.example/fhir/Questionnaire/" + m.word(Text) + "|" + m.word(Text)
	case 1:
		return "Questionnaire/" + m.word(Text) + "|1.0#" + m.word(Text)
	case 2:
		return "#" + m.word(Text)
	}
	return "http://" + m.word(Text) + ".example/" + m.word(Text)
}

// code makes a code of the element's value set, or a word in its place.
func (m *maker) code(e *fhirmodel.Element) string {
	if codes := m.codesOf(e.ValueSet); len(codes) > 0 && m.next(2) == 0 {
		return codes[m.random.IntN(len(codes))]
	}
	return m.word(Text)
}
