package fhirpath

// Dialect says how an expression is read where readings differ.
type Dialect struct {
	// NodeIdentity makes union, distinct, repeat and their kind tell nodes apart
	// by where they are instead of by what they hold. Rules that select nodes
	// need it: else the second copy of a name survives.
	NodeIdentity bool
	// Microsoft is the dialect of Microsoft's tool (Firely SDK 5): | binds weaker
	// than comparison's operands and stronger than comparison, below + and &; is
	// and as ask for the very type and as takes collections; nodesByType and
	// nodesByName exist, what that engine does not have is refused; rounding is
	// half to even.
	Microsoft bool
	// Rules allows nodesByType and nodesByName, and as on collections.
	Rules bool
}

// The dialects.
var (
	// Specification is FHIRPath as HL7 has it.
	Specification = Dialect{}
	// Rules is for rule files: nodes are selected by identity.
	Rules = Dialect{NodeIdentity: true, Rules: true}
	// Microsoft is for rule files that must give just what Microsoft's tool gives.
	Microsoft = Dialect{Microsoft: true, Rules: true}
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
