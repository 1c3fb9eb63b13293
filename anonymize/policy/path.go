package policy

import (
	"errors"
	"regexp"
	"strings"

	"fhirdeid/anonymize/fhirpath"
)

// prefixPattern is a path's leading type name.
var prefixPattern = regexp.MustCompile(`^[A-Z][a-zA-Z]*`)

// indexPattern is a path that only looks nodes up by type or name.
var indexPattern = regexp.MustCompile(`^nodesBy(Type|Name)\(['"]([A-Za-z0-9]+)['"]\)(?:\.([A-Za-z0-9]+))?$`)

// splitPath cuts a path once: the leading type name, and what is behind it and
// its dot. Where nothing is behind it, the expression is the whole path.
func splitPath(path string) (prefix, expression string) {
	if strings.Contains(strings.TrimSuffix(path, "\n"), "\n") {
		return "", path // Microsoft's tool reads a path of several lines as one without a type
	}
	prefix = prefixPattern.FindString(path)
	expression = strings.TrimPrefix(path[len(prefix):], ".")
	if expression == "" {
		expression = path
	}
	return prefix, expression
}

// splitIndex takes an index look-up apart; by is "" where the path is none.
func splitIndex(path string) (by, of, suffix string) {
	m := indexPattern.FindStringSubmatch(path)
	if m == nil {
		return "", "", ""
	}
	return strings.ToLower(m[1]), m[2], m[3]
}

// dialect is how the expressions of the file are read.
func (o *ParseOptions) dialect() fhirpath.Dialect {
	if o.Compat == CompatMicrosoft {
		return fhirpath.Microsoft
	}
	return fhirpath.Rules
}

// readPath checks the grammar of the whole path, as Microsoft's tool does, and
// reads what is behind the prefix.
func (rp *ruleParser) readPath(n *node) error {
	r := &rp.rule
	r.Path = n.asText(false)
	if rp.o.Compat != CompatMicrosoft {
		r.Path = strings.TrimSpace(r.Path)
	}
	r.IndexBy, r.IndexOf, r.IndexSuffix = splitIndex(r.Path)
	var rest string
	r.Prefix, rest = splitPath(r.Path)
	r.Self = r.Prefix != "" && r.Prefix == r.Path
	whole, err := fhirpath.Parse(r.Path, rp.o.dialect())
	if err != nil {
		return rp.faultAt(n, "the path %q is no FHIRPath: %v%s", r.Path, err, rp.functionHint(err))
	}
	r.Expression = whole
	if rest != r.Path {
		if r.Expression, err = fhirpath.Parse(rest, rp.o.dialect()); err != nil {
			return rp.faultAt(n, "the path %q cannot be used: behind the type %s it is %q: %v", r.Path, r.Prefix, rest, err)
		}
	}
	return nil
}

// functionHint names the function that was perhaps meant by one that is missing.
func (rp *ruleParser) functionHint(err error) string {
	var missing *fhirpath.Error
	if !errors.As(err, &missing) {
		return ""
	}
	_, name, found := strings.Cut(missing.Text, "there is no function ")
	if !found {
		return ""
	}
	if near := fhirpath.Nearest(strings.TrimSuffix(name, "()"), fhirpath.Functions(rp.o.dialect())); near != "" {
		return "; did you mean " + near + "()?"
	}
	return ""
}
