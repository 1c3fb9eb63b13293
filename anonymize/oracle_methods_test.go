package anonymize

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
	"fhirdeid/anonymize/policy"
)

// method does to one node what a rule's method does.
func (o *oracle) method(rule *policy.Rule, n, r *oracleNode) error {
	switch rule.Method {
	case policy.Substitute:
		return o.substitute(rule, n, r)
	case policy.GeneralizeBy:
		return o.generalize(rule, n, r)
	case policy.PerturbBy:
		o.perturb(rule, n, r)
		return nil
	}
	if !n.has {
		return nil
	}
	switch rule.Method {
	case policy.Redact:
		o.redact(n, r)
	case policy.CryptoHash:
		o.hash(n, r)
	case policy.DateShift:
		o.shift(n, r)
	case policy.Encrypt:
		o.encrypt(n, r)
	}
	return nil
}

// plain is the text of a value as .NET has it.
func (n *oracleNode) plain() string {
	if n.typ.Kind == fhirmodel.Boolean {
		return strings.ToUpper(n.text[:1]) + n.text[1:]
	}
	return n.text
}

// setText makes a text the value, whatever the type.
func (n *oracleNode) setText(text string) {
	if text = strings.TrimSpace(text); text == "" {
		n.remove()
		return
	}
	n.has, n.text, n.json = true, text, quoteJSON(text)
}

func isDate(n *oracleNode) bool {
	return n.typ.Name == "date" || n.typ.Name == "dateTime" || n.typ.Name == "instant"
}

func (o *oracle) redact(n, r *oracleNode) {
	p := &o.policy.Parameters
	code := "REDACTED"
	switch {
	case isDate(n):
		o.redactDate(n, r)
		return
	case n.typ.Name == "decimal" && n.parent.typ.Name == "Age" && p.PartialAges:
		if age, err := strconv.ParseFloat(n.text, 64); err != nil || age > 89 {
			n.remove()
		}
	case n.name() == "postalCode" && p.PartialZIPCodes && (o.exact || regexp.MustCompile(`^[ -]*([0-9][ -]*){4,}$`).MatchString(n.text)):
		code = "ABSTRED"
		keep := 3
		for _, z := range p.RestrictedZIPCodes {
			if z != "" && strings.HasPrefix(n.text, z) {
				keep = 0
			}
		}
		runes := []rune(n.text)
		for i := keep; i < len(runes); i++ {
			if unicode.IsDigit(runes[i]) {
				runes[i] = '0'
			}
		}
		n.setText(string(runes))
	default:
		n.remove()
	}
	r.record[code] = true
}

// dayOf is the date at the beginning of a text, and its precision in parts.
func dayOf(text string) (t time.Time, parts int) {
	if len(text) > 10 {
		text = text[:10]
	}
	t, err := time.Parse("2006-01-02"[:max(0, min(len(text), 10))], text)
	if err != nil {
		return t, 0
	}
	return t, 1 + strings.Count(text, "-")
}

func (o *oracle) age(t time.Time) int {
	age := o.asOf.Year() - t.Year()
	if o.asOf.Month() < t.Month() || o.asOf.Month() == t.Month() && o.asOf.Day() < t.Day() {
		age--
	}
	return age
}

func (o *oracle) redactDate(n, r *oracleNode) {
	t, parts := dayOf(n.text)
	if !o.policy.Parameters.PartialDates || parts == 0 || o.age(t) > 89 {
		n.remove()
	} else {
		n.setText(fmt.Sprintf("%04d", t.Year()))
	}
	r.record["REDACTED"] = true
}

var timePattern = regexp.MustCompile(`T([0-9:]{8}(?:\.[0-9]+)?)(Z|[+-][0-9]{2}:[0-9]{2})$`)

func (o *oracle) shift(n, r *oracleNode) {
	if !isDate(n) {
		return
	}
	t, parts := dayOf(n.text)
	if parts != 3 || o.age(t) > 89 {
		o.redactDate(n, r)
		return
	}
	t = t.AddDate(0, 0, o.offset())
	if t.Year() < 1 || t.Year() > 9999 {
		o.redactDate(n, r)
		return
	}
	out := t.Format("2006-01-02")
	if m := timePattern.FindStringSubmatch(n.text); m != nil {
		out += "T" + regexp.MustCompile("[0-9]").ReplaceAllString(m[1], "0") + m[2]
	}
	n.setText(out)
	r.record["PERTURBED"] = true
}

// oraclePlace is where the resources come from: the folder has no name.
var oraclePlace = Place{File: "Patient.ndjson"}

// offset goes by the id of the root as it is now, or by where the document comes from.
func (o *oracle) offset() int {
	if days := o.policy.Parameters.DateShiftFixedOffsetInDays; days != nil {
		return *days
	}
	prefix := ""
	if o.policy.Parameters.DateShiftScope == policy.ScopeFile {
		prefix = oraclePlace.File
	} else if id := o.root.child("id"); id != nil { // for a folder without a name too
		prefix = id.text
	}
	h := 0
	for _, b := range []byte(prefix + string(o.keys.DateShift)) {
		h = (h*131 + int(b)) % 101
	}
	return h - 50
}

func (o *oracle) hmac(text string) string {
	h := hmac.New(sha256.New, o.keys.CryptoHash)
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

func (o *oracle) hash(n, r *oracleNode) {
	reference := n.name() == "reference" && n.parent.typ.Name == "Reference"
	if !o.exact {
		switch n.parent.typ.Path + "." + n.name() {
		case "Bundle.entry.fullUrl", "Bundle.entry.request.url", "Bundle.entry.response.location":
			reference = true
		}
	}
	if reference {
		n.setText(o.hashReference(n.text))
	} else {
		n.setText(o.hmac(n.plain()))
	}
	r.record["CRYTOHASH"] = true
}

var (
	anyReference = regexp.MustCompile(`^((?:https?://(?:[^@?#\\"<> \t\r\n]*/)?)?([A-Za-z]+)/)([A-Za-z0-9.-]{1,64})((?:/_history/[A-Za-z0-9.-]{1,64})?)(#.*)?$`)
	urnPattern   = regexp.MustCompile(`^(urn:oid:)([0-2](?:\.(?:0|[1-9][0-9]*))+)$|^(urn:uuid:)([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})$`)
)

// microsoftReference is the expression of Microsoft's tool: its base has no hyphen,
// and the type no left boundary.
func microsoftReference(model *fhirmodel.Model) *regexp.Regexp {
	if r, ok := microsoftReferences.Load(model.Version); ok {
		return r.(*regexp.Regexp)
	}
	var names []string
	for _, t := range model.ResourceTypes() {
		names = append(names, t.Name)
	}
	r := regexp.MustCompile(`^((?:https?://[A-Za-z0-9\\/.:%$]*)?(` + strings.Join(names, "|") + `)/)([A-Za-z0-9.-]{1,64})((?:/_history/[A-Za-z0-9.-]{1,64})?)$`)
	microsoftReferences.Store(model.Version, r)
	return r
}

var microsoftReferences sync.Map

func (o *oracle) hashReference(text string) string {
	if rest, ok := strings.CutPrefix(text, "#"); ok {
		if rest == "" {
			return "#"
		}
		return "#" + o.hmac(rest)
	}
	if m := urnPattern.FindStringSubmatch(text); m != nil {
		return m[1] + m[3] + o.hmac(m[2]+m[4])
	}
	m := anyReference.FindStringSubmatch(text)
	if o.exact {
		m = microsoftReference(o.model).FindStringSubmatch(text)
	}
	if m == nil || o.model.ResourceType([]byte(m[2])) == nil {
		return o.hmac(text)
	}
	out := m[1] + o.hmac(m[3]) + m[4]
	if len(m) > 5 && len(m[5]) > 1 {
		out += "#" + o.hmac(m[5][1:])
	}
	return out
}

// encrypt makes the vector as the engine does where the same input has to give
// the same.
func (o *oracle) encrypt(n, r *oracleNode) {
	path := ""
	for p := n; ; p = p.parent {
		if p.elem == nil {
			path = p.typ.Name + path
			break
		}
		path = "." + p.elem.Key + path
	}
	h := hmac.New(sha256.New, append([]byte("iv "), o.keys.Encrypt...))
	h.Write([]byte(path + "\x00" + n.plain()))
	iv := h.Sum(nil)[:16]
	block, err := aes.NewCipher(o.keys.Encrypt)
	if err != nil {
		panic(err)
	}
	text := []byte(n.plain())
	padding := 16 - len(text)%16
	text = append(text, slices.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	n.setText(base64.StdEncoding.EncodeToString(append(iv, text...)))
	r.record["MASKED"] = true
}

var quantityTypes = []string{"Age", "Count", "Duration", "Distance", "Money", "Quantity", "MoneyQuantity", "SimpleQuantity"}

// perturb knows noise of width 0 only: then a number is rounded.
func (o *oracle) perturb(rule *policy.Rule, n, r *oracleNode) {
	number := n
	if slices.Contains(quantityTypes, n.typ.Name) {
		if number = n.child("value"); number == nil {
			return
		}
	}
	places := rule.Perturb.RoundTo
	switch number.typ.Name {
	case "decimal":
	case "integer", "positiveInt", "unsignedInt":
		places = 0
	default:
		return
	}
	if !number.has || number.visited {
		return
	}
	text := roundDecimal(number.text, places)
	switch {
	case number.typ.Name == "positiveInt" && (text == "0" || text[0] == '-'):
		text = "1"
	case number.typ.Name == "unsignedInt" && text[0] == '-':
		text = "0"
	}
	number.read(text)
	r.record["PERTURBED"] = true
	visitAll(n)
}

// roundDecimal rounds half to even, and does not pad.
func roundDecimal(text string, places int) string {
	_, fraction, _ := strings.Cut(text, ".")
	if len(fraction) <= places {
		return text
	}
	x, _ := new(big.Rat).SetString(text)
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	x.Mul(x, scale)
	whole := new(big.Int).Div(x.Num(), x.Denom()) // towards minus infinity, as the denominator is positive
	switch new(big.Rat).Sub(x, new(big.Rat).SetInt(whole)).Cmp(big.NewRat(1, 2)) {
	case 1:
		whole.Add(whole, big.NewInt(1))
	case 0:
		if whole.Bit(0) == 1 {
			whole.Add(whole, big.NewInt(1))
		}
	}
	return new(big.Rat).Quo(new(big.Rat).SetInt(whole), scale).FloatString(places)
}

// visitAll says of all below a node that a rule has been there. In a resource that
// an earlier rule has been at, its own rules are still to come.
func visitAll(n *oracleNode) {
	for _, c := range n.children {
		if !c.visited {
			c.visited = true
			visitAll(c)
		}
	}
}

func (o *oracle) generalize(rule *policy.Rule, n, r *oracleNode) error {
	if !n.typ.Kind.Primitive() {
		return errors.New("generalize is for primitives")
	}
	if !n.has {
		return nil
	}
	r.record["GENERALIZED"] = true
	for _, c := range rule.Generalize.Cases {
		items, e, err := o.items(c.Condition, n)
		if err != nil {
			return errSkippable
		}
		holds := o.exact
		if len(items) == 1 {
			if value, ok := e.Truth(items[0]); ok {
				holds = value
			}
		}
		if !holds {
			continue
		}
		if items, e, err = o.items(c.Target, n); err != nil || len(items) > 1 {
			return errSkippable
		}
		if len(items) == 0 {
			n.remove()
			return nil
		}
		item := items[0]
		if item.Kind == fhirpath.KindNode {
			if item.Node == n.number {
				return nil
			}
			var ok bool
			if item, ok = e.Value(item); !ok {
				return errSkippable
			}
		}
		text := item.Text()
		n.setText(text)
		number := n.typ.Kind == fhirmodel.Integer || n.typ.Kind == fhirmodel.Decimal
		switch item.Kind {
		case fhirpath.KindBoolean:
			if n.typ.Kind == fhirmodel.Boolean {
				n.json = text
			}
		case fhirpath.KindInteger, fhirpath.KindDecimal:
			if number {
				n.json = text
			}
		case fhirpath.KindLong:
			if number && !o.exact {
				n.json = text
			}
		}
		return nil
	}
	if !rule.Generalize.KeepOthers {
		n.remove()
	}
	return nil
}

func (o *oracle) substitute(rule *policy.Rule, n, r *oracleNode) error {
	with := rule.ReplaceWith
	if n.typ.Kind.Primitive() {
		n.keepVisited()
		if with.Null {
			n.remove()
		} else {
			n.setText(with.Text)
		}
		r.record["SUBSTITUTED"] = true
		visitAll(n)
		return nil
	}
	text := with.Object
	if with.Null {
		text = []byte("{}")
	}
	v, err := readJSON(text)
	if err != nil {
		return err
	}
	other := &oracleTree{model: o.model, exact: true}
	x := &oracleNode{typ: n.typ, isResource: n.isResource}
	if err := other.members(x, n.typ, v); err != nil {
		return err
	}
	o.merge(n, x)
	r.record["SUBSTITUTED"] = true
	visitAll(n)
	return nil
}

// emptyUnvisited takes away what no rule has been at, and reports whether anything
// has to stay.
func emptyUnvisited(n *oracleNode) bool {
	if n.visited {
		return true
	}
	n.keepVisited()
	n.remove()
	n.gone = len(n.children) == 0
	return !n.gone
}

func (n *oracleNode) keepVisited() {
	var left []*oracleNode
	for _, c := range n.children {
		if emptyUnvisited(c) {
			left = append(left, c)
		} else if c.lost && c.name() == "url" && n.typ.Name == "Extension" {
			n.urlLost = true
		}
	}
	n.children = left
}

// merge makes the children of n those of x, name by name and place by place.
func (o *oracle) merge(n, x *oracleNode) {
	places := make(map[string]int)
	used := make(map[*oracleNode]bool)
	var list []*oracleNode
	for _, c := range n.children {
		var with *oracleNode
		place := 0
		for _, d := range x.children {
			if d.name() == c.name() {
				if place == places[c.name()] {
					with = d
					break
				}
				place++
			}
		}
		places[c.name()]++
		used[with] = true
		switch {
		case c.visited:
			list = append(list, c)
		case with != nil && with.elem == c.elem && with.typ == c.typ:
			c.has, c.text, c.json = with.has, with.text, with.json
			o.merge(c, with)
			list = append(list, c)
		case emptyUnvisited(c):
			list = append(list, c)
		case with != nil:
			list = append(list, o.graft(n, with))
		}
	}
	rest := slices.Clone(x.children)
	slices.SortStableFunc(rest, func(a, b *oracleNode) int { return a.elem.Index - b.elem.Index })
	for _, d := range rest {
		if !used[d] {
			list = append(list, o.graft(n, d))
		}
	}
	n.children = list
}

// graft is a copy of a node of a replacement.
func (o *oracle) graft(parent, d *oracleNode) *oracleNode {
	n := o.add(nil, d.elem, d.typ)
	n.parent, n.isResource, n.has, n.text, n.json = parent, d.isResource, d.has, d.text, d.json
	rest := slices.Clone(d.children)
	slices.SortStableFunc(rest, func(a, b *oracleNode) int { return a.elem.Index - b.elem.Index })
	for _, c := range rest {
		n.children = append(n.children, o.graft(n, c))
	}
	return n
}
