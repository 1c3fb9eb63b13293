package fhirpath_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// TestParseErrors: each says where, and what.
func TestParseErrors(t *testing.T) {
	tests := []struct {
		expression string
		position   int
		text       string
	}{
		{"a..b", 2, "missing"},
		{"a b", 2, "end here"},
		{"'abc", 0, "not closed"},
		{"a /* b", 2, "not closed"},
		{"name.nothing()", 5, "no function nothing()"},
		{"name.where()", 5, "takes 1 argument, not 0"},
		{"name.first(1)", 5, "takes no argument"},
		{"name.ofType(1)", 12, "takes a type"},
		{"@2015-13", 0, "no such date"},
		{"99999999999999999999L", 0, "too large"},
		{"a.matches('(')", 10, "cannot be read"},
		{"a.matches('(?=b)')", 10, "look-around"},
		{"a.replaceMatches('(?<!b)c', '')", 17, "look-around"},
		{"a.matches('b', 'x')", 10, "flags"},
		{"(a", 2, `")" is missing`},
		{"a # b", 2, "character"},
		{"$that", 0, "$this"},
		{strings.Repeat("(", 300) + "a" + strings.Repeat(")", 300), -2, "nested too deep"},
		{strings.Repeat("a", 70_000), -1, "too long"},
	}
	for _, test := range tests {
		_, err := fhirpath.Parse(test.expression, fhirpath.Specification)
		var e *fhirpath.Error
		if !errors.As(err, &e) {
			t.Errorf("%.40s can be read: %v", test.expression, err)
			continue
		}
		if test.position > -2 && e.Position != test.position || !strings.Contains(e.Text, test.text) {
			t.Errorf("%.40s: %d %q, want %d %q", test.expression, e.Position, e.Text, test.position, test.text)
		}
	}
}

// TestLimits: no expression fills the memory or takes for ever.
func TestLimits(t *testing.T) {
	tree := readTree(t, patient)
	model := loadModel(t, fhirmodel.R4)
	long := strings.Repeat("ab", 1000)
	tests := []struct{ expression, want string }{
		{"repeatAll($this)", "too many items"},
		{"(" + strings.TrimSuffix(strings.Repeat("1|2|", 40), "|") + ").combine('" + long + "'.toChars()).aggregate($total & $total, '" + long + "')", "too long"},
		{"'" + long + "'.toChars().combine(%context.descendants()).aggregate($total.combine($total), '" + long + "'.toChars())", "too many items"},
		{"'" + long + "'.replace('', '" + long + "').replace('', '" + long + "')", "too long"},
		{"'" + long + "'.replaceMatches('.', '" + long + "').replaceMatches('.', 'x')", "too much"},
		{"'" + long + "'.replaceMatches('.', '$0" + long + long + long + long + long + "')", "too long"},
		{"'" + long + "'.toChars().select('" + long + "'.toChars().select('" + long + "'.toChars().where($this = 'x')))", "takes too long"},
		{"('" + long + "'.toChars().select($this + $index.toString())).select(%context.descendants().select($index.toString() & $this.count().toString())).distinct()", ""},
	}
	for _, test := range tests {
		x, err := fhirpath.Parse(test.expression, fhirpath.Specification)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err = fhirpath.NewEvaluator(fhirpath.Options{Model: model, MaxItems: 200_000, MaxSteps: 2_000_000}).Eval(x, tree, 0)
		var e *fhirpath.Error
		if test.want != "" && (!errors.As(err, &e) || !strings.Contains(e.Text, test.want)) {
			t.Errorf("%.60s: %v, want %q", test.expression, err, test.want)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%.60s takes %v", test.expression, took)
		}
	}
}

// TestErrorsQuoteNothing: what is in the resource is in no message.
func TestErrorsQuoteNothing(t *testing.T) {
	const secret = "Klabautermann"
	tree := readTree(t, strings.ReplaceAll(patient, "Green", secret))
	for _, expression := range []string{
		"name.family.single()", "name.first().family + 1", "name.first().family > 1", "-name.first().family", "name.first().family.matches(name.first().family & '(')",
		"defineVariable(name.first().family).defineVariable(name.first().family)", "name.first().family.toQuantity(name.first().family) > true",
		"'x'.decode('hex')", "name.first().family.decode('hex')", "iif(name.first().family, 1)", "name.first().family is Nothing",
		"conformsTo(name.first().family)", "name.first().family.take(name.first().family)", "name.first().family.lowBoundary()", "name[name.first().family]",
		"name.sort(family | given.first())", "@2020 + name.first().family", "name.family.allTrue()", "name.aggregate($this + 1)",
	} {
		got := evaluate(t, expression, fhirpath.Specification, tree, 0)
		if strings.HasPrefix(got, "error") && strings.Contains(got, secret) {
			t.Errorf("%s: %s", expression, got)
		}
	}
	if _, err := fhirpath.ReadTree(loadModel(t, fhirmodel.R4), []byte(`{"resourceType":"Patient","id":"`+secret+`}`)); err == nil || strings.Contains(err.Error(), secret) {
		t.Error("a broken resource:", err)
	}
}

// TestManyEqualNodes: a union by value of many nodes is no matter of squares.
func TestManyEqualNodes(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"resourceType":"Patient","name":[`)
	for i := range 20_000 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"family":"F` + strconv.Itoa(i%10_000) + `"}`)
	}
	tree := readTree(t, b.String()+`]}`)
	for d, want := range map[fhirpath.Dialect]string{fhirpath.Rules: "20001", fhirpath.Microsoft: "10001"} {
		if got := evaluate(t, "(name.family | nodesByName('family') | 1 | 1).count()", d, tree, 0); got != want {
			t.Errorf("%+v gives %s, want %s", d, got, want)
		}
	}
}
