package planted

import (
	"fmt"

	"fhirdeid/anonymize/fhirmodel"
)

// byHand are resources for what hides in several members at once: ages in
// observations of an age, the birth year of the very old.
func byHand(version fhirmodel.Version) []*Resource {
	var list []*Resource
	add := func(typ, json string, tokens ...Token) {
		list = append(list, &Resource{Type: typ, JSON: []byte(`{"resourceType":"` + typ + `",` + json + `}`), Tokens: tokens})
	}
	age := func(path string, n int) Token { return Token{Value: fmt.Sprint(n), Kind: Age, Path: path} }
	for _, code := range []string{"30525-0", "21611-9", "21612-7", "29553-5", "63900-5", "30972-4", "35659-2"} {
		concept := `"code":{"coding":[{"system":"http://loinc.org","code":"` + code + `"}]}`
		years := `"system":"http://unitsofmeasure.org","code":"a"`
		add("Observation", `"status":"final",`+concept+`,"valueQuantity":{"value":97,`+years+`}`, age("Observation.valueQuantity.value", 97))
		add("Observation", `"status":"final",`+concept+`,"valueQuantity":{"value":98,"unit":"years"}`, age("Observation.valueQuantity.value", 98))
		add("Observation", `"status":"final",`+concept+`,"valueRange":{"low":{"value":96,`+years+`},"high":{"value":99,`+years+`}}`,
			age("Observation.valueRange.low.value", 96), age("Observation.valueRange.high.value", 99))
		add("Observation", `"status":"final",`+concept+`,"valueString":"101 years"`, age("Observation.valueString", 101))
		add("Observation", `"status":"final",`+concept+`,"component":[{`+concept+`,"valueQuantity":{"value":102,`+years+`}}]`, age("Observation.component.valueQuantity.value", 102))
		if version != fhirmodel.STU3 {
			add("Observation", `"status":"final",`+concept+`,"valueInteger":103`, age("Observation.valueInteger", 103))
			add("Observation", `"status":"final",`+concept+`,"component":[{`+concept+`,"valueInteger":104}]`, age("Observation.component.valueInteger", 104))
		}
	}
	add("Patient", `"id":"Gkvwxq","birthDate":"1921","deceasedDateTime":"2020-05-06"`,
		Token{Value: "1921", Kind: Old, Path: "Patient.birthDate"}, Token{Value: "2020-05-06", Kind: Date, Path: "Patient.deceasedDateTime"})
	add("Patient", `"birthDate":"1923-07"`, Token{Value: "1923", Kind: Old, Path: "Patient.birthDate"})
	status := ""
	if version == fhirmodel.R5 {
		status = `"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},`
	}
	add("Condition", status+`"subject":{"reference":"Patient/Gkvwxqz"},"onsetString":"at 94 years","abatementAge":{"value":95,"system":"http://unitsofmeasure.org","code":"a"}`,
		Token{Value: "Gkvwxqz", Kind: Text, Path: "Condition.subject.reference"}, age("Condition.onsetString", 94), age("Condition.abatementAge.value", 95))
	return list
}
