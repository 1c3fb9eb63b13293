package fhirpath_test

import (
	"fmt"
	"strings"
	"testing"

	"fhirdeid/anonymize/fhirpath"
)

// guarded are expressions as rule files have them.
var guarded = []struct{ expression, want string }{
	{"identifier.where(system = 'urn:mrn').value", `"4711"`},
	{"name.where(use = 'official' and family.startsWith('G')).given", `"Chris" null`},
	{"name.where(use != 'official' or given.exists().not()).family", `"Green" "Green"`},
	{"extension('http://example.org/size').value", `1.50`},
	{"extension.where(url = 'http://example.org/age').value.ofType(Age).value", `44`},
	{"Patient.nodesByType('HumanName').family", `"Green" "Green" "Green"`},
	{"nodesByName('city') | address.city | nodesByType('Address').city", `"Bath"`},
	{"birthDate.where($this >= @1980-01-01 and $this < @1990-01-01)", `"1982-05-06"`},
	{"deceased.where($this > @2020-01-01T00:00:00Z)", `"2020-02-03T10:00:00+01:00"`},
	{"multipleBirth.where($this > 1 and $this <= 2.5)", `2`},
	{"extension.value.ofType(decimal).where($this = 1.5)", `1.50`},
	{"(extension.value as Age).value", `44`},
	{"name[1].use | name.skip(2).take(1).use", `"usual" "usual"`},
	{"descendants().where($this is Address).city", `"Bath" "Bath"`},
	{"contained.address.city", `"Bath"`},
	{"active.where($this = true)", `true`},
	{"id.where(matches('^p[0-9]$') and length() = 2 and contains('1'))", `"p1"`},
}

// TestAllocations: in steady state an evaluator takes no memory.
func TestAllocations(t *testing.T) {
	tree := readTree(t, patient)
	e := newEvaluator(t)
	for _, g := range guarded {
		x, err := fhirpath.Parse(g.expression, fhirpath.Rules)
		if err != nil {
			t.Fatal(err)
		}
		items, err := e.Eval(x, tree, 0)
		if err != nil {
			t.Fatal(g.expression, err)
		}
		if got := line(tree, items); got != g.want {
			t.Errorf("%s gives %s, want %s", g.expression, got, g.want)
		}
		if n := testing.AllocsPerRun(100, func() {
			if _, err := e.Eval(x, tree, 0); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s takes memory %v times", g.expression, n)
		}
	}
}

// observation has as many components as are asked for.
func observation(components int) string {
	var b strings.Builder
	b.WriteString(`{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"effectiveDateTime":"2020-01-01T10:00:00Z","component":[`)
	for i := range components {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"code":{"coding":[{"system":"http://loinc.org","code":"8480-%d"}]},"valueQuantity":{"value":%d.5,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}`, i, 100+i)
	}
	b.WriteString(`]}`)
	return b.String()
}

func BenchmarkEval(b *testing.B) {
	for _, bench := range []struct{ name, resource, expression string }{
		{"path", patient, "name.given"},
		{"where", patient, "identifier.where(system = 'urn:mrn').value"},
		{"extension", patient, "extension('http://example.org/size').value"},
		{"date", patient, "birthDate.where($this >= @1980-01-01 and $this < @1990-01-01)"},
		{"nodesByType", patient, "nodesByType('HumanName').where(use = 'official').family"},
		{"ofType", observation(20), "component.value.ofType(Quantity).where(value > 110).value"},
		{"coding", observation(20), "component.where(code.coding.exists(system = 'http://loinc.org' and code = '8480-7')).value"},
		{"descendants", observation(20), "descendants().where($this is Coding).code"},
	} {
		b.Run(bench.name, func(b *testing.B) {
			tree, e := readTree(b, bench.resource), newEvaluator(b)
			x, err := fhirpath.Parse(bench.expression, fhirpath.Rules)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if items, err := e.Eval(x, tree, 0); err != nil || len(items) == 0 {
					b.Fatal(items, err)
				}
			}
		})
	}
}
