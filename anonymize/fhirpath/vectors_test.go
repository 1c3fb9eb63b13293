package fhirpath_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
)

// vector is one of ../shared/vectors: what was measured on Microsoft's tool.
type vector struct {
	Name string
	Rule struct {
		Cases       json.RawMessage
		OtherValues string
		Expression  string
	}
	InputType     string
	Input         json.RawMessage
	Expected      json.RawMessage
	ExpectedError string
}

func eachVector(t *testing.T, folder string, f func(t *testing.T, v vector)) {
	files, err := filepath.Glob(filepath.Join(shared(t, "vectors"), folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("there are no vectors")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(file, err)
		}
		t.Run(v.Name, func(t *testing.T) { f(t, v) })
	}
}

// TestGeneralizeVectors evaluates conditions and targets with a primitive as
// $this: the first case whose condition is not false gives the value.
func TestGeneralizeVectors(t *testing.T) {
	eachVector(t, "generalize", func(t *testing.T, v vector) {
		if string(v.Input) == "null" || strings.Contains(v.ExpectedError, "NotApplicable") {
			t.Skip("nothing is evaluated")
		}
		model := loadModel(t, fhirmodel.R4)
		key := "value" + strings.ToUpper(v.InputType[:1]) + v.InputType[1:]
		tree, err := fhirpath.ReadTree(model, []byte(`{"resourceType":"Parameters","parameter":[{"name":"x","`+key+`":`+string(v.Input)+`}]}`))
		if err != nil {
			t.Fatal(err)
		}
		x, err := fhirpath.Parse("parameter.value", fhirpath.Rules)
		if err != nil {
			t.Fatal(err)
		}
		e := newEvaluator(t)
		items, err := e.Eval(x, tree, 0)
		if err != nil || len(items) != 1 {
			t.Fatal(items, err)
		}
		node := items[0].Node
		for _, d := range []fhirpath.Dialect{fhirpath.Rules, fhirpath.Microsoft} {
			got, failed := generalize(t, v, e, d, tree, node)
			if failed != (v.ExpectedError != "") || !failed && !equalJSON(got, v.Expected) {
				t.Errorf("gives %s (failed: %v), want %s", got, failed, v.Expected)
			}
		}
	})
}

// generalize is the method, as far as expressions go.
func generalize(t *testing.T, v vector, e *fhirpath.Evaluator, d fhirpath.Dialect, tree *fhirpath.Tree, node int32) (value string, failed bool) {
	evaluate := func(expression string) ([]fhirpath.Item, error) {
		x, err := fhirpath.Parse(expression, d)
		if err != nil {
			t.Fatal(expression, err)
		}
		return e.Eval(x, tree, node)
	}
	cases := json.NewDecoder(bytes.NewReader(v.Rule.Cases))
	if _, err := cases.Token(); err != nil {
		t.Fatal(err)
	}
	for cases.More() {
		var when, then string
		token, err := cases.Token()
		if err != nil {
			t.Fatal(err)
		}
		when, _ = token.(string)
		if err := cases.Decode(&then); err != nil {
			t.Fatal(err)
		}
		items, err := evaluate(when)
		if err != nil {
			return "", true
		}
		if len(items) == 1 && items[0].Kind == fhirpath.KindBoolean && !items[0].IsTrue() {
			continue
		}
		if items, err = evaluate(then); err != nil {
			return "", true
		}
		if len(items) == 0 {
			return "null", false
		}
		return string(tree.JSON(items[0])), false
	}
	if strings.EqualFold(v.Rule.OtherValues, "keep") {
		return string(v.Input), false
	}
	return "null", false
}

func equalJSON(got string, want json.RawMessage) bool {
	if a, err := strconv.ParseFloat(got, 64); err == nil {
		b, err := strconv.ParseFloat(string(want), 64)
		return err == nil && a == b
	}
	return got == string(want)
}

// TestNodesByVectors holds the function form of nodesByType and nodesByName.
func TestNodesByVectors(t *testing.T) {
	eachVector(t, "fhirpath", func(t *testing.T, v vector) {
		if !strings.Contains(v.Rule.Expression, "nodesBy") {
			t.Skip("it is no expression")
		}
		tree, err := fhirpath.ReadTree(loadModel(t, fhirmodel.R4), v.Input)
		if err != nil {
			t.Fatal(err)
		}
		x, err := fhirpath.Parse(v.Rule.Expression, fhirpath.Rules)
		if err != nil {
			t.Fatal(err)
		}
		items, err := newEvaluator(t).Eval(x, tree, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, i := range items {
			got = append(got, pathOf(tree, i.Node))
		}
		var want []string
		if err := json.Unmarshal(v.Expected, &want); err != nil {
			t.Fatal(err)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("gives %v, want %v", got, want)
		}
	})
}

// pathOf is the path of a node with its place among those of its name.
func pathOf(tree *fhirpath.Tree, n int32) string {
	parent := tree.Parent(n)
	if parent == fhirpath.None {
		return tree.Type(n).Name
	}
	index := 0
	for c := tree.First(parent); c != n; c = tree.Next(c) {
		if tree.Element(c).Name == tree.Element(n).Name {
			index++
		}
	}
	return pathOf(tree, parent) + "." + tree.Element(n).Name + "[" + strconv.Itoa(index) + "]"
}
