package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fhirdeid/anonymize/fhirpath"
)

// Risk says how the result's risk of re-identification is measured: how many
// patients share each combination of quasi-identifiers, which are what somebody
// may know of a person from elsewhere.
type Risk struct {
	// QuasiIdentifiers are names of QuasiIdentifierNames, or element paths of
	// Patient by JSON members, such as "Patient.maritalStatus.coding.code".
	QuasiIdentifiers []string
	// K is how many patients a combination should have at least; fewer are
	// counted and reported (k-anonymity).
	K int
	// MinimumCell is how many each combination must have for a run to be released
	// without a person's word; 0 is any.
	MinimumCell int
}

// defaultK is the size below which US health agencies suppress a cell of a table:
// "no cell (eg admissions, discharges, patients, services) 10 or less may be
// displayed" (CMS cell size suppression policy).
const defaultK = 11

// QuasiIdentifierNames lists the quasi-identifiers that have a name. The first
// five are counted where a policy names none.
func QuasiIdentifierNames() []string {
	return []string{"birthYear", "sex", "zip3", "race", "ethnicity", "birthSex", "state"}
}

// DefaultRisk is what holds for a policy that says nothing of risk.
func DefaultRisk() Risk { return Risk{QuasiIdentifiers: QuasiIdentifierNames()[:5], K: defaultK} }

// patientPath is an element path of Patient.
var patientPath = regexp.MustCompile(`^Patient(\.[a-z][A-Za-z0-9]{0,63}){1,8}$`)

// maxQuasiIdentifiers bounds how many a policy may name.
const maxQuasiIdentifiers = 16

// readRisk reads the member "risk": {"quasiIdentifiers": [...], "k": 11,
// "minimumCell": 0}, each of which may be left out: then it is that of the profile
// which the file extends, or the default.
func (p *Policy) readRisk(root *node, _ *ParseOptions) error {
	p.Risk = DefaultRisk()
	if p.base != nil {
		p.Risk = p.base.Risk
	}
	v := root.getFold("risk")
	switch {
	case v == nil || v.kind == kindNull:
		return nil
	case v.kind != kindObject:
		return &Error{Line: v.line, Text: "\"risk\" must be an object, not " + v.kind.String()}
	}
	if err := p.checkNames(v, []string{"quasiIdentifiers", "k", "minimumCell"}); err != nil {
		return err
	}
	if err := p.Risk.readNames(v.getFold("quasiIdentifiers")); err != nil {
		return err
	}
	for _, n := range []struct {
		key   string
		least int
		into  *int
	}{{"k", 2, &p.Risk.K}, {"minimumCell", 0, &p.Risk.MinimumCell}} {
		number := v.getFold(n.key)
		if number == nil || number.kind == kindNull {
			continue
		}
		i, err := strconv.Atoi(number.text)
		if number.kind != kindNumber || err != nil || i < n.least || i > 1_000_000 {
			return &Error{Line: number.line, Text: fmt.Sprintf("%q must be a whole number from %d to 1000000", n.key, n.least)}
		}
		*n.into = i
	}
	return nil
}

func (r *Risk) readNames(list *node) error {
	if list == nil || list.kind == kindNull {
		return nil
	}
	if list.kind != kindArray || len(list.items) == 0 || len(list.items) > maxQuasiIdentifiers {
		return &Error{Line: list.line, Text: fmt.Sprintf("\"quasiIdentifiers\" must be a list of 1 to %d names or paths", maxQuasiIdentifiers)}
	}
	r.QuasiIdentifiers = nil
	for _, item := range list.items {
		if item.kind != kindString {
			return &Error{Line: item.line, Text: "\"quasiIdentifiers\" must be a list of texts, without " + item.kind.String()}
		}
		name, ok := quasiIdentifier(item.text)
		if !ok {
			hint := ""
			if near := fhirpath.Nearest(item.text, QuasiIdentifierNames()); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
			return &Error{Line: item.line, Text: fmt.Sprintf("a quasi-identifier is one of %s, or an element path such as Patient.maritalStatus.coding.code%s",
				strings.Join(QuasiIdentifierNames(), ", "), hint)}
		}
		if slices.Contains(r.QuasiIdentifiers, name) {
			return &Error{Line: item.line, Text: fmt.Sprintf("the quasi-identifier %q is named twice", name)}
		}
		r.QuasiIdentifiers = append(r.QuasiIdentifiers, name)
	}
	return nil
}

// quasiIdentifier is a name in its own case, or a path.
func quasiIdentifier(text string) (string, bool) {
	for _, name := range QuasiIdentifierNames() {
		if strings.EqualFold(name, text) {
			return name, true
		}
	}
	return text, patientPath.MatchString(text)
}
