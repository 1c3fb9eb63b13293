package fhirpath

import "github.com/cockroachdb/apd/v3"

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
