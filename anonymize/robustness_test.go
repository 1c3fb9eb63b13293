package anonymize

import (
	"errors"
	"strings"
	"testing"

	"fhirdeid/anonymize/policy"
)

// nested is a value in so many objects.
func nested(n int, inner string) string {
	return strings.Repeat(`{"extension":[`, n) + inner + strings.Repeat(`]}`, n)
}

// inputs are what becomes of odd input: the result, or "!" and the reason why it is
// refused. exact is with policy.CompatMicrosoft and strict with a strict policy,
// where they are others.
var inputs = []struct{ name, in, want, exact, strict string }{
	// Text.
	{name: "invalid UTF-8", in: "{\"resourceType\":\"Patient\",\"language\":\"a\xffb\"}", want: `{"resourceType":"Patient","language":"a` + "\ufffd" + `b"}`, strict: "!invalid-json"},
	{name: "an overlong NUL", in: "{\"resourceType\":\"Patient\",\"language\":\"a\xc0\x80\"}", want: `{"resourceType":"Patient","language":"a` + "\ufffd" + `"}`, strict: "!invalid-json"},
	{name: "a raw surrogate", in: "{\"resourceType\":\"Patient\",\"language\":\"\xed\xa0\x80\"}", want: `{"resourceType":"Patient","language":"` + "\ufffd" + `"}`, strict: "!invalid-json"},
	{name: "an escaped lone surrogate", in: `{"resourceType":"Patient","language":"x\ud800y"}`, want: `{"resourceType":"Patient","language":"x` + "\ufffd" + `y"}`, strict: "!invalid-json"},
	{name: "an escaped low surrogate", in: `{"resourceType":"Patient","language":"\udc00"}`, want: `{"resourceType":"Patient","language":"` + "\ufffd" + `"}`, strict: "!invalid-json"},
	{name: "an escaped pair", in: `{"resourceType":"Patient","language":"\ud83d\ude00"}`, want: `{"resourceType":"Patient","language":"😀"}`},
	{name: "U+FFFD itself", in: "{\"resourceType\":\"Patient\",\"language\":\"\ufffd\"}", want: "{\"resourceType\":\"Patient\",\"language\":\"\ufffd\"}"},
	{name: "an escaped NUL", in: `{"resourceType":"Patient","language":"a\u0000b"}`, want: `{"resourceType":"Patient","language":"a\u0000b"}`},
	{name: "a raw NUL", in: "{\"resourceType\":\"Patient\",\"language\":\"a\x00\"}", want: "!invalid-json"},
	{name: "a raw NUL between members", in: "{\"resourceType\":\"Patient\",\x00\"language\":\"a\"}", want: "!invalid-json"},
	{name: "a raw tab", in: "{\"resourceType\":\"Patient\",\"language\":\"a\tb\"}", want: "!invalid-json"},
	{name: "an escape that JSON does not have", in: `{"resourceType":"Patient","language":"\x"}`, want: "!invalid-json"},
	{name: "the same in a name", in: `{"resourceType":"Patient","\language":"x"}`, want: "!invalid-json"},
	{name: "an escape that is cut", in: `{"resourceType":"Patient","language":"\u00"}`, want: "!invalid-json"},
	{name: "an escaped name", in: `{"resourceType":"Patient","\u006canguage":"x"}`, want: `{"resourceType":"Patient","language":"x"}`},
	{name: "white space around a text", in: "{\"resourceType\":\"Patient\",\"language\":\" \u00a0x\\n\"}", want: `{"resourceType":"Patient","language":"x"}`},
	{name: "a byte order mark", in: "\ufeff{\"resourceType\":\"Patient\"}", want: "!invalid-json"}, // a stream takes it off
	{name: "escapes that are not needed", in: `{"resourceType":"Patient","language":"\u0041\/\u2028x"}`, want: `{"resourceType":"Patient","language":"A/\u2028x"}`},

	// Members.
	{name: "a member twice", in: `{"resourceType":"Patient","language":"a","active":true,"language":"b"}`, want: `{"resourceType":"Patient","language":"b","active":true}`, strict: "!duplicate-member"},
	{name: "a member twice by an escape", in: `{"resourceType":"Patient","language":"a","\u006canguage":"b"}`, want: `{"resourceType":"Patient","language":"b"}`, strict: "!duplicate-member"},
	{name: "a member twice further down", in: `{"resourceType":"Patient","maritalStatus":{"text":"a","text":"b"}}`, want: `{"resourceType":"Patient","maritalStatus":{"text":"b"}}`, strict: "!duplicate-member"},
	{name: "a sibling twice", in: `{"resourceType":"Patient","_language":{"id":"a"},"_language":{"id":"b"}}`, want: `{"resourceType":"Patient","_language":{"id":"b"}}`, strict: "!duplicate-member"},
	{name: "the same type twice", in: `{"resourceType":"Patient","active":true,"resourceType":"Patient"}`, want: `{"resourceType":"Patient","active":true}`, strict: "!duplicate-member"},
	{name: "two types", in: `{"resourceType":"Patient","active":true,"resourceType":"Observation"}`, want: "!duplicate-member"},
	{name: "two types, the first late", in: `{"active":true,"resourceType":"Patient","resourceType":"Observation"}`, want: "!duplicate-member"},
	{name: "two types beside a sibling", in: `{"active":true,"_active":{"id":"x"},"resourceType":"Patient","resourceType":"Observation"}`, want: "!duplicate-member"},
	{name: "a late type", in: `{"active":true,"resourceType":"Patient"}`, want: `{"resourceType":"Patient","active":true}`},
	{name: "no type", in: `{"active":true}`, want: "!unknown-type"},
	{name: "an empty object", in: `{}`, want: "!unknown-type"},
	{name: "a type that is a number", in: `{"resourceType":5}`, want: "!unknown-type"},
	{name: "a type that is null", in: `{"resourceType":null,"active":true}`, want: "!unknown-type"},
	{name: "an unknown type", in: `{"resourceType":"Patientt"}`, want: "!unknown-type"},
	{name: "a type in another case", in: `{"resourceType":"patient"}`, want: "!unknown-type"},
	{name: "a data type", in: `{"resourceType":"HumanName"}`, want: "!unknown-type"},
	{name: "an abstract type", in: `{"resourceType":"Resource"}`, want: "!unknown-type"},
	{name: "another abstract type", in: `{"resourceType":"DomainResource"}`, want: "!unknown-type"},
	{name: "contained without a type", in: `{"resourceType":"Patient","contained":[{"id":"a"}]}`, want: "!unknown-type"},
	{name: "contained of an abstract type", in: `{"resourceType":"Patient","contained":[{"resourceType":"Resource"}]}`, want: "!unknown-type"},
	{name: "a type in a data type", in: `{"resourceType":"Patient","maritalStatus":{"resourceType":"Patient"}}`, want: "!unknown-element"},
	{name: "an unknown member", in: `{"resourceType":"Patient","nickname":"x"}`, want: "!unknown-element"},
	{name: "an empty name", in: `{"resourceType":"Patient","":"x"}`, want: "!unknown-element"},
	{name: "a name that is an underscore", in: `{"resourceType":"Patient","_":{}}`, want: "!unknown-element"},
	{name: "a choice without its type", in: `{"resourceType":"Patient","deceased":true}`, want: "!unknown-element"},
	{name: "a sibling without a value", in: `{"resourceType":"Patient","_language":{"id":"a"}}`, want: `{"resourceType":"Patient","_language":{"id":"a"}}`},
	{name: "a sibling of an object", in: `{"resourceType":"Patient","_maritalStatus":{"id":"a"}}`, want: "!unknown-element"},
	{name: "a sibling that is a text", in: `{"resourceType":"Patient","_language":"a"}`, want: "!invalid-value"},
	{name: "comments of old", in: `{"resourceType":"Patient","fhir_comments":["x"],"active":true}`, want: `{"resourceType":"Patient","active":true}`, strict: "!unknown-element"},
	{name: "comments of old that are no JSON", in: `{"resourceType":"Patient","fhir_comments":[1}}`, want: "!invalid-json", strict: "!unknown-element"},
	{name: "comments of old with a comma too many", in: `{"resourceType":"Patient","fhir_comments":[1,]}`, want: "!invalid-json", strict: "!unknown-element"},
	{name: "comments of old with a value without a name", in: `{"resourceType":"Patient","fhir_comments":[{"a":1,"b"}]}`, want: "!invalid-json", strict: "!unknown-element"},
	{name: "comments of old with a name in an array", in: `{"resourceType":"Patient","fhir_comments":["a":1]}`, want: "!invalid-json", strict: "!unknown-element"},
	{name: "a first value that is no JSON", in: `{"resourceType":"Patient","maritalStatus":{"text":"a",},"maritalStatus":{"text":"b"}}`, want: "!invalid-json"},

	// Values.
	{name: "an empty text", in: `{"resourceType":"Patient","language":"","active":true}`, want: `{"resourceType":"Patient","active":true}`},
	{name: "a text of blanks", in: `{"resourceType":"Patient","language":" \t","active":true}`, want: `{"resourceType":"Patient","active":true}`, strict: `{"resourceType":"Patient","active":true}`},
	{name: "an empty array", in: `{"resourceType":"Patient","name":[],"active":true}`, want: `{"resourceType":"Patient","active":true}`},
	{name: "an empty object in it", in: `{"resourceType":"Patient","name":[{}],"active":true}`, want: `{"resourceType":"Patient","active":true}`},
	{name: "null", in: `{"resourceType":"Patient","name":null,"language":null,"active":true}`, want: `{"resourceType":"Patient","active":true}`, strict: "!invalid-value"},
	{name: "null in an array", in: `{"resourceType":"Patient","name":[null,{"text":"a"},{"given":["x",null,"y"]}]}`, want: `{"resourceType":"Patient","name":[{"text":"a"},{"given":["x","y"]}]}`},
	{name: "null and siblings", in: `{"resourceType":"Patient","name":[{"given":[null,"x",null],"_given":[{"id":"a"},null,null]}]}`, want: `{"resourceType":"Patient","name":[{"given":[null,"x"],"_given":[{"id":"a"},null]}]}`},
	{name: "fewer siblings than values", in: `{"resourceType":"Patient","name":[{"given":["x","y"],"_given":[{"id":"a"}]}]}`, want: `{"resourceType":"Patient","name":[{"given":["x","y"],"_given":[{"id":"a"},null]}]}`},
	{name: "more siblings than values", in: `{"resourceType":"Patient","name":[{"given":["x"],"_given":[null,{"id":"a"}]}]}`, want: `{"resourceType":"Patient","name":[{"given":["x",null],"_given":[null,{"id":"a"}]}]}`},
	{name: "a value where an array is", in: `{"resourceType":"Patient","name":{"text":"a"}}`, want: `{"resourceType":"Patient","name":[{"text":"a"}]}`, strict: "!invalid-value"},
	{name: "an array where a value is", in: `{"resourceType":"Patient","language":["a"]}`, want: `{"resourceType":"Patient","language":"a"}`, strict: "!invalid-value"},
	{name: "an array in an array", in: `{"resourceType":"Patient","name":[[{"text":"a"}]]}`, want: "!invalid-value"},
	{name: "an object for a text", in: `{"resourceType":"Patient","language":{"a":1}}`, want: "!invalid-value"},
	{name: "a text for an object", in: `{"resourceType":"Patient","maritalStatus":"a"}`, want: "!invalid-value"},
	{name: "a text for a resource", in: `{"resourceType":"Patient","contained":["a"]}`, want: "!invalid-value"},
	{name: "a boolean as a text", in: `{"resourceType":"Patient","active":"true"}`, want: `{"resourceType":"Patient","active":true}`, strict: "!invalid-value"},
	{name: "a number as a text", in: `{"resourceType":"Patient","multipleBirthInteger":"2"}`, want: `{"resourceType":"Patient","multipleBirthInteger":2}`, strict: "!invalid-value"},
	{name: "a text as a number", in: `{"resourceType":"Patient","language":5}`, want: `{"resourceType":"Patient","language":"5"}`, strict: "!invalid-value"},
	{name: "a boolean that is a number", in: `{"resourceType":"Patient","active":1}`, want: "!invalid-value"},
	{name: "a word that is none", in: `{"resourceType":"Patient","active":tru}`, want: "!invalid-json"},
	{name: "an id with a sibling", in: `{"resourceType":"Patient","id":"a","_id":{"extension":[{"url":"u","valueCode":"c"}]}}`, want: `{"resourceType":"Patient","id":"a","_id":{"extension":[{"url":"u","valueCode":"c"}]}}`, strict: "!unknown-element"},

	// Numbers.
	{name: "a large number", in: quantityOf(`1e400`), want: quantityOf(`1e400`)},
	{name: "a negative zero", in: quantityOf(`-0.0`), want: quantityOf(`0.0`)},
	{name: "a short negative zero", in: quantityOf(`-0`), want: quantityOf(`0`)},
	{name: "a small number", in: quantityOf(`1E-400`), want: quantityOf(`0`)},
	{name: "digits to be kept", in: quantityOf(`1.5000`), want: quantityOf(`1.5000`)},
	{name: "an exponent", in: quantityOf(`1.50e+2`), want: quantityOf(`150`)},
	{name: "thirty digits", in: quantityOf(`123456789012345678901234567890`), want: quantityOf(`123456789012345678901234567890`)},
	{name: "thirty decimals", in: quantityOf(`0.123456789012345678901234567890`), want: quantityOf(`0.1234567890123456789012345679`)},
	{name: "leading zeros", in: quantityOf(`007`), want: quantityOf(`7`), strict: "!invalid-value"},
	{name: "leading zeros of a number that is too long", in: quantityOf(`-00100000000000000000000000000000`), want: quantityOf(`-100000000000000000000000000000`), strict: "!invalid-value"},
	{name: "leading zeros of a number that is too large", in: quantityOf(`00.5e4000`), want: quantityOf(`0.5e4000`), strict: "!invalid-value"},
	{name: "a plus", in: quantityOf(`+1`), want: "!invalid-value"},
	{name: "a point without digits", in: quantityOf(`1.`), want: "!invalid-json"},
	{name: "a point first", in: quantityOf(`.5`), want: "!invalid-value"},
	{name: "an exponent without digits", in: quantityOf(`1e`), want: "!invalid-json"},
	{name: "no number", in: quantityOf(`NaN`), want: "!invalid-value"},
	{name: "hexadecimal digits", in: quantityOf(`0x1`), want: "!invalid-json"},
	{name: "an integer with a point", in: `{"resourceType":"Patient","multipleBirthInteger":5.0}`, want: "!invalid-value"},
	{name: "an integer with an exponent", in: `{"resourceType":"Patient","multipleBirthInteger":1e2}`, want: `{"resourceType":"Patient","multipleBirthInteger":100}`},
	{name: "an integer that is too large", in: `{"resourceType":"Patient","multipleBirthInteger":2147483648}`, want: "!invalid-value"},
	{name: "an integer of 1e400", in: `{"resourceType":"Patient","multipleBirthInteger":1e400}`, want: "!invalid-value"},

	// Dates.
	{name: "a day that is none", in: `{"resourceType":"Patient","birthDate":"2015-02-30"}`, want: "!invalid-value"},
	{name: "a year of two digits", in: `{"resourceType":"Patient","birthDate":"15"}`, want: "!invalid-value"},
	{name: "a date with a time", in: `{"resourceType":"Patient","birthDate":"2015-02-03T10:00:00Z"}`, want: "!invalid-value"},

	// The whole.
	{name: "nothing", in: ``, want: "!invalid-json"},
	{name: "white space between", in: " { \"resourceType\" :\t\"Patient\" , \"active\" : true\r} ", want: `{"resourceType":"Patient","active":true}`},
	{name: "something behind it", in: `{"resourceType":"Patient"}x`, want: "!invalid-json"},
	{name: "another behind it", in: `{"resourceType":"Patient"}{"resourceType":"Patient"}`, want: "!invalid-json"},
	{name: "an array around it", in: `[{"resourceType":"Patient"}]`, want: "!invalid-json"},
	{name: "a text", in: `"Patient"`, want: "!invalid-json"},
	{name: "cut", in: `{"resourceType":"Patient","active":true`, want: "!invalid-json"},
	{name: "cut in a name", in: `{"resourceType":"Patient","act`, want: "!invalid-json"},
	{name: "a comma too many", in: `{"resourceType":"Patient","active":true,}`, want: "!invalid-json"},
	{name: "a comma too many in an array", in: `{"resourceType":"Patient","name":[{"text":"a"},]}`, want: "!invalid-value"},
	{name: "a comma missing", in: `{"resourceType":"Patient" "active":true}`, want: "!invalid-json"},
	{name: "a colon missing", in: `{"resourceType":"Patient","active" true}`, want: "!invalid-json"},
	{name: "the wrong bracket", in: `{"resourceType":"Patient","name":[{"text":"a"}}`, want: "!invalid-json"},
	{name: "single quotes", in: `{'resourceType':'Patient'}`, want: "!unknown-type"},
	{name: "single quotes further on", in: `{"resourceType":"Patient",'active':true}`, want: "!invalid-json"},
	{name: "a comment", in: `{"resourceType":"Patient",/* x */"active":true}`, want: "!invalid-json"},
	{name: "a comment behind it", in: `{"resourceType":"Patient"}// x`, want: "!invalid-json"},
	{name: "as deep as may be", in: `{"resourceType":"Patient","extension":[` + nested(62, `{"url":"u"}`) + `]}`, want: `{"resourceType":"Patient","extension":[` + nested(62, `{"url":"u"}`) + `]}`},
	{name: "too deep", in: `{"resourceType":"Patient","extension":[` + nested(63, `{"url":"u"}`) + `]}`, want: "!too-deep"},
	{name: "far too deep", in: `{"resourceType":"Patient","extension":` + strings.Repeat(`[{"extension":`, 100000), want: "!too-deep"},
	{name: "brackets", in: `{"resourceType":"Patient","fhir_comments":` + strings.Repeat(`[`, 100000), want: "!too-deep", strict: "!unknown-element"},
	{name: "too deep before the type", in: `{"extension":[` + nested(63, `{"url":"u"}`) + `],"resourceType":"Patient"}`, want: "!too-deep"},
}

func quantityOf(number string) string {
	return `{"resourceType":"Observation","valueQuantity":{"value":` + number + `}}`
}

// keepingStrict is a strict policy that keeps what is in the inputs.
const keepingStrict = `{"mode":"strict","fhirVersion":"R4","fhirPathRules":[{"path":"Patient.descendants()","method":"keep"},{"path":"Observation.value","method":"keep"}]}`

// TestInputs runs each odd input in all three ways.
func TestInputs(t *testing.T) {
	ways := []struct {
		name, text string
		compat     policy.Compat
	}{
		{"default", `{"fhirVersion":"R4","fhirPathRules":[]}`, ""},
		{"microsoft", `{"fhirVersion":"R4","fhirPathRules":[]}`, policy.CompatMicrosoft},
		{"strict", keepingStrict, ""},
	}
	for _, way := range ways {
		p, err := policy.ParseWith([]byte(way.text), policy.ParseOptions{Compat: way.compat})
		if err != nil {
			t.Fatal(err)
		}
		e, err := Compile(p, Options{AsOf: goldenDate})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range inputs {
			t.Run(way.name+"/"+c.name, func(t *testing.T) {
				want := c.want
				if way.name == "microsoft" && c.exact != "" {
					want = c.exact
				} else if way.name == "strict" && c.strict != "" {
					want = c.strict
				}
				got, err := e.Resource(nil, []byte(c.in))
				var bad *LineError
				if errors.As(err, &bad) {
					got = []byte("!" + bad.Reason)
				}
				if string(got) != want {
					t.Errorf("%.200s\n got %.300s (%v)\nwant %.300s", c.in, got, err, want)
				}
			})
		}
	}
	names := make(map[string]bool)
	for _, c := range inputs {
		if names[c.name] {
			t.Errorf("two cases are called %q", c.name)
		}
		names[c.name] = true
	}
}
