package fhirpath

import (
	"fmt"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"
)

// temporal is a date, a dateTime or a time of some precision.
type temporal struct {
	of   tokenKind // tokenDate, tokenDateTime or tokenTime
	year int
	// month to second: what lies beyond the precision is 0, or 1 for a day and a
	// month.
	month, day, hour, minute, second int
	nanos                            int
	digits                           int // of the fraction
	precision                        precision
	zoned                            bool
	offset                           int  // in minutes
	utc                              bool // the zone was written as Z
}

type precision uint8

const (
	toYear precision = iota
	toMonth
	toDay
	toHour
	toMinute
	toSecond // with the fraction, which is no precision of its own
)

func (t temporal) kind() Kind {
	switch t.of {
	case tokenDate:
		return KindDate
	case tokenTime:
		return KindTime
	}
	return KindDateTime
}

func (t temporal) item() Item { return Item{Kind: t.kind(), Node: None, ref: &t} }

// parseTemporal reads the text of a date, a dateTime or a time. A dateTime may
// end in T, and of any precision.
func parseTemporal(b []byte, of tokenKind) (t temporal, ok bool) {
	t = temporal{of: of, month: 1, day: 1}
	r := reader{b: b}
	if of != tokenTime {
		if t.year = r.digits(4); t.year == 0 {
			return t, false
		}
		if r.take('-') {
			t.month, t.precision = r.digits(2), toMonth
			if r.take('-') {
				t.day, t.precision = r.digits(2), toDay
			}
		}
		if r.bad || t.month < 1 || t.month > 12 || t.day < 1 || t.day > daysIn(t.year, t.month) {
			return t, false
		}
		if of == tokenDate {
			return t, r.end()
		}
		if r.end() {
			return t, true
		}
		if !r.take('T') {
			return t, false
		}
		if r.end() {
			return t, true
		}
		if t.precision != toDay {
			return t, false
		}
	} else {
		r.take('T')
	}
	t.hour, t.precision = r.digits(2), toHour
	if r.take(':') {
		t.minute, t.precision = r.digits(2), toMinute
		if r.take(':') {
			t.second, t.precision = r.digits(2), toSecond
			if r.take('.') {
				t.nanos, t.digits = r.fraction()
			}
		}
	}
	if r.bad || t.hour > 23 || t.minute > 59 || t.second > 59 {
		return t, false
	}
	if of == tokenDateTime && !r.end() {
		t.zoned = true
		switch {
		case r.take('Z'):
			t.utc = true
		case r.take('+'):
			t.offset = r.zone()
		case r.take('-'):
			t.offset = -r.zone()
		default:
			return t, false
		}
	}
	return t, !r.bad && r.end()
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) end() bool { return len(r.b) == 0 }

func (r *reader) take(c byte) bool {
	if len(r.b) > 0 && r.b[0] == c {
		r.b = r.b[1:]
		return true
	}
	return false
}

func (r *reader) digits(n int) int {
	if len(r.b) < n {
		r.bad = true
		return 0
	}
	v := 0
	for _, c := range r.b[:n] {
		if !isDigit(c) {
			r.bad = true
			return 0
		}
		v = v*10 + int(c-'0')
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) fraction() (nanos, digits int) {
	scale := 100_000_000
	for ; len(r.b) > 0 && isDigit(r.b[0]); r.b = r.b[1:] {
		nanos += int(r.b[0]-'0') * scale
		scale /= 10
		digits++
	}
	r.bad = r.bad || digits == 0
	return nanos, digits
}

func (r *reader) zone() int {
	hours := r.digits(2)
	if !r.take(':') {
		r.bad = true
	}
	minutes := r.digits(2)
	if hours > 14 || minutes > 59 || hours == 14 && minutes > 0 {
		r.bad = true
	}
	return hours*60 + minutes
}

// daysIn is how many days a month has.
func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// String writes the value with its own precision.
func (t temporal) String() string {
	var b strings.Builder
	if t.of != tokenTime {
		fmt.Fprintf(&b, "%04d", t.year)
		if t.precision >= toMonth {
			fmt.Fprintf(&b, "-%02d", t.month)
		}
		if t.precision >= toDay {
			fmt.Fprintf(&b, "-%02d", t.day)
		}
		if t.precision >= toHour {
			b.WriteByte('T')
		}
	}
	if t.precision >= toHour {
		fmt.Fprintf(&b, "%02d", t.hour)
	}
	if t.precision >= toMinute {
		fmt.Fprintf(&b, ":%02d", t.minute)
	}
	if t.precision >= toSecond {
		fmt.Fprintf(&b, ":%02d", t.second)
		if t.digits > 0 {
			b.WriteString("." + fmt.Sprintf("%09d", t.nanos)[:min(t.digits, 9)])
		}
	}
	switch {
	case t.zoned && t.utc:
		b.WriteByte('Z')
	case t.zoned:
		sign, o := '+', t.offset
		if o < 0 {
			sign, o = '-', -o
		}
		fmt.Fprintf(&b, "%c%02d:%02d", sign, o/60, o%60)
	}
	return b.String()
}

func (t temporal) time() time.Time {
	return time.Date(t.year, time.Month(t.month), t.day, t.hour, t.minute, t.second, t.nanos, time.FixedZone("", t.offset*60))
}

// inUTC is the same instant at UTC, of a value with a zone.
func (t temporal) inUTC() temporal {
	if !t.zoned || t.offset == 0 {
		return t
	}
	return t.with(time.Date(t.year, time.Month(t.month), t.day, t.hour, t.minute-t.offset, t.second, t.nanos, time.UTC), 0)
}

func (t temporal) with(at time.Time, offset int) temporal {
	t.year, t.month, t.day = at.Year(), int(at.Month()), at.Day()
	t.hour, t.minute, t.second, t.nanos = at.Hour(), at.Minute(), at.Second(), at.Nanosecond()
	if t.offset != offset {
		t.utc = false
	}
	t.offset = offset
	return t
}

// compareTemporal compares part by part. known is false where the precisions do
// not tell, or where one has a zone and the other has none.
func (e *Evaluator) compareTemporal(a, b temporal) (order int, known bool) {
	mixed := a.zoned != b.zoned && a.precision >= toHour && b.precision >= toHour
	if mixed && !e.dialect.Rules {
		return 0, false
	}
	if a.zoned && b.zoned || e.dialect.Rules {
		a, b = a.inUTC(), b.inUTC()
	}
	x := [...]int{a.year, a.month, a.day, a.hour, a.minute, a.second}
	y := [...]int{b.year, b.month, b.day, b.hour, b.minute, b.second}
	from := toYear
	if a.of == tokenTime {
		from = toHour
	}
	for p := from; p <= min(a.precision, b.precision); p++ {
		switch {
		case mixed && p == toHour:
			return 0, false
		case x[p] < y[p]:
			return -1, true
		case x[p] > y[p]:
			return 1, true
		}
	}
	if a.precision != b.precision {
		return 0, false
	}
	switch {
	case a.precision < toSecond || a.nanos == b.nanos:
		return 0, true
	case a.nanos < b.nanos:
		return -1, true
	}
	return 1, true
}

// sameTemporalKind makes a Date and a DateTime comparable.
func sameTemporalKind(a, b temporal) bool {
	return (a.of == tokenTime) == (b.of == tokenTime)
}

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

// asDateTime is a Date as a DateTime.
func (t temporal) asDateTime() temporal {
	if t.of == tokenDate {
		t.of = tokenDateTime
	}
	return t
}

// asDate is the date of a DateTime.
func (t temporal) asDate() temporal {
	return temporal{of: tokenDate, year: t.year, month: t.month, day: t.day, precision: min(t.precision, toDay)}
}

// wide is the arithmetic of decimals: more digits than FHIR asks for.
var wide = apd.Context{Precision: 40, MaxExponent: 4000, MinExponent: -4000, Rounding: apd.RoundHalfEven}

// truncated is the number without decimals.
func truncated(d *apd.Decimal) *apd.Decimal {
	if d.Exponent >= 0 {
		return new(apd.Decimal).Set(d)
	}
	var whole, frac apd.Decimal
	d.Modf(&whole, &frac)
	if whole.Coeff.Sign() == 0 {
		whole.Negative = false
	}
	return &whole
}
