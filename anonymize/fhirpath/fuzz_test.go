package fhirpath_test

import (
	"errors"
	"testing"
	"time"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// seeds are expressions of many kinds, good and bad.
var seeds = []string{
	"Patient.name.where(use = 'official').given.first()",
	"nodesByType('HumanName').given | nodesByName('family')",
	"$this >= @1990-01-01 and $this < @2000T or @T10:30.lowBoundary(9) < @T11",
	"(1 + 2.50 - 3L) * 4 div 3 mod 2 / -1 & 'x' is System.String",
	"name.select(given & ' ' & family).join(', ').replaceMatches('(?<a>\\\\w+)', '${a}$1$&$$')",
	"4 'mg' + 0.004 'g' ~ 8 'mg' implies 1 year = 12 months",
	"iif(true, 'a', {}).toChars().aggregate($total & $this, '')",
	"descendants().ofType(Quantity).value.sort(-$this, $this desc).sum()",
	"repeat(children()).repeatAll($this).count()",
	"defineVariable('a', 1).select(%a + %context.count() + %`vs-x`.length())",
	"extension('http://x').value as Age | `id` | \"id\" | ``",
	"'\\u0041\\n\\'' matches 'x' // comment\n/* another */",
	"(1|2|3).aggregate($total & $total, 'aaaaaaaaaaaaaaaaaaaaaaaaaa').length()",
	"@2024-02-30 + 1 month - 999999999999 'ms'", "1.power(999).exp().ln()", "'(a+)+$'.matches('(a+)+$')",
	"'a'.replace('', 'b').encode('hex').decode('base64').escape('json').unescape('html')",
	"{}", "", "(", "a.", "-", "$total", "%resource.id", "is(String)", "a as", "1 'x", "@", "@T", "%", "$x",
	"9999999999L", "1.0000000000000000000000000000000000000001.round(28)", "'x'.matches('(?=a)')",
}

// FuzzParse: whatever is read can be written, and reads as the same again.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, d := range []fhirpath.Dialect{fhirpath.Specification, fhirpath.Rules, fhirpath.Microsoft} {
			x, err := fhirpath.Parse(text, d)
			if err != nil {
				var e *fhirpath.Error
				if !errors.As(err, &e) || e.Position > len(text) {
					t.Fatalf("the error has no place: %v", err)
				}
				continue
			}
			written := fhirpath.Format(x.Root)
			again, err := fhirpath.Parse(written, d)
			if err != nil {
				t.Fatalf("%q was written as %q, which cannot be read: %v", text, written, err)
			}
			if twice := fhirpath.Format(again.Root); twice != written {
				t.Fatalf("%q was written as %q, then as %q", text, written, twice)
			}
		}
	})
}

// slow is more than an evaluation with few steps may take on any machine.
const slow = 5 * time.Second

// FuzzEval: nothing panics, and nothing goes on for ever.
func FuzzEval(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, patient)
	}
	f.Add("descendants().where($this = $this)", `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","valueQuantity":{"value":1e400,"code":"mg/(","comparator":"<"}}},null,{"resource":5}],"_entry":[[{}]],"x":{"y":[1,[2]]}}`)
	model := loadModel(f, fhirmodel.R4)
	f.Fuzz(func(t *testing.T, text, resource string) {
		tree, err := fhirpath.ReadTree(model, []byte(resource))
		if err != nil {
			return
		}
		for _, d := range []fhirpath.Dialect{fhirpath.Specification, fhirpath.Rules} {
			x, err := fhirpath.Parse(text, d)
			if err != nil {
				continue
			}
			e := fhirpath.NewEvaluator(fhirpath.Options{Model: model, Now: now, MaxItems: 10_000, MaxSteps: 100_000})
			start := time.Now()
			items, err := e.Eval(x, tree, 0)
			if took := time.Since(start); took > slow {
				t.Fatalf("it takes %v", took)
			}
			if err != nil {
				continue
			}
			for _, i := range items {
				tree.JSON(i)
				fhirpath.TypeOf(tree, i)
			}
		}
	})
}
