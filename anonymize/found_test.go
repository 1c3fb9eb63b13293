package anonymize

import (
	"fmt"
	"testing"

	"fhirdeid/anonymize/policy"
)

// TestFound are cases in which the engine once did not do what the language says;
// most were found by the oracle. They hold in both modes.
func TestFound(t *testing.T) {
	for _, c := range []struct{ name, rules, parameters, input, want string }{
		{
			name:  "extension of lastUpdated",
			rules: `{"path":"Patient.gender","method":"redact"}`,
			input: `{"resourceType":"Patient","meta":{"lastUpdated":"2020-12-31T23:59:59Z","_lastUpdated":{"id":"e"}},"gender":"male"}`,
			want:  `{"resourceType":"Patient","meta":{"lastUpdated":"2020-12-31T23:59:59+00:00","_lastUpdated":{"id":"e"},"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"REDACTED","display":"redacted"}]}}`,
		},
		{
			name:  "label whose code a rule has written",
			rules: `{"path":"Patient.meta.security.code","method":"substitute","replaceWith":"substituted"}`,
			input: `{"resourceType":"Patient","meta":{"security":[{"code":"x"}]}}`,
			want:  `{"resourceType":"Patient","meta":{"security":[{"code":"substituted"}]}}`,
		},
		{
			name:  "label of the resource whose rule it is",
			rules: `{"path":"Bundle.entry.resource.gender","method":"redact"}`,
			input: `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","gender":"male"}}]}`,
			want:  `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient"}}],"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"REDACTED","display":"redacted"}]}}`,
		},
		{
			name:       "hash of a boolean written as a text",
			rules:      `{"path":"Patient.active","method":"cryptoHash"}`,
			parameters: `{"cryptoHashKey":"123"}`,
			input:      `{"resourceType":"Patient","active":"true"}`,
			want:       `{"resourceType":"Patient","active":"970cad44852eb4b6b1b72c346793a28b799f8dd3d9f37491e52eb5178b359350","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"CRYTOHASH","display":"cryptographic hash function"}]}}`,
		},
		{
			name:       "hash of a number written as a text",
			rules:      `{"path":"Patient.multipleBirth","method":"cryptoHash"}`,
			parameters: `{"cryptoHashKey":"123"}`,
			input:      `{"resourceType":"Patient","multipleBirthInteger":"1e1"}`,
			want:       `{"resourceType":"Patient","multipleBirthInteger":"b16a0a608192c9bdd1677363371a04c47ef6e8f02b69fc7025f16e83840e59a8","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"CRYTOHASH","display":"cryptographic hash function"}]}}`,
		},
		{
			name:  "substitute of a primitive without a value",
			rules: `{"path":"Patient.gender","method":"substitute","replaceWith":"other"}`,
			input: `{"resourceType":"Patient","_gender":{"id":"a"}}`,
			want:  `{"resourceType":"Patient","gender":"other","meta":{"security":[{"code":"SUBSTITUTED","display":"exact value is replaced with a predefined value"}]}}`,
		},
		{
			name:  "what a substitute takes out is no longer there",
			rules: `{"path":"Patient.maritalStatus","method":"substitute","replaceWith":{"text":"x"}},{"path":"nodesByName('id').skip(1)","method":"redact"}`,
			input: `{"resourceType":"Patient","maritalStatus":{"id":"b"},"id":"a"}`,
			want:  `{"resourceType":"Patient","maritalStatus":{"text":"x"},"id":"a","meta":{"security":[{"code":"SUBSTITUTED","display":"exact value is replaced with a predefined value"}]}}`,
		},
		{
			name:  "a resource in what a substitute empties",
			rules: `{"path":"Bundle.entry.id","method":"keep"},{"path":"Bundle","method":"substitute","replaceWith":null}`,
			input: `{"resourceType":"Bundle","entry":[{"id":"a","resource":{"resourceType":"Patient","active":true}}]}`,
			want:  `{"resourceType":"Bundle","entry":[{"id":"a"}],"meta":{"security":[{"code":"SUBSTITUTED","display":"exact value is replaced with a predefined value"}]}}`,
		},
		{
			name:  "a resource of another type in a substitute",
			rules: `{"path":"Bundle.entry","method":"substitute","replaceWith":{"resource":{"resourceType":"Observation","status":"final"}}}`,
			input: `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","active":true}}]}`,
			want:  `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","status":"final"}}],"meta":{"security":[{"code":"SUBSTITUTED","display":"exact value is replaced with a predefined value"}]}}`,
		},
		{
			name:  "a substitute in a resource beside another one",
			rules: `{"path":"nodesByName('value').where(true)","method":"keep"},{"path":"nodesByType('uri')","method":"substitute","replaceWith":"urn:x"}`,
			input: `{"resourceType":"Person","contained":[{"resourceType":"Encounter","contained":[{"resourceType":"Observation","valueRatio":{}}]},{"resourceType":"Basic","extension":[{"valueUri":"urn:a"}]}]}`,
			want:  `{"resourceType":"Person","contained":[{"resourceType":"Encounter","contained":[{"resourceType":"Observation"}]},{"resourceType":"Basic","extension":[{"valueUri":"urn:a"}]}]}`,
		},
		{
			name:  "the first of nodes in each other",
			rules: `{"path":"Observation.nodesByType('Extension').url.first()","method":"keep"},{"path":"Observation.nodesByType('Extension').url","method":"redact"}`,
			input: `{"resourceType":"Observation","extension":[{"valueRange":{"extension":[{"url":"in"}]},"url":"out"}]}`,
			want:  `{"resourceType":"Observation","extension":[{"url":"out"}],"meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"REDACTED","display":"redacted"}]}}`,
		},
		{
			name:  "a quantity in a quantity",
			rules: `{"path":"Observation.value","method":"perturb","span":0,"roundTo":0}`,
			input: `{"resourceType":"Observation","valueQuantity":{"value":1.6,"extension":[{"url":"u","valueQuantity":{"value":2.6}}]}}`,
			want:  `{"resourceType":"Observation","valueQuantity":{"value":2,"extension":[{"url":"u","valueQuantity":{"value":2.6}}]},"meta":{"security":[{"code":"PERTURBED","display":"exact value is replaced with another exact value"}]}}`,
		},
		{
			name:  "a number below a number",
			rules: `{"path":"Patient.multipleBirth","method":"perturb","span":0,"roundTo":0}`,
			input: `{"resourceType":"Patient","multipleBirthInteger":2,"_multipleBirthInteger":{"extension":[{"url":"u","valueDecimal":2.6}]}}`,
			want:  `{"resourceType":"Patient","multipleBirthInteger":2,"_multipleBirthInteger":{"extension":[{"url":"u","valueDecimal":2.6}]},"meta":{"security":[{"code":"PERTURBED","display":"exact value is replaced with another exact value"}]}}`,
		},
		{
			name:  "two values that cannot be generalized",
			rules: `{"path":"Patient.name.family","method":"generalize","cases":{"$this > 1":"'x'"}},{"path":"Patient.name.where(family = 'x').given","method":"redact"}`,
			input: `{"resourceType":"Patient","name":[{"family":"a"},{"family":"b"}]}`,
			want:  `{"resourceType":"Patient","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"REDACTED","display":"redacted"}]}}`,
		},
		{
			name:  "generalize of an object that a later rule looks at",
			rules: `{"path":"Patient","method":"generalize","cases":{"true":"1"}},{"path":"children() | Patient.id","method":"redact"}`,
			input: `{"resourceType":"Patient","name":[{"family":"a"}]}`,
			want:  ``,
		},
		{
			name:  "a value that the same rule has changed",
			rules: `{"path":"nodesByName('id')","method":"generalize","cases":{"%resource.id = 'b'":"'x'"}}`,
			input: `{"resourceType":"Patient","id":"b","name":[{"id":"a"}]}`,
			want:  `{"resourceType":"Patient","id":"x","meta":{"security":[{"code":"GENERALIZED","display":"exact value is replaced with a general value"}]}}`,
		},
		{
			name:  "generalize before a substitute of what it looks at",
			rules: `{"path":"Patient.maritalStatus.text","method":"generalize","cases":{"true":"%resource.id"}},{"path":"Patient","method":"substitute","replaceWith":{"active":true}}`,
			input: `{"resourceType":"Patient","id":"b","maritalStatus":{"text":"x"}}`,
			want:  `{"resourceType":"Patient","maritalStatus":{"text":"b"},"active":true,"meta":{"security":[{"code":"SUBSTITUTED","display":"exact value is replaced with a predefined value"},{"code":"GENERALIZED","display":"exact value is replaced with a general value"}]}}`,
		},
	} {
		for _, compat := range []policy.Compat{"", policy.CompatMicrosoft} {
			t.Run(c.name+string(compat), func(t *testing.T) {
				if c.parameters == "" {
					c.parameters = "{}"
				}
				p, err := policy.ParseWith(fmt.Appendf(nil, `{"fhirPathRules":[%s],"parameters":%s,"processingErrors":"skip"}`, c.rules, c.parameters), policy.ParseOptions{Compat: compat})
				if err != nil {
					t.Fatal(err)
				}
				e, err := Compile(p, Options{AsOf: goldenDate})
				if err != nil {
					t.Fatal(err)
				}
				got, err := e.Resource(nil, []byte(c.input))
				if c.want == "" {
					if err == nil {
						t.Errorf("no error, but\n%s", got)
					}
				} else if err != nil || string(got) != c.want {
					t.Errorf("\n got %s (%v)\nwant %s", got, err, c.want)
				}
			})
		}
	}
}
