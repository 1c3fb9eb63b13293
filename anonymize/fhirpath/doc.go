// Package fhirpath reads FHIRPath expressions and evaluates them over the nodes
// of a FHIR resource.
//
//	x, err := fhirpath.Parse("name.where(use = 'official').given", fhirpath.Specification)
//	items, err := fhirpath.NewEvaluator(fhirpath.Options{Model: model}).Eval(x, document, 0)
//
// The language is FHIRPath 2.0 (http://hl7.org/fhirpath/N1/) with what FHIR adds
// to it (https://hl7.org/fhir/fhirpath.html) and those functions of later ballots
// that need no terminology server. A Dialect says where the reading of rule files
// and that of Microsoft's tool differ.
//
// A text becomes tokens (lexer.go), an expression (parser.go, ast.go), and items
// (eval.go, and a file for each family of functions). Items are nodes of a
// Document, known by their number, or values of their own. Collections lie on a
// stack (arena.go) and values of nodes in slabs (values.go), so that an evaluator
// takes no memory once it has warmed up. No error has a value of the document in
// it, and limits bound what an expression may cost.
//
// A Document is what the engine reads a resource to; ReadTree reads one for trying
// expressions out, with what FHIR does not know. Rewrite puts nodes that the engine
// has found already in the place of a path.
//
// An Expression is safe for concurrent use, an Evaluator is not.
package fhirpath
