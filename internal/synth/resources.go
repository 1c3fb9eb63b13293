package synth

import (
	"encoding/base64"
	"fmt"
)

// resource makes the k-th resource of a type for a patient.
func (p *person) resource(b []byte, typ string, k int) []byte {
	o := &out{b}
	at := p.visit(k % p.counts["Encounter"])
	o.begin(typ, p.resourceID(typ, k), at.AddDate(0, 0, 1))
	switch typ {
	case "Patient":
		p.patient(o)
	case "Encounter":
		p.encounter(o, k)
	case "Condition":
		p.condition(o, k)
	case "Observation":
		p.observation(o, k)
	case "MedicationRequest":
		p.medication(o, k)
	case "Procedure":
		o.raw(`,"status":"completed"`).concept("code", pick(p.random(typ, k), procedures))
		p.subject(o, "subject").ref("encounter", p.encounterRef(k), "").key("performedPeriod").raw(`{`).instant("start", at).instant("end", at.Add(3600e9)).raw(`}`)
	case "Immunization":
		o.raw(`,"status":"completed"`).concept("vaccineCode", pick(p.random(typ, k), vaccines))
		p.subject(o, "patient").ref("encounter", p.encounterRef(k), "").instant("occurrenceDateTime", at).raw(`,"primarySource":true`).set("lotNumber", "LOT-"+p.mrn)
	case "AllergyIntolerance":
		o.raw(`,"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},"type":"allergy","category":["food"],"criticality":"low"`).
			concept("code", pick(p.random(typ, k), allergies))
		p.subject(o, "patient").date("recordedDate", at)
	case "DiagnosticReport":
		o.raw(`,"status":"final"`).concept("code", code{loinc, "58410-2", "CBC panel"})
		p.subject(o, "subject").instant("effectiveDateTime", at).set("issued", at.UTC().Format("2006-01-02T15:04:05.000Z")).
			raw(`,"result":[{`).set("reference", "Observation/"+p.resourceID("Observation", 0)).raw(`}]`).set("conclusion", p.given+" is doing well; call "+p.phone+".")
	case "DocumentReference":
		p.document(o, k)
	case "Claim", "ExplanationOfBenefit":
		p.claim(o, typ, k)
	case "Coverage":
		o.raw(`,"status":"active"`).set("subscriberId", p.member).ref("subscriber", "Patient/"+p.id, p.name()).ref("beneficiary", "Patient/"+p.id, p.name()).
			raw(`,"payor":[{`).set("display", "Green Mountain Health Plan").raw(`}]`)
	case "CareTeam":
		o.raw(`,"status":"active"`).set("name", "Care team of "+p.name())
		p.subject(o, "subject").raw(`,"participant":[{`).ref("member", fmt.Sprintf("Practitioner/prac-%04d", p.doctor), p.h.doctorName(p.doctor)).raw(`}]`)
	case "Device":
		o.raw(`,"udiCarrier":[{`).set("deviceIdentifier", "UDI-"+p.mrn).raw(`}],"status":"active"`).set("serialNumber", "SN"+p.mrn).
			raw(`,"deviceName":[{`).set("name", p.given+"'s device").raw(`,"type":"user-friendly-name"}]`).concept("type", pick(p.random(typ, k), devices)).
			ref("patient", "Patient/"+p.id, "").set("url", "http://10.20."+p.mrn[len(p.mrn)-2:]+".7/device")
	}
	return o.end()
}

func (p *person) subject(o *out, key string) *out { return o.ref(key, "Patient/"+p.id, p.name()) }

func (p *person) encounterRef(k int) string {
	return "Encounter/" + p.resourceID("Encounter", k%p.counts["Encounter"])
}

func (p *person) patient(o *out) {
	race := races[p.race]
	gender, sex := "male", "M"
	if p.female {
		gender, sex = "female", "F"
	}
	o.raw(`,"text":{"status":"generated","div":`).str(`<div xmlns="http://www.w3.org/1999/xhtml"><p>` + p.name() + `, born ` + p.born.Format("January 2, 2006") + `</p></div>`).raw(`}`)
	const core = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
	o.raw(`,"extension":[{"url":"`+core+`race","extension":[{"url":"ombCategory","valueCoding":{`).set("system", race.system).set("code", race.code).set("display", race.display).
		raw(`}},{"url":"text"`).set("valueString", race.display).raw(`}]},{"url":"`+core+`birthsex"`).set("valueCode", sex).
		raw(`},{"url":"http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"`).set("valueString", familyNames[(p.n+3)%len(familyNames)]).raw(`}]`)
	o.raw(`,"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"http://hospital.example.org/mrn"`).set("value", p.mrn).
		raw(`},{"system":"http://hl7.org/fhir/sid/us-ssn"`).set("value", p.ssn).raw(`}],"active":true,"name":[{"use":"official"`).set("family", p.family).raw(`,"given":[`).str(p.given).
		raw(`]}],"telecom":[{"system":"phone"`).set("value", p.phone).raw(`,"use":"home"},{"system":"email"`).set("value", p.email).raw(`}]`).set("gender", gender).date("birthDate", p.born).
		raw(`,"_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthTime"`).set("valueDateTime", p.born.Format("2006-01-02")+"T03:14:15Z").raw(`}]}`)
	if !p.died.IsZero() {
		o.instant("deceasedDateTime", p.died)
	}
	place := places[p.place]
	o.raw(`,"address":[{"line":[`).str(p.street).raw(`]`).set("city", place.city).set("state", place.state).set("postalCode", p.zip).set("country", "US").raw(`}]`)
	if p.n%29 == 0 {
		o.raw(`,"multipleBirthInteger":2`)
	}
	o.raw(`,"contact":[{"name":{`).set("text", "Mother "+p.family).raw(`},"telecom":[{"system":"phone"`).set("value", p.phone).raw(`}]}],"managingOrganization":{"reference":"Organization/org-0000"}`)
}

func (p *person) encounter(o *out, k int) {
	at := p.visit(k)
	o.raw(`,"status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}`)
	p.subject(o, "subject").raw(`,"participant":[{`).ref("individual", fmt.Sprintf("Practitioner/prac-%04d", p.doctor), p.h.doctorName(p.doctor)).
		raw(`}],"period":{`).instant("start", at).instant("end", at.Add(1800e9)).raw(`},"location":[{`).ref("location", "Location/loc-0000", "Ward 0").raw(`}]`)
}

func (p *person) condition(o *out, k int) {
	r := p.random("Condition", k)
	at := p.visit(k % p.counts["Encounter"])
	o.raw(`,"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}`).concept("code", pick(r, conditions))
	p.subject(o, "subject").ref("encounter", p.encounterRef(k), "")
	if k%2 == 0 {
		o.instant("onsetDateTime", at)
	} else {
		o.quantity("onsetAge", float64(at.Year()-p.born.Year()), 0, "a")
	}
	o.date("recordedDate", at)
	if k%3 == 0 {
		o.raw(`,"note":[{`).set("text", p.name()+" (SSN "+p.ssn+") asked about the diagnosis by e-mail, "+p.email).raw(`}]`)
	}
}

func (p *person) observation(o *out, k int) {
	r := p.random("Observation", k)
	at := p.visit(k % p.counts["Encounter"])
	kind := pick(r, observations)
	o.raw(`,"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}]`).concept("code", kind.code)
	p.subject(o, "subject").ref("encounter", p.encounterRef(k), "").instant("effectiveDateTime", at).set("issued", at.UTC().Format("2006-01-02T15:04:05.000Z")).
		quantity("valueQuantity", kind.low+kind.per*float64(r.IntN(100)), 1, kind.unit)
}

func (p *person) medication(o *out, k int) {
	o.raw(`,"status":"active","intent":"order"`).concept("medicationCodeableConcept", pick(p.random("MedicationRequest", k), drugs))
	p.subject(o, "subject").ref("encounter", p.encounterRef(k), "").instant("authoredOn", p.visit(k%p.counts["Encounter"])).
		raw(`,"dosageInstruction":[{"sequence":1`).set("text", "One tablet a day for "+p.given).raw(`,"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d"}}}]`)
}

func (p *person) document(o *out, k int) {
	at := p.visit(0)
	note := fmt.Sprintf("Discharge note\n\nPatient: %s, MRN %s, born %s, of %s, %s.\nSeen on %s by %s. Telephone %s.\n",
		p.name(), p.mrn, p.born.Format("2006-01-02"), p.street, places[p.place].city, at.Format("January 2, 2006"), p.h.doctorName(p.doctor), p.phone)
	o.raw(`,"status":"current"`).concept("type", code{loinc, "18842-5", "Discharge summary"})
	p.subject(o, "subject").instant("date", at).set("description", "Discharge of "+p.name()).raw(`,"content":[{"attachment":{"contentType":"text/plain"`).
		set("data", base64.StdEncoding.EncodeToString([]byte(note))).set("url", "https://hospital.example.org/docs/"+p.mrn).set("title", "Note on "+p.name()).raw(`}}]`)
	_ = k
}

func (p *person) claim(o *out, typ string, k int) {
	at := p.visit(k)
	o.raw(`,"status":"active","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/claim-type","code":"professional"}]},"use":"claim"`)
	p.subject(o, "patient").key("billablePeriod").raw(`{`).instant("start", at).instant("end", at.Add(1800e9)).raw(`}`).instant("created", at).
		ref("provider", "Organization/org-0000", "General Hospital")
	if typ == "Claim" {
		o.raw(`,"priority":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/processpriority","code":"normal"}]}`)
	} else {
		o.ref("insurer", "Organization/org-0001", "").raw(`,"outcome":"complete"`).ref("claim", "Claim/"+p.resourceID("Claim", k), "")
	}
	o.raw(`,"insurance":[{`)
	if typ == "Claim" {
		o.num("sequence", 1, 0)
	}
	o.raw(map[bool]string{true: `,`, false: ``}[typ == "Claim"]+`"focal":true`).ref("coverage", "Coverage/"+p.resourceID("Coverage", 0), "").raw(`,"preAuthRef":[`).str("PA-" + p.member).raw(`]}]`)
	o.raw(`,"item":[{"sequence":1`).concept("productOrService", pick(p.random(typ, k), procedures)).raw(`,"net":{`).num("value", 80+float64(p.random(typ, k).IntN(40000))/100, 2).raw(`,"currency":"USD"}}]`)
}
