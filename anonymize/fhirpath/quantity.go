package fhirpath

import (
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// quantity is a number with a unit of UCUM, or with a calendar duration.
type quantity struct {
	value *apd.Decimal
	// unit is the code of UCUM ("1" for none), or a word of calendarUnits.
	unit     string
	calendar bool
	// either says that a year or month of a FHIR Quantity stands for a calendar
	// duration too, where one is asked for.
	either bool
}

func newQuantity(value *apd.Decimal, unit string, calendar bool) Item {
	if unit == "" {
		unit = "1"
	}
	return quantity{value: value, unit: unit, calendar: calendar}.item()
}

func (q quantity) item() Item { return Item{Kind: KindQuantity, Node: None, ref: &q} }

// with is the quantity with another number.
func (q quantity) with(value *apd.Decimal) quantity {
	q.value = value
	return q
}

func (q quantity) String() string {
	if q.calendar {
		if unit := calendarUnits[q.unit]; q.value.Cmp(apd.New(1, 0)) != 0 && unit == q.unit {
			return plainDecimal(q.value) + " " + unit + "s"
		}
		return plainDecimal(q.value) + " " + q.unit
	}
	return plainDecimal(q.value) + " '" + q.unit + "'"
}

// ucum is the unit as UCUM has it. Calendar years and months are not those of
// UCUM: exact says whether they may stand for each other.
func (q quantity) ucum() (code string, exact bool) {
	if !q.calendar {
		return q.unit, true
	}
	switch calendarUnits[q.unit] {
	case "year":
		return "a", false
	case "month":
		return "mo", false
	case "week":
		return "wk", true
	case "day":
		return "d", true
	case "hour":
		return "h", true
	case "minute":
		return "min", true
	case "second":
		return "s", true
	}
	return "ms", true
}

// asCalendar turns a year or month that may be either into a calendar one.
func (q quantity) asCalendar() quantity {
	if q.either {
		q.unit = map[string]string{"a": "year", "mo": "month"}[q.unit]
		q.calendar, q.either = true, false
	}
	return q
}

// settle decides what quantities that may be either are, beside each other.
func settle(a, b quantity) (quantity, quantity) {
	if a.calendar {
		b = b.asCalendar()
	}
	if b.calendar {
		a = a.asCalendar()
	}
	return a, b
}

// monthsPer and daysPer are the calendar durations that are whole numbers of each
// other (https://hl7.org/fhirpath/#toquantityunit-string--quantity).
var (
	monthsPer = map[string]int64{"year": 12, "month": 1}
	daysPer   = map[string]int64{"year": 365, "month": 30, "week": 7, "day": 1}
)

// sameMeasure brings two quantities to one unit; ok is false where that cannot
// be. exact asks that calendar years and months are neither those of UCUM nor so
// many days.
func sameMeasure(a, b quantity, exact bool) (x, y *apd.Decimal, ok bool) {
	a, b = settle(a, b)
	if a.unit == b.unit && a.calendar == b.calendar {
		return a.value, b.value, true
	}
	codeA, exactA := a.ucum()
	codeB, exactB := b.ucum()
	if a.calendar && b.calendar && !exactA && !exactB {
		return product(a.value, monthsPer[a.unit]), product(b.value, monthsPer[b.unit]), true
	}
	if exact && (!exactA || !exactB) {
		return nil, nil, false
	}
	u, ok1 := parseUnit(codeA)
	v, ok2 := parseUnit(codeB)
	if !ok1 || !ok2 || u.dims != v.dims {
		return nil, nil, false
	}
	return u.base(a.value), v.base(b.value), true
}

func product(d *apd.Decimal, n int64) *apd.Decimal {
	r, ok := calculate("*", d, apd.New(n, 0))
	if !ok {
		return d
	}
	return r
}

// convertTo gives the quantity in another unit.
func (q quantity) convertTo(unit string) (quantity, bool) {
	if to, ok := calendarUnits[unit]; ok {
		return q.asCalendar().toCalendar(to)
	}
	from, exact := q.ucum()
	if !exact {
		return q, false
	}
	if from == unit {
		return quantity{value: q.value, unit: unit}, true
	}
	if q.calendar && (unit == "a" || unit == "mo") {
		return q, false // how many days they have, the calendar does not say
	}
	u, ok1 := parseUnit(from)
	v, ok2 := parseUnit(unit)
	if !ok1 || !ok2 || u.dims != v.dims {
		return q, false
	}
	return quantity{value: v.fromBase(u.base(q.value)), unit: unit}, true
}

// toCalendar converts to a calendar duration. Years and months are those of the
// calendar, 365 and 30 days where days are asked for.
func (q quantity) toCalendar(unit string) (quantity, bool) {
	to := quantity{value: q.value, unit: unit, calendar: true}
	if q.calendar && q.unit == unit {
		return q, true
	}
	_, exactFrom := q.ucum()
	code, exactTo := to.ucum()
	if exactFrom && exactTo {
		from, _ := q.ucum()
		r, ok := quantity{value: q.value, unit: from}.convertTo(code)
		to.value = r.value
		return to, ok
	}
	if !q.calendar {
		return q, false
	}
	per, from := monthsPer, q.unit
	if per[from] == 0 || per[unit] == 0 {
		per = daysPer
		if per[from] == 0 { // hours and less, by way of days
			days, ok := q.toCalendar("day")
			if !ok {
				return q, false
			}
			return days.toCalendar(unit)
		}
	}
	if per[unit] == 0 {
		return quantity{value: product(q.value, per[from]), unit: "day", calendar: true}.toCalendar(unit)
	}
	r, ok := calculate("/", product(q.value, per[from]), apd.New(per[unit], 0))
	to.value = r
	return to, ok
}

// finer is the finer of the units of two quantities.
func finer(a, b quantity) (unit string, ok bool) {
	codeA, _ := a.ucum()
	codeB, _ := b.ucum()
	u, ok1 := parseUnit(codeA)
	v, ok2 := parseUnit(codeB)
	if !ok1 || !ok2 || u.dims != v.dims {
		return "", false
	}
	if v.factor.Cmp(u.factor) < 0 {
		return b.unit, true
	}
	return a.unit, true
}

// pure is a quantity without dimensions as a number.
func (q quantity) pure() (*apd.Decimal, bool) {
	if q.calendar {
		return nil, false
	}
	u, ok := parseUnit(q.unit)
	if !ok || u.dims != (dims{}) || q.unit == "deg" {
		return nil, false
	}
	return u.base(q.value), true
}

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
