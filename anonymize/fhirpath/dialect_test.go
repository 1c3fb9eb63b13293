package fhirpath_test

import (
	"strings"
	"testing"

	"fhirdeid/anonymize/fhirpath"
)

// TestDialects holds what differs between the readings.
func TestDialects(t *testing.T) {
	const (
		failure = "error" // any
		same    = "same"  // as in the column before
	)
	tests := []struct {
		expression                      string
		specification, rules, microsoft string
	}{
		// Nodes are told apart by where they are only in Rules.
		{"(name.family | name.family).count()", `1`, `3`, `1`},
		{"name.distinct().count()", `2`, `3`, `2`},
		{"name.union(name).count()", `2`, `3`, `2`},
		{"name.intersect(name).count()", `2`, `3`, `2`},
		{"name.exclude(name[1]).count()", `1`, `2`, `1`},
		{"name.repeat(family).count()", `1`, `3`, same},
		{"name.family.isDistinct()", `false`, same, same},
		{"1 | 1", `1`, same, same},
		{"name.family in ('Green')", failure, failure, failure},
		{"name[0].family in ('Green' | 'Red')", `true`, same, same},
		{"'Green' | name.family", `"Green"`, same, same},

		// The order of operators.
		{"(1 | 2 > 1).count()", failure, failure, failure},
		{"(1 + 1 | 2).count()", `1`, same, same},
		{"1 > 2 is Boolean", failure, `true`, same},
		{"extension[0].value as Age | id", `{"value":44,"unit":"a","system":"http://unitsofmeasure.org","code":"a"} "p1"`, failure, failure},
		{"(extension.value as Age).value", failure, `44`, same},

		// Types.
		{"extension[0].value is Age", `true`, same, same},
		{"extension[0].value is Quantity", `true`, `false`, same},
		{"descendants().ofType(Quantity).value", `44`, ``, same},
		{"id is string", `true`, `false`, same},
		{"extension.value as Age", failure, `{"value":44,"unit":"a","system":"http://unitsofmeasure.org","code":"a"}`, same},
		{"extension.value.as(Age).value", failure, `44`, same},
		{"name.ofType(Nothing)", failure, ``, same},
		{"gender is FHIR.code", ``, same, same},

		// Choices.
		{"deceased", `"2020-02-03T10:00:00+01:00"`, same, same},
		{"deceasedDateTime", `"2020-02-03T10:00:00+01:00"`, ``, same},
		{"Resource.id | DomainResource.id", `"p1"`, same, same},

		// Functions.
		{"Patient.nodesByType('HumanName').use", failure, `"official" "usual" "usual"`, same},
		{"nodesByName('address').city", failure, `"Bath"`, same},
		{"nodesByName('Address')", failure, ``, same},
		{"nodesByType('Organization')", failure, ``, same},
		{"Patient.nodesByType('Patient').id", failure, `"p1"`, same},
		{"contained.nodesByType('Address').city", failure, `"Bath"`, same},
		{"id.hasValue()", `true`, `true`, failure},
		{"name.first().type().name", `"HumanName"`, same, failure},
		{"id.getValue()", `"p1"`, same, failure},
		{"resolve()", failure, failure, failure},
		{"memberOf('x')", failure, failure, failure},
		{"1.lowBoundary()", `0.50000000`, same, failure},
		{"name.family.first().trace('x').upper()", `"GREEN"`, same, same},
		{"(2.5).round(0)", `3`, `2`, same},
		{"(3.5).round(0)", `4`, `4`, same},

		// Texts and dates.
		{"birthDate.startsWith('19')", `true`, failure, failure},
		{"birthDate.toString().startsWith('19')", `true`, same, same},
		{"birthDate = '1982-05-06'", `true`, `false`, same},
		{"birthDate > '1980'", `true`, failure, failure},
		{"birthDate > 1980", failure, failure, failure},
		{"deceased > @2020-02-03T08:00:00", ``, same, same},
		{"deceased > @2020-02-02T08:00:00", ``, `true`, same},
		{"deceased >= @2020", ``, same, same},
		{"name[0].given[1].startsWith('a')", ``, same, same},
		{"name[0].given[1].length()", ``, same, same},
		{"name[0].given[1] = 'a'", `false`, same, same},
		{"name[0].given[1] > 'a'", ``, same, same},
		{"name[0].given[1].toString()", ``, same, same},

		// Names in quotes.
		{"`name`.`family`[0]", `"Green"`, same, same},
		{`"name".family[0]`, `"Green"`, same, same},
		{"id // the id\n/* again */", `"p1"`, same, same},

		// Texts that are replaced: groups by name and number, as .NET counts.
		{`id.replaceMatches('(?<letter>[a-z])(\\d)', '${letter}-$1-$2-$&-$$-$9')`, `"p-1-p-p1-$-$9"`, same, same},
	}
	tree := readTree(t, patient)
	for _, test := range tests {
		want := test.specification
		for i, d := range []fhirpath.Dialect{fhirpath.Specification, fhirpath.Rules, fhirpath.Microsoft} {
			if column := [...]string{test.specification, test.rules, test.microsoft}[i]; column != same {
				want = column
			}
			got := evaluate(t, test.expression, d, tree, 0)
			if got != want && !(want == failure && strings.HasPrefix(got, failure)) {
				t.Errorf("%s\nin dialect %d gives %s\nwant %s", test.expression, i, got, want)
			}
		}
	}
}

// TestFunctionsOfDialects: what Microsoft's tool has, Rules has too.
func TestFunctionsOfDialects(t *testing.T) {
	rules := make(map[string]bool)
	for _, name := range fhirpath.Functions(fhirpath.Rules) {
		rules[name] = true
	}
	for _, name := range fhirpath.Functions(fhirpath.Microsoft) {
		if !rules[name] {
			t.Errorf("%s() is missing in Rules", name)
		}
	}
	for _, name := range []string{"hasValue", "resolve", "memberOf", "htmlChecks", "lowBoundary", "highBoundary", "type", "precision", "comparable", "conformsTo", "elementDefinition", "getValue"} {
		if _, err := fhirpath.Parse("Patient."+name+"()", fhirpath.Microsoft); err == nil {
			t.Errorf("%s() can be read in the dialect of Microsoft's tool", name)
		}
	}
	for name, want := range map[string]fhirpath.Dialect{"specification": fhirpath.Specification, "rules": fhirpath.Rules, "microsoft": fhirpath.Microsoft} {
		if d, ok := fhirpath.ParseDialect(name); !ok || d != want {
			t.Errorf("%s is %v, %v", name, d, ok)
		}
	}
	if _, ok := fhirpath.ParseDialect("other"); ok {
		t.Error("other is a dialect")
	}
}
