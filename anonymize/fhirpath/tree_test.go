package fhirpath_test

import (
	"strings"
	"sync"
	"testing"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// TestReadTree: what FHIR does not have is read too, as System types.
func TestReadTree(t *testing.T) {
	tests := []struct{ name, resource, expression, want string }{
		{"unknown texts", `{"resourceType":"Patient","shoe":"red"}`, "shoe is System.String and shoe = 'red'", `true`},
		{"unknown numbers", `{"resourceType":"Patient","size":[42,1.5]}`, "size.type().name", `"Integer" "Decimal"`},
		{"unknown objects", `{"resourceType":"Patient","shoe":{"box":{"name":[{"given":"x"}]}}}`, "shoe.box.name.given", `"x"`},
		{"resources in unknown objects", `{"resourceType":"Patient","shoe":{"resourceType":"Organization","name":"Clinic"}}`, "shoe.name is FHIR.string", `true`},
		{"unknown resources", `{"resourceType":"Shoe","size":42}`, "Shoe.size", `42`},
		{"no resource", `{"size":42}`, "size", `42`},
		{"the type as a member", `{"resourceType":"Patient","contained":[{"resourceType":"Organization"}]}`, "contained.where(resourceType = 'Organization').count()", `1`},
		{"values and their extensions", `{"resourceType":"Patient","birthDate":"1980","_birthDate":{"id":"b","extension":[{"url":"u","valueCode":"c"}]}}`, "birthDate.id | birthDate.extension.value | birthDate", `"b" "c" "1980"`},
		{"extensions without a value", `{"resourceType":"Patient","_birthDate":{"id":"b"}}`, "birthDate.exists() and birthDate.hasValue().not() and birthDate.id = 'b'", `true`},
		{"arrays beside each other", `{"resourceType":"Patient","name":[{"given":["A",null,"C"],"_given":[null,{"id":"g"}]}]}`, "name.given.select(iif(hasValue(), $this, id))", `"A" "g" "C"`},
		{"a null keeps its place", `{"resourceType":"Patient","_address":[null,{"id":"a"}]}`, "address[1].id", `"a"`},
		{"null", `{"resourceType":"Patient","birthDate":null,"gender":null}`, "children().count()", `0`},
		{"empty", `{"resourceType":"Patient","name":[],"contact":{}}`, "name.empty() and contact.exists()", `true`},
		{"a text where an object should be", `{"resourceType":"Patient","name":"x"}`, "name.type().name", `"String"`},
		{"an object where a text should be", `{"resourceType":"Patient","gender":{"x":1}}`, "gender.x", `1`},
		{"an array where one should be", `{"resourceType":"Patient","gender":["male",["x"]]}`, "gender", `"male" null`},
		{"the last of two members", `{"resourceType":"Patient","gender":"male","gender":"female"}`, "gender", `"female"`},
		{"escapes", `{"resourceType":"Patient","gender":"a\u00e9\"\n<"}`, "gender", `"aé\"\n<"`},
		{"a mark at the beginning", "\ufeff" + `{"resourceType":"Patient","gender":"male"}`, "gender", `"male"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := evaluate(t, test.expression, fhirpath.Specification, readTree(t, test.resource), 0); got != test.want {
				t.Errorf("gives %s, want %s", got, test.want)
			}
		})
	}
}

func TestReadTreeErrors(t *testing.T) {
	model := loadModel(t, fhirmodel.R4)
	for _, text := range []string{
		"", "5", "[]", "null", `"x"`, "{", `{"a":}`, `{"a":1} {}`, `{"a":"\x"}`,
		`{"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + "}",
	} {
		if _, err := fhirpath.ReadTree(model, []byte(text)); err == nil {
			t.Errorf("%.40q can be read", text)
		}
	}
	tree, err := fhirpath.ReadTree(model, []byte(`{"resourceType":"Patient","a":1,"name":[{"b":2}],"c":{"d":3}}`))
	if err != nil || tree.Unknown != 4 {
		t.Errorf("%d members are unknown, want 4 (%v)", tree.Unknown, err)
	}
}

// TestConcurrent: one expression, many evaluators. The race detector looks on.
func TestConcurrent(t *testing.T) {
	tree := readTree(t, patient)
	var expressions []*fhirpath.Expression
	for _, text := range append(seeds, "descendants().where($this is Quantity).value + 1.5 - 2 'mg'", "id.matches('p')") {
		if x, err := fhirpath.Parse(text, fhirpath.Specification); err == nil {
			expressions = append(expressions, x)
		}
	}
	var all sync.WaitGroup
	for range 4 {
		e := fhirpath.NewEvaluator(fhirpath.Options{Model: loadModel(t, fhirmodel.R4), Now: now, MaxItems: 10_000})
		all.Go(func() {
			for _, x := range expressions {
				_, _ = e.Eval(x, tree, 0) // the result is held elsewhere
			}
		})
	}
	all.Wait()
}
