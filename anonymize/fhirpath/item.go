package fhirpath

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
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
	num  int64 // Boolean, Integer, Long
	// ref is the rest of a value: *[]byte, *apd.Decimal, *temporal, *quantity or
	// *TypeName. What it points to is never changed.
	ref any
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
func String(s string) Item { return bytesItem([]byte(s)) }

// Integer makes an item.
func Integer(n int64) Item { return Item{Kind: KindInteger, Node: None, num: n} }

func nodeItem(n int32) Item { return Item{Kind: KindNode, Node: n} }

func decimalItem(d *apd.Decimal) Item { return Item{Kind: KindDecimal, Node: None, ref: d} }

func bytesItem(b []byte) Item { return Item{Kind: KindString, Node: None, ref: &b} }

func typeItem(t TypeName) Item { return Item{Kind: KindType, Node: None, ref: &t} }

// IsTrue reports whether the item is the value true.
func (i Item) IsTrue() bool { return i.Kind == KindBoolean && i.num != 0 }

func (i Item) isNumber() bool {
	return i.Kind == KindInteger || i.Kind == KindLong || i.Kind == KindDecimal
}

// decimal is the number of an Integer, Long or Decimal.
func (i Item) decimal() *apd.Decimal {
	if i.Kind == KindDecimal {
		return i.ref.(*apd.Decimal)
	}
	return apd.New(i.num, 0)
}

// The others are for items of their Kind only.

func (i Item) text() []byte { return *i.ref.(*[]byte) }

func (i Item) temporal() temporal { return *i.ref.(*temporal) }

func (i Item) quantity() quantity { return *i.ref.(*quantity) }

func (i Item) typeName() TypeName { return *i.ref.(*TypeName) }

// Text is the value of a system item as text, as toString() gives it; of a
// node it is "".
func (i Item) Text() string {
	switch i.Kind {
	case KindBoolean:
		return strconv.FormatBool(i.num != 0)
	case KindString:
		return string(i.text())
	case KindInteger, KindLong:
		return strconv.FormatInt(i.num, 10)
	case KindDecimal:
		return plainDecimal(i.decimal())
	case KindDate, KindDateTime, KindTime:
		return i.temporal().String()
	case KindQuantity:
		return i.quantity().String()
	case KindType:
		return i.typeName().String()
	}
	return ""
}

// JSON is a value as JSON: numbers and booleans as such, dates and times as FHIR
// has them, a quantity as its literal. A node is null; a Tree knows its JSON.
func (i Item) JSON() json.RawMessage {
	switch i.Kind {
	case KindNode:
		return json.RawMessage("null")
	case KindBoolean, KindInteger, KindLong, KindDecimal:
		return json.RawMessage(i.Text())
	case KindType:
		t := i.typeName()
		return json.RawMessage(`{"namespace":` + quoted(t.Namespace) + `,"name":` + quoted(t.Name) + `}`)
	}
	return json.RawMessage(quoted(i.Text()))
}

// quoted is a text as a JSON string.
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil { // it cannot fail for a string
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String is the type as it is written in an expression.
func (t TypeName) String() string {
	if t.Namespace == "" {
		return t.Name
	}
	return t.Namespace + "." + t.Name
}
