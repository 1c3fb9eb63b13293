package fhirpath_test

import (
	"slices"
	"testing"

	"fhirdeid/anonymize/fhirpath"
)

// TestRewrite puts nodes that were found before in the place of a path.
func TestRewrite(t *testing.T) {
	tree := readTree(t, patient)
	x, err := fhirpath.Parse("identifier.where(system = 'urn:ssn').value | iif(identifier.exists(), id, 'none') | value.ofType(identifier)", fhirpath.Rules)
	if err != nil {
		t.Fatal(err)
	}
	slotted := x.Rewrite(func(n fhirpath.Node) fhirpath.Node {
		if m, ok := n.(*fhirpath.Member); ok && m.Input == nil && m.Name == "identifier" {
			return &fhirpath.Slot{Number: 0}
		}
		return n
	})
	if got, want := slotted.String(), "(($slot0.where(system = 'urn:ssn').value) | iif($slot0.exists(), id, 'none')) | (value.ofType(identifier))"; fhirpath.Format(slotted.Root) != got || got == x.String() {
		t.Errorf("it is written %s, want something like %s", got, want)
	}
	e := newEvaluator(t)
	plain, err := e.Eval(x, tree, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := line(tree, plain); got != `"123-45-6789" "p1"` {
		t.Error("the expression gives", got)
	}
	var identifiers []fhirpath.Item
	for n := tree.First(0); n != fhirpath.None; n = tree.Next(n) {
		if tree.Element(n).Name == "identifier" {
			identifiers = append(identifiers, fhirpath.Item{Kind: fhirpath.KindNode, Node: n})
		}
	}
	for _, test := range []struct {
		slot []fhirpath.Item
		want string
	}{
		{identifiers, `"123-45-6789" "p1"`},
		{identifiers[:1], `"p1"`},
		{nil, `"none"`},
	} {
		items, err := e.EvalSlots(slotted, tree, 0, [][]fhirpath.Item{test.slot})
		if err != nil {
			t.Fatal(err)
		}
		if got := line(tree, items); got != test.want {
			t.Errorf("with %d nodes in the slot it gives %s, want %s", len(test.slot), got, test.want)
		}
	}
	if _, err := e.Eval(slotted, tree, 0); err == nil {
		t.Error("a slot without nodes is no error")
	}
	again, err := e.Eval(x, tree, 0)
	if err != nil || line(tree, again) != `"123-45-6789" "p1"` {
		t.Error("the expression that was rewritten has changed")
	}
}

// TestRewritePattern: a pattern is compiled again for another literal.
func TestRewritePattern(t *testing.T) {
	tree := readTree(t, patient)
	x, err := fhirpath.Parse("id.matches('^q')", fhirpath.Rules)
	if err != nil {
		t.Fatal(err)
	}
	y := x.Rewrite(func(n fhirpath.Node) fhirpath.Node {
		if _, ok := n.(*fhirpath.Literal); ok {
			return &fhirpath.Literal{Value: fhirpath.String("^p")}
		}
		return n
	})
	items, err := newEvaluator(t).Eval(y, tree, 0)
	if err != nil || line(tree, items) != "true" {
		t.Errorf("%s gives %v, %v", y, items, err)
	}
}

func TestWalk(t *testing.T) {
	x, err := fhirpath.Parse("-(a.b[c] + d.where(e is F).ofType(G) as H) | {} | %i & $this", fhirpath.Specification)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	fhirpath.Walk(x.Root, func(n fhirpath.Node) bool {
		if m, ok := n.(*fhirpath.Member); ok {
			names = append(names, m.Name)
		}
		return true
	})
	if want := []string{"b", "a", "c", "d", "e"}; !slices.Equal(names, want) {
		t.Errorf("the names are %v, want %v", names, want)
	}
	parts := 0
	fhirpath.Walk(x.Root, func(fhirpath.Node) bool { parts++; return false })
	if parts != 1 {
		t.Errorf("%d parts are visited where the first says no", parts)
	}
}

func TestFormat(t *testing.T) {
	for _, text := range []string{
		"name.given", "a.`is`.`odd name`.`\\``", "Patient.name.where(use = 'it\\'s')", "(1 + (2 * 3.50)) - (-4)",
		"@2015 < @2015T", "@2015-02-04T14:34:28.123+10:00", "@T14:34", "4 'mg' | 2 years", "5L", "(a is FHIR.Patient) and (b as string)",
		"%`vs-x`", "{}", "$this[0].single()", "(a | b).c",
	} {
		x, err := fhirpath.Parse(text, fhirpath.Specification)
		if err != nil {
			t.Fatal(text, err)
		}
		written := fhirpath.Format(x.Root)
		y, err := fhirpath.Parse(written, fhirpath.Specification)
		if err != nil || fhirpath.Format(y.Root) != written {
			t.Errorf("%s is written as %s, which reads as another (%v)", text, written, err)
		}
	}
}
