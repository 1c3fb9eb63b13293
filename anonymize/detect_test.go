package anonymize

import (
	"slices"
	"testing"

	"fhirdeid/anonymize/fhirmodel"
)

func TestDetectVersion(t *testing.T) {
	const stu3, r4, r4b, r5 = fhirmodel.STU3, fhirmodel.R4, fhirmodel.R4B, fhirmodel.R5
	for in, want := range map[string][]fhirmodel.Version{
		`{"resourceType":"Patient","gender":"male"}`:                                      {stu3, r4, r4b, r5},
		`{"resourceType":"Patient","animal":{"species":{"text":"cat"}}}`:                  {stu3},
		`{"resourceType":"DeviceComponent"}`:                                              {stu3},
		`{"resourceType":"Encounter","class":{"code":"AMB"}}`:                             {stu3, r4, r4b},
		`{"resourceType":"Encounter","reasonCode":[{"text":"x"}]}`:                        {r4, r4b},
		`{"resourceType":"MedicinalProduct"}`:                                             {r4},
		`{"resourceType":"SubstanceDefinition"}`:                                          {r4b, r5},
		`{"resourceType":"Transport"}`:                                                    {r5},
		`{"resourceType":"Observation","triggeredBy":[{"type":"reflex"}]}`:                {r5},
		`{"resourceType":"Observation","valueInteger64":"1"}`:                             nil,
		`{"resourceType":"Patient","extension":[{"url":"x","valueInteger64":"1"}]}`:       {r5},
		`{"resourceType":"Patient","animal":{"species":{"text":"cat"}},"triggeredBy":[]}`: nil,
		`{"resourceType":"Patient"`:                                                       nil,
		``:                                                                                nil,
	} {
		if got := DetectVersion([]byte(in)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
}
