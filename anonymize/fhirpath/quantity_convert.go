package fhirpath

import "github.com/cockroachdb/apd/v3"

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
