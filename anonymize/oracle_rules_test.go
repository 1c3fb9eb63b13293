package anonymize

import (
	"errors"
	"slices"
	"strings"
	"time"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
	"fhirdeid/anonymize/policy"
)

// oracle runs the rules of a policy on one document.
type oracle struct {
	oracleTree
	policy *policy.Policy
	asOf   time.Time
	keys   Keys
	root   *oracleNode
}

// errSkippable is the one kind of error that "processingErrors": "skip" is for.
var errSkippable = errors.New("a processing error")

// runOracle is what the rules make of a line.
func runOracle(p *policy.Policy, model *fhirmodel.Model, asOf time.Time, keys Keys, line []byte) (string, error) {
	o := &oracle{oracleTree: oracleTree{model: model, exact: p.Compat == policy.CompatMicrosoft}, policy: p, asOf: asOf, keys: keys}
	v, err := readJSON(line)
	if err != nil {
		return "", err
	}
	if o.root, err = o.object(nil, nil, nil, v); err != nil {
		return "", err
	}
	switch err := o.resource(o.root, nil); {
	case errors.Is(err, errSkippable) && p.SkipErrors:
		return `{"resourceType":"` + o.root.typ.Name + `","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"REDACTED","display":"redacted"}]}}`, nil
	case err != nil:
		return "", err
	}
	return o.write(o.root), nil
}

// resource runs all rules that apply to a resource on it, then goes on to those
// in it.
func (o *oracle) resource(r, around *oracleNode) error {
	r.record = make(map[string]bool)
	index := below(r)
	for i := range o.policy.Rules {
		rule := &o.policy.Rules[i]
		if rule.Prefix != "" && rule.Prefix != "Resource" && rule.Prefix != "DomainResource" && rule.Prefix != r.typ.Name {
			continue
		}
		if rule.Unknown {
			return errors.New("the method is unknown")
		}
		nodes, err := o.find(rule, r, index)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if err := o.apply(rule, n, r); err != nil {
				return err
			}
		}
	}
	for _, n := range below(r) {
		if n.isResource {
			if err := o.resource(n, r); err != nil {
				return err
			}
		}
	}
	if !o.exact {
		dropWithoutURL(r, r)
	}
	if around != nil {
		for code := range r.record {
			around.record[code] = true
		}
	}
	if len(r.record) > 0 && r.name() != "contained" {
		o.label(r)
	}
	return nil
}

// below lists the nodes below a resource. Resources in it are listed, but not
// what is in them.
func below(n *oracleNode) (list []*oracleNode) {
	for _, c := range n.children {
		list = append(list, c)
		if !c.isResource {
			list = append(list, below(c)...)
		}
	}
	return list
}

// find finds the nodes that a rule leads to.
func (o *oracle) find(rule *policy.Rule, r *oracleNode, index []*oracleNode) ([]*oracleNode, error) {
	if rule.Self {
		return []*oracleNode{r}, nil
	}
	if rule.IndexBy != "" {
		var found []*oracleNode
		for _, n := range index {
			switch {
			case n.gone, rule.IndexBy == "type" && n.typ.Name != rule.IndexOf, rule.IndexBy == "name" && n.name() != rule.IndexOf:
			case rule.IndexSuffix == "":
				found = append(found, n)
			default:
				x, err := fhirpath.Parse(rule.IndexSuffix, rule.Expression.Dialect)
				if err != nil {
					return nil, err
				}
				nodes, err := o.eval(x, n)
				if err != nil {
					return nil, err
				}
				found = append(found, nodes...)
			}
		}
		return found, nil
	}
	return o.eval(rule.Expression, r)
}

// items evaluates an expression at a node.
func (o *oracle) items(x *fhirpath.Expression, at *oracleNode) ([]fhirpath.Item, *fhirpath.Evaluator, error) {
	e := fhirpath.NewEvaluator(fhirpath.Options{Model: o.model, Now: o.asOf})
	items, err := e.Eval(x, &o.oracleTree, at.number)
	return items, e, err
}

// eval evaluates an expression that leads to nodes.
func (o *oracle) eval(x *fhirpath.Expression, at *oracleNode) ([]*oracleNode, error) {
	items, _, err := o.items(x, at)
	if err != nil {
		return nil, err
	}
	var nodes []*oracleNode
	for _, i := range items {
		if i.Kind != fhirpath.KindNode {
			return nil, errors.New("the path leads to a value")
		}
		nodes = append(nodes, o.nodes[i.Node])
	}
	return nodes, nil
}

// apply applies a rule of resource r to a node and all below it, as far as no
// rule has been there.
func (o *oracle) apply(rule *policy.Rule, n, r *oracleNode) error {
	if n.visited || n.gone {
		return nil
	}
	if err := o.method(rule, n, r); err != nil {
		return err
	}
	n.visited, n.owner = true, r
	for _, c := range slices.Clone(n.children) {
		if c.isResource {
			continue
		}
		if rule.Method == policy.GeneralizeBy && n.typ.Kind.Primitive() {
			forgetBelow(c, r)
			continue
		}
		if err := o.apply(rule, c, r); err != nil {
			return err
		}
	}
	return nil
}

// dropWithoutURL redacts what is left of extensions that have lost their URL.
func dropWithoutURL(n, r *oracleNode) {
	url := n.child("url")
	lost := n.typ.Name == "Extension" && (n.urlLost || url != nil && url.lost)
	for _, c := range n.children {
		switch {
		case lost:
			redactAllOf(c, r)
		case !c.isResource:
			dropWithoutURL(c, r)
		}
	}
}

func redactAllOf(n, r *oracleNode) {
	if n.has {
		n.remove()
		if n.owner != nil {
			r = n.owner
		}
		r.record["REDACTED"] = true
	}
	for _, c := range n.children {
		redactAllOf(c, r)
	}
}

// forgetBelow removes what stands below a primitive that is generalized.
func forgetBelow(n, r *oracleNode) {
	if n.visited {
		return
	}
	n.visited, n.owner = true, r
	if n.has {
		n.remove()
		r.record["GENERALIZED"] = true
	}
	for _, c := range n.children {
		forgetBelow(c, r)
	}
}

func (n *oracleNode) remove() { n.has, n.text, n.json, n.lost = false, "", "", n.lost || n.has }

// label adds the labels of what was done to a resource.
func (o *oracle) label(r *oracleNode) {
	meta := r.child("meta")
	if meta == nil {
		elem := r.typ.Member([]byte("meta"))
		meta = o.add(r, elem, elem.Type)
	}
	security := meta.typ.Member([]byte("security"))
	for _, l := range []struct{ system, code, display string }{
		{"http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "REDACTED", "redacted"},
		{"http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "ABSTRED", "abstracted"},
		{"http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "CRYTOHASH", "cryptographic hash function"},
		{"http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "MASKED", "masked"},
		{"", "PERTURBED", "exact value is replaced with another exact value"},
		{"", "SUBSTITUTED", "exact value is replaced with a predefined value"},
		{"", "GENERALIZED", "exact value is replaced with a general value"},
	} {
		if !r.record[l.code] || slices.ContainsFunc(meta.children, func(c *oracleNode) bool {
			if c.elem != security {
				return false
			}
			code := c.child("code")
			return code != nil && code.has && strings.EqualFold(code.text, l.code)
		}) {
			continue
		}
		coding := o.add(meta, security, security.Type)
		for _, m := range []struct{ key, text string }{{"system", l.system}, {"code", l.code}, {"display", l.display}} {
			if m.text != "" {
				elem := coding.typ.Member([]byte(m.key))
				o.add(coding, elem, elem.Type).read(m.text)
			}
		}
	}
	// An existing meta is made anew: its members in order, the instant in the form
	// of .NET.
	slices.SortStableFunc(meta.children, func(a, b *oracleNode) int { return a.elem.Index - b.elem.Index })
	if at := meta.child("lastUpdated"); at != nil && at.has {
		for _, layout := range []string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02", "2006-01", "2006"} {
			if t, err := time.Parse(layout, at.text); err == nil {
				at.json = quoteJSON(t.Round(100 * time.Nanosecond).Format("2006-01-02T15:04:05.9999999-07:00"))
				break
			}
		}
	}
}
