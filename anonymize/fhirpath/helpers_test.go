package fhirpath_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// now is what now() gives in tests.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// shared is a folder of ../shared; the test is skipped where it is absent.
func shared(t testing.TB, folder string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", folder)
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the shared test data is not here:", err)
	}
	return dir
}

func loadModel(t testing.TB, version fhirmodel.Version) *fhirmodel.Model {
	t.Helper()
	model, err := fhirmodel.Load(version)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func readTree(t testing.TB, resource string) *fhirpath.Tree {
	t.Helper()
	tree, err := fhirpath.ReadTree(loadModel(t, fhirmodel.R4), []byte(resource))
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func newEvaluator(t testing.TB) *fhirpath.Evaluator {
	t.Helper()
	return fhirpath.NewEvaluator(fhirpath.Options{Model: loadModel(t, fhirmodel.R4), Now: now})
}

// evaluate gives the result as a line: its items as JSON, or "error: …".
func evaluate(t testing.TB, expression string, d fhirpath.Dialect, tree *fhirpath.Tree, context int32) string {
	t.Helper()
	x, err := fhirpath.Parse(expression, d)
	if err != nil {
		return "error: " + err.Error()
	}
	items, err := newEvaluator(t).Eval(x, tree, context)
	if err != nil {
		return "error: " + err.Error()
	}
	return line(tree, items)
}

func line(tree *fhirpath.Tree, items []fhirpath.Item) string {
	var values []string
	for _, i := range items {
		values = append(values, string(tree.JSON(i)))
	}
	return strings.Join(values, " ")
}

// patient has two equal names, primitives without values and a resource inside.
const patient = `{"resourceType":"Patient","id":"p1","active":true,
	"contained":[{"resourceType":"Organization","id":"o1","name":"Clinic","address":[{"city":"Bath"}],"contact":[{"name":{"family":"Green"}}]}],
	"extension":[{"url":"http://example.org/age","valueAge":{"value":44,"unit":"a","system":"http://unitsofmeasure.org","code":"a"}},{"url":"http://example.org/size","valueDecimal":1.50}],
	"identifier":[{"system":"urn:mrn","value":"4711"},{"system":"urn:ssn","value":"123-45-6789"}],
	"name":[{"use":"official","family":"Green","given":["Chris",null],"_given":[null,{"extension":[{"url":"http://example.org/why","valueCode":"unknown"}]}]},{"use":"usual","family":"Green"},{"use":"usual","family":"Green"}],
	"birthDate":"1982-05-06","deceasedDateTime":"2020-02-03T10:00:00+01:00",
	"address":[{"city":"Bath"}],"multipleBirthInteger":2}`
