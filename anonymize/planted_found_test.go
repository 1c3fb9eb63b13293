package anonymize_test

import (
	"strings"
	"testing"

	"fhirdeid/anonymize/fhirmodel"
)

// TestPlantedFound are leaks that the planted values have shown, each once.
func TestPlantedFound(t *testing.T) {
	const birthsex = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
	const race = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
	for _, c := range []struct{ name, profile, in, never, want string }{
		{"a name as the type of a reference", "safe-harbor", `{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/1","type":"Blumenthal"}}`, "Blumenthal", `"reference":"Patient/`},
		{"the type of a reference", "safe-harbor", `{"resourceType":"Observation","status":"final","subject":{"type":"Patient"}}`, "?", `"type":"Patient"`},
		{"an extension of a yes or no", "safe-harbor", `{"resourceType":"Patient","active":true,"_active":{"id":"Blumenthal","extension":[{"url":"http://blumenthal.example","valueString":"Blumenthal"}]}}`, "lumenthal", `"active":true`},
		{"the id of a town", "limited-data-set", `{"resourceType":"Patient","address":[{"city":"Boston","_city":{"id":"Blumenthal"}}]}`, "Blumenthal", `"city":"Boston"`},
		{"a part of an extension", "safe-harbor", `{"resourceType":"Patient","active":true,"extension":[{"url":"` + race + `","extension":[{"url":"Blumenthal","valueBoolean":true},{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3"}}]}]}`, "Blumenthal", `"2106-3"`},
		{"a value of another type", "safe-harbor", `{"resourceType":"Patient","active":true,"extension":[{"url":"` + birthsex + `","valueReference":{"reference":"Patient/1"}}]}`, "valueReference", `"active"`},
		{"a name as a code of HL7", "safe-harbor", `{"resourceType":"Encounter","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"Blumenthal"}}`, "Blumenthal", `"finished"`},
		{"a code of HL7", "safe-harbor", `{"resourceType":"Encounter","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"}}`, "?", `"AMB"`},
		{"a name as a code without a list", "safe-harbor", `{"resourceType":"Condition","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-nl","code":"Blumenthal"},{"system":"http://hl7.org/fhir/sid/icd-10-nl","code":"E11.9"}]}}`, "Blumenthal", `"E11.9"`},
		{"a telephone number as an amount", "safe-harbor", `{"resourceType":"Claim","status":"active","total":{"value":6175551234,"currency":"USD"}}`, "6175551234", `"USD"`},
		{"a telephone number as a quantity", "safe-harbor", `{"resourceType":"Observation","status":"final","valueQuantity":{"value":6175551234.5,"system":"http://unitsofmeasure.org","code":"mg"}}`, "6175551234", `"mg"`},
		{"a date as a number", "safe-harbor", `{"resourceType":"Observation","status":"final","valueInteger":19800203}`, "19800203", `"final"`},
		{"a negative number of eight digits", "safe-harbor", `{"resourceType":"Observation","status":"final","valueInteger":-19800203}`, "?", `-19800203`},
		{"a number that is no date", "safe-harbor", `{"resourceType":"Observation","status":"final","valueInteger":19801303}`, "?", `19801303`},
		{"a large count", "safe-harbor", `{"resourceType":"Observation","status":"final","valueQuantity":{"value":250000000000,"system":"http://unitsofmeasure.org","code":"/L"}}`, "?", `250000000000`},
	} {
		out, err := plantedEngine(t, c.profile, fhirmodel.R4).Resource(nil, []byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if strings.Contains(string(out), c.never) || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %s", c.name, out)
		}
	}
}
