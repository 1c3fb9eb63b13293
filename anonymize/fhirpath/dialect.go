package fhirpath

// Dialect says how an expression is read where readings differ. A rule file means
// the same in both dialects of rule files, but for what NodeIdentity says.
type Dialect struct {
	// Rules is the reading of Microsoft's tool (Firely SDK 5), on which rule files
	// rely:
	//   - | binds stronger than comparison and weaker than +; is and as bind weaker
	//     than comparison, and nothing stronger can follow a type;
	//   - is, as and ofType ask for the very type, and as takes a collection;
	//   - a choice has one name: value, not valueQuantity;
	//   - an unknown type is no error, it is never met;
	//   - dates are no texts: comparing them with texts is an error;
	//   - a date with a zone is compared in UTC, even with one without;
	//   - rounding is half to even, and decimals are compared by all digits;
	//   - nodesByType and nodesByName exist.
	// Where that tool crashes (functions of texts on a primitive without a value),
	// the result is empty.
	Rules bool
	// NodeIdentity makes union, distinct, intersect, exclude and repeat tell nodes
	// apart by where they are instead of by what they hold. Rules that select
	// nodes need it: else the second copy of a name survives. Values, and = and in,
	// are compared by what they are.
	NodeIdentity bool
	// Microsoft leaves only those functions that Microsoft's tool has.
	Microsoft bool
}

// The dialects.
var (
	// Specification is FHIRPath as HL7 has it.
	Specification = Dialect{}
	// Rules is for rule files: nodes are selected by identity.
	Rules = Dialect{Rules: true, NodeIdentity: true}
	// Microsoft is for rule files that must give just what Microsoft's tool gives,
	// losing equal nodes in a union too.
	Microsoft = Dialect{Rules: true, Microsoft: true}
)

// ParseDialect reads the name of a dialect.
func ParseDialect(name string) (d Dialect, ok bool) {
	switch name {
	case "specification":
		return Specification, true
	case "rules":
		return Rules, true
	case "microsoft":
		return Microsoft, true
	}
	return Dialect{}, false
}
