package anonymize_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// TestDocumentAndTree: the engine's strict reader and the lenient one of
// expressions see the same in what both can read.
func TestDocumentAndTree(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "shared", "fhirpath-cases", "resources", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("there are no resources of the shared cases")
	}
	read := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		version := fhirmodel.R4
		if strings.HasPrefix(filepath.Base(file), "r5-") {
			version = fhirmodel.R5
		}
		model, err := fhirmodel.Load(version)
		if err != nil {
			t.Fatal(err)
		}
		document, err := anonymize.ParseDocument(model, data)
		if err != nil {
			continue // the strict reader refuses it
		}
		tree, err := fhirpath.ReadTree(model, data)
		if err != nil {
			t.Fatal(file, err)
		}
		read++
		for _, expression := range []string{
			"descendants().count()", "id | meta.profile | extension.url", "name.where(use = 'official').given", "descendants().ofType(Coding).code",
			"descendants().where(value.exists()).value", "nodesByType('Identifier').value", "nodesByName('text').status", "contained.descendants().id",
			"children().children().take(20)", "descendants().ofType(date) | descendants().ofType(dateTime)", "descendants().where(length() > 5)", "entry.resource.id",
		} {
			a, b := values(t, model, expression, document, document.JSON), values(t, model, expression, tree, tree.JSON)
			if a != b {
				t.Errorf("%s: %s\nof the engine's reader: %.400s\nof the lenient one: %.400s", filepath.Base(file), expression, a, b)
			}
		}
	}
	if read < 20 {
		t.Errorf("only %d resources could be read", read)
	}
}

func values(t *testing.T, model *fhirmodel.Model, expression string, d fhirpath.Document, toJSON func(fhirpath.Item) json.RawMessage) string {
	t.Helper()
	x, err := fhirpath.Parse(expression, fhirpath.Rules)
	if err != nil {
		t.Fatal(err)
	}
	e := fhirpath.NewEvaluator(fhirpath.Options{Model: model, Now: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)})
	items, err := e.Eval(x, d, 0)
	if err != nil {
		return "error: " + err.Error()
	}
	var b strings.Builder
	for _, i := range items {
		var compact bytes.Buffer
		if json.Compact(&compact, toJSON(i)) != nil {
			t.Fatal("an item is no JSON")
		}
		var value any
		if json.Unmarshal(compact.Bytes(), &value) != nil {
			t.Fatal("an item is no JSON")
		}
		text, err := json.Marshal(value) // escapes alike
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(fhirpath.TypeOf(d, i).String() + " " + string(text) + "\n")
	}
	return b.String()
}
