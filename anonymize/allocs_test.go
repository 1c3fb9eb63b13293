package anonymize

import (
	"bytes"
	"testing"
)

// guardedRules are rules that look at what they are about to change, as rule files of
// hospitals have them: by use, by the URL of an extension, by type, by a code.
const guardedRules = `{"fhirVersion":"R4","fhirPathRules":[
 {"path":"Patient.name.where(use = 'old')","method":"redact"},
 {"path":"Patient.name.where(use = 'official').family","method":"cryptoHash"},
 {"path":"Patient.name.where(use = 'maiden').family","method":"redact"},
 {"path":"Patient.telecom.where(system = 'phone').value","method":"redact"},
 {"path":"Patient.telecom.where(system = 'email')","method":"redact"},
 {"path":"Patient.identifier.where(system = 'http://hospital.smarthealthit.org').value","method":"cryptoHash"},
 {"path":"Patient.identifier.where(type.coding.where(code = 'SS').exists())","method":"redact"},
 {"path":"Patient.identifier.where(type.exists()).value","method":"redact"},
 {"path":"Patient.extension('http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName')","method":"redact"},
 {"path":"Patient.extension.where(url.startsWith('http://synthetichealth.github.io')).value","method":"redact"},
 {"path":"Patient.address.extension('http://hl7.org/fhir/StructureDefinition/geolocation')","method":"redact"},
 {"path":"Patient.address.where(country = 'US').city","method":"redact"},
 {"path":"Patient.address.where(state = 'MA' and city.exists()).postalCode","method":"redact"},
 {"path":"Patient.birthDate.where(extension.exists().not())","method":"dateShift"},
 {"path":"Patient.deceased.ofType(dateTime)","method":"dateShift"},
 {"path":"Observation.value.ofType(string)","method":"redact"},
 {"path":"Observation.value.ofType(Quantity).where(unit = 'kg').value","method":"keep"},
 {"path":"Observation.component.where(code.coding.code = '8480-6').value.ofType(Quantity)","method":"perturb","span":0},
 {"path":"Observation.category.where(coding.code = 'social-history').text","method":"redact"},
 {"path":"Observation.effective.ofType(dateTime)","method":"dateShift"},
 {"path":"Observation.issued.where(true)","method":"redact"},
 {"path":"Encounter.participant.where(individual.exists()).individual.display","method":"redact"},
 {"path":"Encounter.type.where(coding.exists()).text","method":"redact"},
 {"path":"Condition.onset.ofType(dateTime)","method":"dateShift"},
 {"path":"Condition.code.where(coding.count() > 1).text","method":"redact"},
 {"path":"Claim.item.where(encounter.exists()).encounter.reference","method":"cryptoHash"},
 {"path":"ExplanationOfBenefit.contained.where($this is Coverage)","method":"redact"},
 {"path":"ExplanationOfBenefit.item.where(category.exists()).location","method":"redact"},
 {"path":"Resource.meta.where(profile.exists()).lastUpdated","method":"redact"},
 {"path":"nodesByType('Coding').where(system = 'http://snomed.info/sct').display","method":"redact"},
 {"path":"nodesByType('Reference').where(reference.startsWith('Patient/')).reference","method":"cryptoHash"},
 {"path":"Resource.id","method":"cryptoHash"}],
 "parameters":{"enablePartialDatesForRedact":true,"enablePartialZipCodesForRedact":true}}`

// TestAllocations: once a worker knows what lines look like, a resource costs no memory.
func TestAllocations(t *testing.T) {
	line := []byte(`{"resourceType":"Patient","id":"p-1","extension":[{"url":"http://synthetichealth.github.io/x","valueDecimal":1.5}],"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"SS"}]},"value":"999"}],"name":[{"use":"official","family":"F","given":["A","B"]},{"use":"maiden","family":"M"}],"telecom":[{"system":"phone","value":"555"}],"birthDate":"1980-02-03","address":[{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/geolocation","extension":[{"url":"latitude","valueDecimal":42.1}]}],"city":"X","state":"MA","postalCode":"02139","country":"US"}],"contained":[{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://snomed.info/sct","code":"1","display":"d"}]},"subject":{"reference":"Patient/p-1"},"effectiveDateTime":"2015-02-07T13:28:17-05:00","valueQuantity":{"value":72.5,"unit":"kg"},"component":[{"code":{"coding":[{"code":"8480-6"}]},"valueQuantity":{"value":120.5}}]}]}`)
	for _, c := range []struct{ name, rules string }{
		{"nothing", `{"fhirPathRules":[]}`},
		{"paths", everyMethod},
		{"guarded", guardedRules},
		{"union", `{"fhirPathRules":[{"path":"Patient.name.where(use = 'official') | Patient.contact.name.where(use.exists()) | Patient.address","method":"redact"},{"path":"(Patient.name | Patient.telecom).first()","method":"redact"},{"path":"nodesByType('Extension').where(url = 'latitude').value","method":"redact"},{"path":"Resource.descendants().where($this is dateTime)","method":"dateShift"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := bytes.ReplaceAll([]byte(c.rules), []byte(`"encrypt"`), []byte(`"keep"`))
			rules = bytes.ReplaceAll(rules, []byte(`"substitute"`), []byte(`"redact"`))
			rules = bytes.ReplaceAll(rules, []byte(`"perturb"`), []byte(`"keep"`))
			e := compileText(t, string(rules))
			w := newWorker(e)
			var dst []byte
			run := func() {
				var err error
				if dst, err = w.resource(dst[:0], line); err != nil {
					t.Fatal(err)
				}
			}
			run()
			if n := testing.AllocsPerRun(200, run); n > 0 {
				t.Errorf("%v allocations per resource", n)
			}
		})
	}
}
