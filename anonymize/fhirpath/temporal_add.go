package fhirpath

import (
	"time"

	"github.com/cockroachdb/apd/v3"
)

// addQuantity adds a duration to a date or time
// (https://hl7.org/fhirpath/#datetime-arithmetic). An error is a unit that is
// no duration; ok is false where the result is out of range.
func (t temporal) addQuantity(q quantity, sign int) (result temporal, ok bool, err error) {
	q = q.asCalendar()
	unit, known := calendarUnits[q.unit]
	if !q.calendar {
		unit, known = map[string]string{"wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond"}[q.unit], false
		known = unit != ""
	}
	if !known && calendarUnits[q.unit] != "" { // 1 'month'
		unit, known = calendarUnits[q.unit], true
	}
	if !known {
		return t, false, &Error{-1, "a date or time can only be moved by a duration"}
	}
	if t.of == tokenTime && (unit == "year" || unit == "month" || unit == "week" || unit == "day") {
		return t, false, &Error{-1, "a time can only be moved by hours and less"}
	}
	// Only seconds and less may have decimals.
	n := new(apd.Decimal).Set(q.value)
	if sign < 0 {
		n.Neg(n)
	}
	if unit != "second" && unit != "millisecond" {
		if _, err := wide.RoundToIntegralValue(n, truncated(n)); err != nil {
			return t, false, nil
		}
	}
	// A precision lower than the unit: the amount in that precision, cut.
	amount, unit, ok := coarsen(n, unit, t)
	if !ok {
		return t, false, nil
	}
	return t.move(amount, unit)
}

// coarsen turns an amount into the unit of the value's precision where that is
// lower.
func coarsen(n *apd.Decimal, unit string, t temporal) (*apd.Decimal, string, bool) {
	names := [...]string{"year", "month", "day", "hour", "minute", "second"}
	level := map[string]precision{"year": toYear, "month": toMonth, "week": toDay, "day": toDay, "hour": toHour, "minute": toMinute, "second": toSecond, "millisecond": toSecond}
	precise := t.precision
	if t.of == tokenDate && precise > toDay {
		precise = toDay
	}
	if level[unit] <= precise {
		return n, unit, true
	}
	steps := map[string]struct {
		per  int64
		into string
	}{"millisecond": {1000, "second"}, "second": {60, "minute"}, "minute": {60, "hour"}, "hour": {24, "day"}, "day": {30, "month"}, "month": {12, "year"}, "year days": {365, "year"}}
	out := new(apd.Decimal).Set(n)
	for unit != names[precise] {
		if unit == "week" {
			out, unit = product(out, 7), "day"
			continue
		}
		if unit == "day" && precise == toYear {
			steps["day"] = steps["year days"]
		}
		s, ok := steps[unit]
		if !ok {
			return nil, "", false
		}
		if _, err := wide.Quo(out, out, apd.New(s.per, 0)); err != nil {
			return nil, "", false
		}
		out = truncated(out)
		unit = s.into
	}
	return out, unit, true
}

func (t temporal) move(amount *apd.Decimal, unit string) (temporal, bool, error) {
	if unit == "second" || unit == "millisecond" {
		ns := new(apd.Decimal)
		per := int64(time.Second)
		if unit == "millisecond" {
			per = int64(time.Millisecond)
		}
		if _, err := wide.Mul(ns, amount, apd.New(per, 0)); err != nil {
			return t, false, nil
		}
		n, err := truncated(ns).Int64()
		if err != nil {
			return t, false, nil
		}
		if fraction := int(n % int64(time.Second)); fraction != 0 && t.digits < 3 {
			t.digits = 3
		}
		return t.moved(t.time().Add(time.Duration(n)))
	}
	n, err := truncated(amount).Int64()
	if err != nil || n > 1_000_000_000 || n < -1_000_000_000 {
		return t, false, nil
	}
	switch unit {
	case "year", "month":
		months := n
		if unit == "year" {
			if n > 20_000 || n < -20_000 {
				return t, false, nil
			}
			months = n * 12
		}
		total := int64(t.year)*12 + int64(t.month-1) + months
		if total < 12 || total >= 10_000*12 {
			return t, false, nil
		}
		t.year, t.month = int(total/12), int(total%12)+1
		t.day = min(t.day, daysIn(t.year, t.month)) // the last day of the month
		return t, true, nil
	case "week":
		return t.moved(t.time().AddDate(0, 0, int(n)*7))
	case "day":
		return t.moved(t.time().AddDate(0, 0, int(n)))
	case "hour":
		return t.moved(t.time().Add(time.Duration(n%(24*366*10_000)) * time.Hour))
	}
	return t.moved(t.time().Add(time.Duration(n%(60*24*366*10_000)) * time.Minute))
}

func (t temporal) moved(at time.Time) (temporal, bool, error) {
	if t.of != tokenTime && (at.Year() < 1 || at.Year() > 9999) {
		return t, false, nil
	}
	m := t.with(at, t.offset)
	if t.of == tokenTime {
		m.year, m.month, m.day = t.year, t.month, t.day
	}
	return m, true, nil
}
