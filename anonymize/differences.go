package anonymize

// Difference is a case in which the result is another than that of Microsoft's
// tool.
type Difference struct {
	// Name says what the case is about.
	Name string
	// Microsoft is what that tool does, Here what this engine does and why.
	Microsoft, Here string
	// Always: that tool ends, or loses what nobody could want to lose, so the result
	// is the same with policy.CompatMicrosoft. Else Exact is the result with it.
	Always bool
	// Rules and Parameters are the rule file's, as JSON.
	Rules, Parameters string
	// Input is a resource, Default the result, and Exact that of Microsoft's tool;
	// "" is a line that is refused. Both are without security labels.
	Input, Default, Exact string
}

// Differences are all of them: what closes a leak, loses nothing, or does not end
// the program. Rule files rely on the rest, so it is as Microsoft's tool does it.
func Differences() []Difference {
	return []Difference{{
		Name:      "equal elements in a union",
		Microsoft: "A union leaves out elements that are equal to one it has, so the second copy of a name stays.",
		Here:      "Elements are told apart by where they are.",
		Rules:     `{"path":"Patient.name.family | Patient.contact.name.family","method":"redact"}`,
		Input:     `{"resourceType":"Patient","name":[{"family":"Same"}],"contact":[{"name":{"family":"Same"},"gender":"male"}]}`,
		Default:   `{"resourceType":"Patient","contact":[{"gender":"male"}]}`,
		Exact:     `{"resourceType":"Patient","contact":[{"name":{"family":"Same"},"gender":"male"}]}`,
	}, {
		Name:      "equal elements of one path in a union",
		Microsoft: "As above: of two equal states only the first is kept, or removed.",
		Here:      "Elements are told apart by where they are.",
		Rules:     `{"path":"nodesByType('Address').city | nodesByType('Address').district","method":"redact"}`,
		Input:     `{"resourceType":"Patient","address":[{"city":"X","state":"CA"},{"city":"X","state":"MA"}]}`,
		Default:   `{"resourceType":"Patient","address":[{"state":"CA"},{"state":"MA"}]}`,
		Exact:     `{"resourceType":"Patient","address":[{"state":"CA"},{"city":"X","state":"MA"}]}`,
	}, {
		Name:      "a condition that gives nothing",
		Microsoft: "A condition of generalize holds when it gives nothing, as the comparison of a year with a day does.",
		Here:      "A condition holds when it is true.",
		Rules:     `{"path":"Patient.birthDate","method":"generalize","cases":{"$this >= @1990-01-01":"$this"}}`,
		Input:     `{"resourceType":"Patient","birthDate":"1990","active":true}`,
		Default:   `{"resourceType":"Patient","active":true}`,
		Exact:     `{"resourceType":"Patient","birthDate":"1990","active":true}`,
	}, {
		Name:       "a year in a redacted extension",
		Microsoft:  "With partial dates, the year stays in an extension that has lost its URL, which is no FHIR.",
		Here:       "An extension that has lost its URL is removed.",
		Rules:      `{"path":"nodesByType('Extension')","method":"redact"}`,
		Parameters: `{"enablePartialDatesForRedact":true}`,
		Input:      `{"resourceType":"Patient","extension":[{"url":"http://example.org/birth","valueDateTime":"1980-02-03T10:00:00Z"}],"active":true}`,
		Default:    `{"resourceType":"Patient","active":true}`,
		Exact:      `{"resourceType":"Patient","extension":[{"valueDateTime":"1980"}],"active":true}`,
	}, {
		Name:       "postal codes of other countries",
		Microsoft:  "With partial ZIP codes, letters stay, and so does a code shorter than three characters.",
		Here:       "A code with letters, or with fewer than four digits, is removed.",
		Rules:      `{"path":"Patient.address","method":"redact"}`,
		Parameters: `{"enablePartialZipCodesForRedact":true}`,
		Input:      `{"resourceType":"Patient","address":[{"postalCode":"K1A 0B1"},{"postalCode":"9"},{"postalCode":"12345"}]}`,
		Default:    `{"resourceType":"Patient","address":[{"postalCode":"12300"}]}`,
		Exact:      `{"resourceType":"Patient","address":[{"postalCode":"K1A 0B0"},{"postalCode":"9"},{"postalCode":"12300"}]}`,
	}, {
		Name:       "references with a hyphen in the host",
		Microsoft:  "A reference whose base has a hyphen, an underscore or a tilde is hashed whole and leads nowhere.",
		Here:       "The id in it is hashed, whatever the host, so it still leads to the resource.",
		Rules:      `{"path":"nodesByType('Reference').reference","method":"cryptoHash"}`,
		Parameters: `{"cryptoHashKey":"123"}`,
		Input:      `{"resourceType":"Observation","status":"final","subject":{"reference":"https://my-server.org/fhir/Patient/23"}}`,
		Default:    `{"resourceType":"Observation","status":"final","subject":{"reference":"https://my-server.org/fhir/Patient/c846593cc9ec1e3a2126c5aa321f8e1c2246f976ffd8f1b9c0fe75a1e26c985d"}}`,
		Exact:      `{"resourceType":"Observation","status":"final","subject":{"reference":"c07513efdeb87400ed0af03910cf9841e1a1715259cde9ef3ad08536d24d6601"}}`,
	}, {
		Name:       "references with a fragment",
		Microsoft:  "A reference with a fragment is hashed whole and leads nowhere.",
		Here:       "The id and the fragment are hashed, each for itself.",
		Rules:      `{"path":"nodesByType('Reference').reference","method":"cryptoHash"}`,
		Parameters: `{"cryptoHashKey":"123"}`,
		Input:      `{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/23#a"}}`,
		Default:    `{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/c846593cc9ec1e3a2126c5aa321f8e1c2246f976ffd8f1b9c0fe75a1e26c985d#69e99e82127c1f146f50653e02b92c4bb0c3bc182a6165a5bbce5f4f94e1ccb7"}}`,
		Exact:      `{"resourceType":"Observation","status":"final","subject":{"reference":"b50b3942144c85a3e609b6d3b833ab84918fcbe7c8cb5140fd1ae21c58e66fdc"}}`,
	}, {
		Name:       "references whose type only ends like one",
		Microsoft:  "The type of a reference needs no left boundary: what stands before Patient in OurPatient/23 stays.",
		Here:       "A type is a whole segment; else all is hashed.",
		Rules:      `{"path":"nodesByType('Reference').reference","method":"cryptoHash"}`,
		Parameters: `{"cryptoHashKey":"123"}`,
		Input:      `{"resourceType":"Observation","status":"final","subject":{"reference":"http://example.org/OurPatient/23"}}`,
		Default:    `{"resourceType":"Observation","status":"final","subject":{"reference":"22a8e24edfaca4651a0c2691e685d7c3c187873bf699e649b7636c391e1ed4ce"}}`,
		Exact:      `{"resourceType":"Observation","status":"final","subject":{"reference":"http://example.org/OurPatient/c846593cc9ec1e3a2126c5aa321f8e1c2246f976ffd8f1b9c0fe75a1e26c985d"}}`,
	}, {
		Name:       "fullUrl and references to it",
		Microsoft:  "fullUrl is hashed whole, a reference in part, so the two no longer agree.",
		Here:       "fullUrl, request.url and response.location of an entry are hashed as references are.",
		Rules:      `{"path":"Bundle.entry.fullUrl","method":"cryptoHash"}`,
		Parameters: `{"cryptoHashKey":"123"}`,
		Input:      `{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}]}`,
		Default:    `{"resourceType":"Bundle","entry":[{"fullUrl":"urn:uuid:b6a524970e3af95a20da3623e3026f7eac395e16740cafc3e5548618415579be"}]}`,
		Exact:      `{"resourceType":"Bundle","entry":[{"fullUrl":"bedcbde542e8aa4cd62b7307dace0923e95ce2e12ded7794d6f6f1928d5d8aab"}]}`,
	}, {
		Name:      "two variants of a choice",
		Microsoft: "Only the first variant is read; the other is lost without a word.",
		Here:      "The line is refused.",
		Rules:     `{"path":"Patient.name","method":"redact"}`,
		Input:     `{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2015-02-03"}`,
		Default:   ``,
		Exact:     `{"resourceType":"Patient","deceasedBoolean":true}`,
	}, {
		Name:      "several values where FHIR has one",
		Microsoft: "Only the first value is read; the others are lost without a word.",
		Here:      "The line is refused.",
		Rules:     `{"path":"Patient.name","method":"redact"}`,
		Input:     `{"resourceType":"Patient","gender":["male","female"]}`,
		Default:   ``,
		Exact:     `{"resourceType":"Patient","gender":"male"}`,
	}, {
		Name:      "something behind the resource",
		Microsoft: "What follows the resource on its line is lost without a word.",
		Here:      "The line is refused.",
		Always:    true,
		Rules:     `{"path":"Patient.name","method":"redact"}`,
		Input:     `{"resourceType":"Patient"} {"resourceType":"Patient"}`,
		Default:   ``,
	}, {
		Name:      "unknown methods",
		Microsoft: "A method that does not exist is an error only when a resource comes that its rule applies to.",
		Here:      "The rule file is refused.",
		Rules:     `{"path":"Observation.value","method":"redcat"}`,
		Input:     `{"resourceType":"Patient","active":true}`,
		Default:   ``,
		Exact:     `{"resourceType":"Patient","active":true}`,
	}, {
		Name:      "whole numbers that div makes",
		Microsoft: "What div makes of decimals is written as a text where a number has to be.",
		Here:      "It is written as a number.",
		Rules:     `{"path":"Observation.value.value","method":"generalize","cases":{"$this > 10":"($this div 10) * 10"}}`,
		Input:     `{"resourceType":"Observation","valueQuantity":{"value":72.5,"unit":"kg"}}`,
		Default:   `{"resourceType":"Observation","valueQuantity":{"value":70,"unit":"kg"}}`,
		Exact:     `{"resourceType":"Observation","valueQuantity":{"value":"70","unit":"kg"}}`,
	}, {
		Name:      "replacements that look like times",
		Microsoft: "A text in replaceWith that looks like a date with a time is written in another form.",
		Here:      "It is written as it stands in the rule file.",
		Rules:     `{"path":"Patient.birthDate","method":"substitute","replaceWith":"2000-01-01T00:00:00Z"}`,
		Input:     `{"resourceType":"Patient","birthDate":"1980-02-03"}`,
		Default:   `{"resourceType":"Patient","birthDate":"2000-01-01T00:00:00Z"}`,
		Exact:     `{"resourceType":"Patient","birthDate":"01/01/2000 00:00:00"}`,
	}, {
		Name:      "first() and its kind on primitives",
		Microsoft: "A path that ends in first(), last() or single() on a primitive ends the program.",
		Here:      "It leads to the element.",
		Always:    true,
		Rules:     `{"path":"Patient.name.given.first()","method":"redact"}`,
		Input:     `{"resourceType":"Patient","name":[{"given":["A","B"]}]}`,
		Default:   `{"resourceType":"Patient","name":[{"given":["B"]}]}`,
	}, {
		Name:       "dates that cannot be shifted",
		Microsoft:  "A date that the shift takes out of the calendar, such as 9999-12-31, ends the program.",
		Here:       "It is redacted like a date that must not be shifted.",
		Always:     true,
		Rules:      `{"path":"Patient.birthDate","method":"dateShift"}`,
		Parameters: `{"dateShiftFixedOffsetInDays":7}`,
		Input:      `{"resourceType":"Patient","active":true,"birthDate":"9999-12-31"}`,
		Default:    `{"resourceType":"Patient","active":true}`,
	}, {
		Name:       "ages with decimals",
		Microsoft:  "An age such as 42.5 ends the program when partial ages are kept.",
		Here:       "It is kept up to 89.",
		Always:     true,
		Rules:      `{"path":"Condition.onset","method":"redact"}`,
		Parameters: `{"enablePartialAgesForRedact":true}`,
		Input:      `{"resourceType":"Condition","onsetAge":{"value":42.5,"unit":"a"},"subject":{"reference":"Patient/1"}}`,
		Default:    `{"resourceType":"Condition","onsetAge":{"value":42.5},"subject":{"reference":"Patient/1"}}`,
	}, {
		Name:      "generalize of a primitive with an extension",
		Microsoft: "The extension ends the program, since generalize is for primitives.",
		Here:      "The extension is removed: it could tell what the value no longer does.",
		Always:    true,
		Rules:     `{"path":"Patient.birthDate","method":"generalize","cases":{"$this >= @1990-01-01":"@1990"}}`,
		Input:     `{"resourceType":"Patient","birthDate":"1990-05-06","_birthDate":{"extension":[{"url":"http://example.org/time","valueDateTime":"1990-05-06T12:00:00Z"}]}}`,
		Default:   `{"resourceType":"Patient","birthDate":"1990"}`,
	}, {
		Name:      "functions of texts on an element without a value",
		Microsoft: "startsWith() and its kind end the program where a primitive has no value, or has lost it by an earlier rule.",
		Here:      "They give nothing.",
		Always:    true,
		Rules:     `{"path":"nodesByType('HumanName')","method":"redact"},{"path":"nodesByType('Extension').where(url.startsWith('http'))","method":"redact"}`,
		Input:     `{"resourceType":"Patient","name":[{"extension":[{"url":"http://example.org/x","valueCode":"x"}],"family":"A"}],"active":true}`,
		Default:   `{"resourceType":"Patient","active":true}`,
	}, {
		Name:      "noise in proportion to a negative number",
		Microsoft: "It ends the program.",
		Here:      "The noise is in proportion to its size.",
		Always:    true,
		Rules:     `{"path":"Observation.value","method":"perturb","span":0.1,"rangeType":"proportional","roundTo":0}`,
		Input:     `{"resourceType":"Observation","valueQuantity":{"value":-4}}`,
		Default:   `{"resourceType":"Observation","valueQuantity":{"value":-4}}`,
	}, {
		Name:      "substitutes for backbone elements",
		Microsoft: "Replacing an element such as Patient.contact ends the program.",
		Here:      "It is replaced like any other.",
		Always:    true,
		Rules:     `{"path":"Patient.contact","method":"substitute","replaceWith":{"gender":"unknown"}}`,
		Input:     `{"resourceType":"Patient","contact":[{"name":{"family":"A"},"gender":"male"}]}`,
		Default:   `{"resourceType":"Patient","contact":[{"gender":"unknown"}]}`,
	}, {
		Name:      "numbers beyond .NET's decimal",
		Microsoft: "A number such as -1.0E+245 makes the line invalid.",
		Here:      "It is a decimal of FHIR, and stays as it is.",
		Always:    true,
		Rules:     `{"path":"Observation.subject","method":"redact"}`,
		Input:     `{"resourceType":"Observation","valueQuantity":{"value":-1.0E+245}}`,
		Default:   `{"resourceType":"Observation","valueQuantity":{"value":-1.0E+245}}`,
	}, {
		Name:      "leap seconds",
		Microsoft: "A time with second 60 makes the line invalid.",
		Here:      "It is a time of FHIR.",
		Always:    true,
		Rules:     `{"path":"Observation.subject","method":"redact"}`,
		Input:     `{"resourceType":"Observation","issued":"2016-12-31T23:59:60Z"}`,
		Default:   `{"resourceType":"Observation","issued":"2016-12-31T23:59:60Z"}`,
	}, {
		Name:       "a hash in meta",
		Microsoft:  "A rule that hashes meta.lastUpdated or meta.tag.userSelected ends the program.",
		Here:       "The hash is written.",
		Always:     true,
		Rules:      `{"path":"Patient.meta.tag.userSelected","method":"cryptoHash"}`,
		Parameters: `{"cryptoHashKey":"123"}`,
		Input:      `{"resourceType":"Patient","meta":{"tag":[{"code":"x","userSelected":true}]}}`,
		Default:    `{"resourceType":"Patient","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"CRYTOHASH","display":"cryptographic hash function"}],"tag":[{"code":"x","userSelected":"970cad44852eb4b6b1b72c346793a28b799f8dd3d9f37491e52eb5178b359350"}]}}`,
	}}
}
