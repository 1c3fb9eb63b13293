package synth

import "fmt"

func (h *Hospital) staffCount(typ string) int {
	switch typ {
	case "Organization":
		return 2
	case "Location":
		return 4
	}
	return 5 + min(h.c.Patients/50, 200) // Practitioner
}

func (h *Hospital) doctorName(i int) string {
	r := h.random(i, 7)
	return "Dr. " + pick(r, femaleNames) + " " + pick(r, familyNames)
}

func (h *Hospital) staff(b []byte, typ string, i int) []byte {
	o := &out{b}
	r := h.random(i, 11)
	id := fmt.Sprintf("%s-%04d", map[string]string{"Organization": "org", "Location": "loc", "Practitioner": "prac"}[typ], i)
	o.begin(typ, id, h.c.AsOf.AddDate(-1, 0, 0))
	place := places[i%len(places)]
	switch typ {
	case "Organization":
		o.raw(`,"active":true`).set("name", place.city+" General Hospital").
			raw(`,"telecom":[{"system":"phone"`).set("value", fmt.Sprintf("802-555-%04d", i)).raw(`}],"address":[{"line":[`).str("1 Hospital Way").raw(`]`).
			set("city", place.city).set("state", place.state).set("postalCode", place.zip).set("country", "US").raw(`}]`)
	case "Location":
		o.raw(`,"status":"active"`).set("name", fmt.Sprintf("Ward %d of %s", i, place.city)).raw(`,"mode":"instance","address":{`).
			set("city", place.city).set("state", place.state).set("postalCode", place.zip).raw(`},"position":{`).
			num("longitude", -72.5-float64(i), 4).num("latitude", 42.8+float64(i)/10, 4).raw(`}`)
	default:
		o.raw(`,"identifier":[{"system":"http://hl7.org/fhir/sid/us-npi"`).set("value", fmt.Sprintf("99%08d", r.IntN(100000000))).raw(`}],"active":true,"name":[{`).
			set("text", h.doctorName(i)).raw(`}],"gender":"female"`)
	}
	return o.end()
}

// group has the cohort's members.
func (h *Hospital) group(b []byte) []byte {
	o := &out{b}
	o.begin("Group", GroupID, h.c.AsOf).raw(`,"active":true,"type":"person","actual":true`).set("name", "Cohort of Dr. Blumenthal")
	members := (h.c.Patients + 2) / 3
	o.num("quantity", float64(members), 0).raw(`,"member":[`)
	for i := 0; i < h.c.Patients && i < 3000; i += 3 { // enough to look at
		if i > 0 {
			o.raw(`,`)
		}
		o.raw(`{`).ref("entity", "Patient/"+h.person(i).id, "").raw(`}`)
	}
	return o.raw(`]`).end()
}
