package fhirpath_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// TestInferIsSound: what the expressions of the suites give was foreseen, in each
// dialect.
func TestInferIsSound(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "fhirpath-cases")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the cases are not here:", err)
	}
	items := 0
	documents := make(map[string]*fhirpath.Tree)
	for _, file := range []string{"r4", "r5", "own"} {
		data, err := os.ReadFile(filepath.Join(dir, file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var cases []fhirpathCase
		if err := json.Unmarshal(data, &cases); err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			version, _ := fhirmodel.ParseVersion(c.FHIRVersion)
			model, err := fhirmodel.Load(version)
			if err != nil {
				t.Fatal(err)
			}
			doc, read := documents[c.FHIRVersion+c.Input]
			if !read {
				input, err := os.ReadFile(filepath.Join(dir, "resources", c.Input))
				if err != nil {
					t.Fatal(err)
				}
				if doc, err = fhirpath.ReadTree(model, input); err != nil {
					doc = nil
				}
				documents[c.FHIRVersion+c.Input] = doc
			}
			if doc == nil || doc.Unknown > 0 || doc.Type(0).Kind != fhirmodel.Resource {
				continue // typing is for what the version knows
			}
			for _, d := range []fhirpath.Dialect{fhirpath.Specification, fhirpath.Rules, fhirpath.Microsoft} {
				items += checkSound(t, c.Name, c.Expression, d, model, doc)
			}
		}
	}
	t.Logf("%d items", items)
}

// checkSound compares the items of an evaluation with the typing, and counts
// them.
func checkSound(t *testing.T, name, expression string, d fhirpath.Dialect, model *fhirmodel.Model, doc *fhirpath.Tree) int {
	x, err := fhirpath.Parse(expression, d)
	if err != nil {
		return 0
	}
	found, err := fhirpath.NewEvaluator(fhirpath.Options{Model: model}).Eval(x, doc, 0)
	if err != nil {
		return 0
	}
	typing := fhirpath.Infer(x, model, doc.Type(0))
	if typing.Unknown {
		return len(found)
	}
	foreseen := make(map[place]bool)
	for _, p := range typing.Results {
		foreseen[placeOf(p.Type, p.Element)] = true
	}
	for _, i := range found {
		if i.Kind != fhirpath.KindNode {
			if !typing.Values {
				t.Errorf("%s %s: a %s was not foreseen", name, expression, i.Kind)
			}
			continue
		}
		if !foreseen[placeOf(doc.Type(i.Node), doc.Element(i.Node))] {
			t.Errorf("%s %s: %s was not foreseen", name, expression, doc.Type(i.Node).Path)
		}
	}
	return len(found)
}

// place is a node's type with the name of its element.
type place struct {
	typ  *fhirmodel.Type
	name string
}

func placeOf(t *fhirmodel.Type, e *fhirmodel.Element) place {
	if e == nil {
		return place{t, ""}
	}
	return place{t, e.Name}
}
