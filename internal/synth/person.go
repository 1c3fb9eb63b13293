package synth

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// person is who a patient is.
type person struct {
	h      *Hospital
	n      int
	id     string
	family string
	given  string
	female bool
	born   time.Time
	died   time.Time
	place  int
	street string
	zip    string
	phone  string
	email  string
	ssn    string
	mrn    string
	member string // of the health plan
	race   int
	doctor int
	counts map[string]int
}

func (h *Hospital) person(n int) *person {
	r := h.random(n, 1)
	p := &person{h: h, n: n, id: fmt.Sprintf("pat-%06d", n), female: r.IntN(2) == 0, family: pick(r, familyNames)}
	p.given = pick(r, maleNames)
	if p.female {
		p.given = pick(r, femaleNames)
	}
	age := r.IntN(95)
	if n%17 == 0 {
		age = 90 + r.IntN(12) // hospitals have the very old
	}
	p.born = h.c.AsOf.AddDate(-age, -r.IntN(12), -r.IntN(28)).Truncate(24 * time.Hour)
	if r.IntN(12) == 0 {
		p.died = h.c.AsOf.AddDate(0, -1-r.IntN(30), -r.IntN(28))
		if p.died.Before(p.born) {
			p.died = time.Time{}
		}
	}
	p.place = r.IntN(len(places))
	p.street = fmt.Sprintf("%d %s", 10+r.IntN(9900), pick(r, streets))
	p.zip = fmt.Sprintf("%s-%04d", places[p.place].zip, 1000+r.IntN(9000))
	p.phone = fmt.Sprintf("%03d-555-%04d", 201+r.IntN(700), r.IntN(10000))
	p.email = strings.ToLower(fmt.Sprintf("%s.%s%d@mail.example.org", p.given, letters(p.family), r.IntN(1000)))
	p.ssn = fmt.Sprintf("9%02d-%02d-%04d", r.IntN(100), 10+r.IntN(80), r.IntN(10000)) // 9xx is never issued
	p.mrn = fmt.Sprintf("MRN%08d", r.IntN(100000000))
	p.member = fmt.Sprintf("HPX%09d", r.IntN(1000000000))
	p.race = r.IntN(len(races))
	p.doctor = r.IntN(h.staffCount("Practitioner"))
	visits := 2 + r.IntN(5)
	p.counts = map[string]int{
		"Patient": 1, "Encounter": visits, "Condition": 1 + r.IntN(4), "Observation": visits * (2 + r.IntN(4)), "MedicationRequest": 1 + r.IntN(3),
		"Procedure": r.IntN(3), "Immunization": r.IntN(4), "AllergyIntolerance": r.IntN(2), "DiagnosticReport": 1 + r.IntN(2), "DocumentReference": 1,
		"Claim": visits, "ExplanationOfBenefit": visits, "Coverage": 1, "CareTeam": 1, "Device": r.IntN(2),
	}
	return p
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, s)
}

func (p *person) name() string { return p.given + " " + p.family }

func (p *person) count(typ string) int { return p.counts[typ] }

func (p *person) resourceID(typ string, k int) string {
	if typ == "Patient" {
		return p.id
	}
	return fmt.Sprintf("%s-%06d-%02d", strings.ToLower(typ[:3]), p.n, k)
}

// visit is when the k-th visit was.
func (p *person) visit(k int) time.Time {
	r := p.h.random(p.n, 100+uint64(k))
	at := p.h.c.AsOf.AddDate(0, -r.IntN(48), -r.IntN(28)).Add(-time.Duration(r.IntN(86400)) * time.Second)
	if at.Before(p.born) {
		at = p.born.AddDate(0, 0, 1)
	}
	return at
}

func (p *person) random(typ string, k int) *rand.Rand {
	sum := uint64(14695981039346656037)
	for i := range len(typ) {
		sum = (sum ^ uint64(typ[i])) * 1099511628211
	}
	return p.h.random(p.n, sum+uint64(k)*31)
}

// Identifiers lists what identifies a patient, as it is written in the
// resources: a search for any of them in de-identified data must find nothing.
func (h *Hospital) Identifiers(patient int) []string {
	p := h.person(patient)
	return []string{
		p.id, p.family, p.given, p.street, places[p.place].city, p.zip, p.phone, p.email, p.ssn, p.mrn, p.member,
		p.born.Format("2006-01-02"), "UDI-" + p.mrn, "LOT-" + p.mrn, "10.20." + p.mrn[len(p.mrn)-2:],
	}
}
