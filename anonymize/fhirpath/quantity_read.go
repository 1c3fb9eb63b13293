package fhirpath

import (
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// quantityOf is a FHIR Quantity as a System.Quantity
// (https://hl7.org/fhir/fhirpath.html#quantity).
func (e *Evaluator) quantityOf(n int32) (Item, bool) {
	switch e.doc.Type(n).Name {
	case "Quantity", "SimpleQuantity", "MoneyQuantity", "Age", "Count", "Distance", "Duration":
	default:
		return Item{}, false
	}
	var value *apd.Decimal
	var code, unit, system string
	for c := e.doc.First(n); c != None; c = e.doc.Next(c) {
		text, ok := e.doc.Text(c)
		if !ok {
			continue
		}
		switch e.doc.Element(c).Name {
		case "value":
			value, ok = parseDecimal(string(text))
		case "code":
			code = string(text)
		case "unit":
			unit = string(text)
		case "system":
			system = string(text)
		case "comparator":
			ok = false // "<5" is no amount
		}
		if !ok {
			return Item{}, false
		}
	}
	switch {
	case value == nil:
		return Item{}, false
	case code == "" || system != "" && system != "http://unitsofmeasure.org":
		if code == "" {
			code = unit
		}
		return newQuantity(value, code, false), true
	}
	if code == "a" || code == "mo" {
		return quantity{value: value, unit: code, either: true}.item(), true
	}
	return newQuantity(value, code, false), true
}

// parseQuantity reads "4 days", "4 'mg'" and "4".
func parseQuantity(text string) (quantity, bool) {
	text = strings.TrimSpace(text)
	i := 0
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		i++
	}
	start := i
	for i < len(text) && (isDigit(text[i]) || text[i] == '.') {
		i++
	}
	number := text[:i]
	if i == start || strings.HasPrefix(text[start:], ".") || strings.HasSuffix(number, ".") {
		return quantity{}, false
	}
	value, ok := parseDecimal(number)
	if !ok {
		return quantity{}, false
	}
	unit := strings.TrimSpace(text[i:])
	switch {
	case unit == "":
		return quantity{value: value, unit: "1"}, true
	case len(unit) > 2 && unit[0] == '\'' && unit[len(unit)-1] == '\'':
		return quantity{value: value, unit: unit[1 : len(unit)-1]}, true
	case calendarUnits[unit] != "":
		return quantity{value: value, unit: calendarUnits[unit], calendar: true}, true
	}
	return quantity{}, false
}
