package fhirpath

import (
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"fhirdeid/anonymize/fhirmodel"
)

// Kind says what an item is.
type Kind uint8

// The kinds of items: a node of the document, or a value of the System types.
const (
	KindNode Kind = iota
	KindBoolean
	KindString
	KindInteger
	KindLong
	KindDecimal
	KindDate
	KindDateTime
	KindTime
	KindQuantity
	// KindType is what type() gives.
	KindType
)

var kindNames = [...]string{"node", "Boolean", "String", "Integer", "Long", "Decimal", "Date", "DateTime", "Time", "Quantity", "TypeInfo"}

// String is the name of the System type.
func (k Kind) String() string { return kindNames[k] }

// Item is one element of a collection.
type Item struct {
	Kind Kind
	// Node is the number of the node; a value that was taken from a node has
	// None, unless it is a KindNode.
	Node int32
	num  int64  // Boolean, Integer, Long
	text []byte // String
	any  any    // *apd.Decimal, temporal, quantity, TypeName
}

// Boolean makes an item.
func Boolean(b bool) Item {
	i := Item{Kind: KindBoolean, Node: None}
	if b {
		i.num = 1
	}
	return i
}

// String makes an item.
func String(s string) Item { return Item{Kind: KindString, Node: None, text: []byte(s)} }

// Integer makes an item.
func Integer(n int64) Item { return Item{Kind: KindInteger, Node: None, num: n} }

func nodeItem(n int32) Item { return Item{Kind: KindNode, Node: n} }

func decimalItem(d *apd.Decimal) Item { return Item{Kind: KindDecimal, Node: None, any: d} }

func bytesItem(b []byte) Item { return Item{Kind: KindString, Node: None, text: b} }

// IsTrue reports whether the item is the value true.
func (i Item) IsTrue() bool { return i.Kind == KindBoolean && i.num != 0 }

func (i Item) isNumber() bool {
	return i.Kind == KindInteger || i.Kind == KindLong || i.Kind == KindDecimal
}

// decimal is the number of an Integer, Long or Decimal.
func (i Item) decimal() *apd.Decimal {
	if i.Kind == KindDecimal {
		return i.any.(*apd.Decimal)
	}
	return apd.New(i.num, 0)
}

// Text is the value of a system item as text, as toString() gives it; of a
// node it is "".
func (i Item) Text() string {
	switch i.Kind {
	case KindBoolean:
		return strconv.FormatBool(i.num != 0)
	case KindString:
		return string(i.text)
	case KindInteger, KindLong:
		return strconv.FormatInt(i.num, 10)
	case KindDecimal:
		return i.any.(*apd.Decimal).Text('f')
	case KindDate, KindDateTime, KindTime:
		return i.any.(temporal).String()
	case KindQuantity:
		return i.any.(quantity).String()
	case KindType:
		return i.any.(TypeName).String()
	}
	return ""
}

// String is the type as it is written in an expression.
func (t TypeName) String() string {
	if t.Namespace == "" {
		return t.Name
	}
	return t.Namespace + "." + t.Name
}

// parseNumber reads an Integer or a Decimal.
func parseNumber(text string) (Item, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n > 1<<31-1 || n < -1<<31 {
			return decimalItem(apd.New(n, 0)), true
		}
		return Integer(n), true
	}
	d, ok := parseDecimal(text)
	if !ok {
		return Item{}, false
	}
	return decimalItem(d), true
}

// maxDigits bounds decimals, so that no exponent becomes a long text.
const maxDigits = 400

func parseDecimal(text string) (*apd.Decimal, bool) {
	if len(text) > maxDigits {
		return nil, false
	}
	d, _, err := apd.NewFromString(text)
	if err != nil || d.Form != apd.Finite || d.Exponent > 100 || d.Exponent < -maxDigits {
		return nil, false
	}
	if d.Exponent > 0 {
		d.Coeff.Mul(&d.Coeff, new(apd.BigInt).Exp(apd.NewBigInt(10), apd.NewBigInt(int64(d.Exponent)), nil))
		d.Exponent = 0
	}
	return d, true
}

// nodeValue is the System value of a primitive node; ok is false where the node
// has none, or is complex and no quantity.
func (e *Evaluator) nodeValue(n int32) (Item, bool) {
	typ := e.doc.Type(n)
	if !typ.Kind.Primitive() {
		return Item{}, false
	}
	text, ok := e.doc.Text(n)
	if !ok {
		return Item{}, false
	}
	return systemValue(typ, text)
}

// systemValue reads the text of a primitive as its System type
// (https://hl7.org/fhir/fhirpath.html#types). Of a text that does not fit, the
// text itself is the value.
func systemValue(typ *fhirmodel.Type, text []byte) (Item, bool) {
	switch typ.Kind {
	case fhirmodel.Boolean:
		return Boolean(string(text) == "true"), true
	case fhirmodel.Integer:
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return Integer(n), true
		}
		if d, ok := parseDecimal(string(text)); ok { // 1e2
			if n, err := d.Int64(); err == nil {
				return Integer(n), true
			}
		}
	case fhirmodel.Decimal:
		if d, ok := parseDecimal(string(text)); ok {
			return decimalItem(d), true
		}
	case fhirmodel.Date:
		if t, ok := parseTemporal(text, tokenDate); ok {
			return t.item(), true
		}
	case fhirmodel.DateTime, fhirmodel.Instant:
		if t, ok := parseTemporal(text, tokenDateTime); ok {
			return t.item(), true
		}
	case fhirmodel.Time:
		if t, ok := parseTemporal(text, tokenTime); ok {
			return t.item(), true
		}
	}
	if typ.Name == "integer64" {
		if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return Item{Kind: KindLong, Node: None, num: n}, true
		}
	}
	return bytesItem(text), true
}

// value is the System value of any item; ok is false for a node without one.
func (e *Evaluator) value(i Item) (Item, bool) {
	if i.Kind != KindNode {
		return i, true
	}
	if v, ok := e.nodeValue(i.Node); ok {
		return v, true
	}
	return e.quantityOf(i.Node)
}
