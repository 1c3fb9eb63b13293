package fhirpath

import (
	"fmt"
	"maps"
	"slices"
)

// function is a function of the language. eval gets what stands before the dot.
type function struct {
	min, max int
	// typeArg says that the first argument is a type.
	typeArg bool
	// check looks at the arguments when the expression is read, and says what is
	// wrong.
	check func(x *Call) (fault string)
	// where says in which dialects it exists.
	where dialects
	eval  func(e *Evaluator, x *Call, in Collection) Collection
}

type dialects uint8

const (
	everywhere dialects = iota
	// notMicrosoft is for what Microsoft's tool does not have.
	notMicrosoft
	// onlyRules is for nodesByType and nodesByName.
	onlyRules
)

func (f *function) arity() string {
	plural := "s"
	if f.max == 1 {
		plural = ""
	}
	switch {
	case f.max == 0:
		return "no argument"
	case f.min == f.max:
		return fmt.Sprintf("%d argument%s", f.min, plural)
	}
	return fmt.Sprintf("%d to %d argument%s", f.min, f.max, plural)
}

// lookup finds a function of a dialect.
func lookup(name string, d Dialect) *function {
	f, ok := functions[name]
	if !ok || f.where == notMicrosoft && d.Microsoft || f.where == onlyRules && !d.Rules {
		return nil
	}
	return f
}

// Functions lists the names of a dialect's functions, sorted.
func Functions(d Dialect) []string {
	var names []string
	for name := range functions {
		if lookup(name, d) != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// functions is the table of all; it is never changed.
var functions = func() map[string]*function {
	all := make(map[string]*function)
	for _, family := range []map[string]*function{
		existenceFunctions, subsetFunctions, filterFunctions, aggregateFunctions, treeFunctions, typeFunctions, controlFunctions,
		stringFunctions, encodingFunctions, regexFunctions, mathFunctions, conversionFunctions, timeFunctions, boundaryFunctions, fhirFunctions,
	} {
		maps.Copy(all, family)
	}
	return all
}()

// text takes a collection as one text. ok is false where it is empty; an item
// that is no text is an error.
func (e *Evaluator) text(x *Call, c Collection) (string, bool) {
	b, ok := e.textBytes(x, c)
	return string(b), ok
}

// textBytes is text without a copy of it.
func (e *Evaluator) textBytes(x *Call, c Collection) ([]byte, bool) {
	if len(c) == 0 || e.err != nil {
		return nil, false
	}
	if len(c) > 1 {
		e.fail(x, "%s() takes single items", x.Name)
		return nil, false
	}
	v, ok := e.value(c[0])
	if !ok {
		if c[0].Kind == KindNode && e.doc.Type(c[0].Node).Kind.Primitive() {
			return nil, false // a primitive without a value
		}
		e.fail(x, "%s() takes a text", x.Name)
		return nil, false
	}
	switch v.Kind {
	case KindString:
		b := v.text()
		return b, e.spend(len(b) / bytesPerStep)
	case KindDate, KindDateTime, KindTime:
		if c[0].Kind == KindNode && !e.dialect.Rules {
			return []byte(v.Text()), true // FHIR has dates as texts
		}
	}
	e.fail(x, "%s() takes a text", x.Name)
	return nil, false
}

// wholeArg is an argument that is a whole number.
func (e *Evaluator) wholeArg(x *Call, n int) (int64, bool) {
	return e.wholeNumber(x, e.arg(x, n))
}

// wholeNumber takes a collection as one whole number; ok is false where it is
// empty.
func (e *Evaluator) wholeNumber(x *Call, c Collection) (int64, bool) {
	if len(c) == 0 || e.err != nil {
		return 0, false
	}
	v, ok := e.integer(c)
	if !ok {
		e.fail(x, "%s() takes a whole number", x.Name)
	}
	return v, ok
}

// typeArgument is the first argument as a type.
func typeArgument(x *Call) TypeName {
	t, _ := typeOf(x.Args[0])
	return t
}
