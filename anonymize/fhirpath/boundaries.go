package fhirpath

import "github.com/cockroachdb/apd/v3"

// Boundaries: https://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time.
// What is written with some precision stands for a range; these are its ends,
// with a precision of their own.
var boundaryFunctions = map[string]*function{
	"lowBoundary":  {max: 1, where: notMicrosoft, eval: boundary(-1)},
	"highBoundary": {max: 1, where: notMicrosoft, eval: boundary(1)},
	"precision":    {where: notMicrosoft, eval: precisionOf},
	"comparable": {min: 1, max: 1, where: notMicrosoft, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		other := e.arg(x, 0)
		if len(in) != 1 || len(other) != 1 {
			return nil
		}
		a, ok1 := e.value(in[0])
		b, ok2 := e.value(other[0])
		if !ok1 || !ok2 {
			return e.boolean(false)
		}
		p, ok1 := asQuantity(a)
		q, ok2 := asQuantity(b)
		if !ok1 || !ok2 {
			return e.boolean(false)
		}
		_, _, ok := sameMeasure(p, q, true)
		return e.boolean(ok)
	}},
}

// maxBoundary is the most decimals a boundary may be asked for.
const maxBoundary = 28

func boundary(side int) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		v, ok := e.convertible(x, in)
		if !ok {
			return nil
		}
		places := int64(-1)
		if len(x.Args) > 0 {
			if places, ok = e.wholeArg(x, 0); !ok || places < 0 {
				return nil
			}
		}
		switch v.Kind {
		case KindInteger, KindLong, KindDecimal:
			d, ok := decimalBoundary(v.decimal(), places, side)
			if !ok {
				return nil
			}
			return e.list(decimalItem(d))
		case KindQuantity:
			q := v.quantity()
			d, ok := decimalBoundary(q.value, places, side)
			if !ok {
				return nil
			}
			return e.list(q.with(d).item())
		case KindDate, KindDateTime, KindTime:
			t, ok := v.temporal().boundary(places, side)
			if !ok {
				return nil
			}
			return e.list(t.item())
		}
		return e.fail(x, "%s() takes a number, a quantity, a date or a time", x.Name)
	}
}

// decimalBoundary is the number half a last digit lower or higher, rounded that
// way; 8 decimals where none are asked for.
func decimalBoundary(d *apd.Decimal, places int64, side int) (*apd.Decimal, bool) {
	if places < 0 {
		places = 8
	}
	if places > maxBoundary {
		return nil, false
	}
	half := apd.New(5, min(d.Exponent, 0)-1)
	r, ok := calculate(map[int]string{-1: "-", 1: "+"}[side], d, half)
	if !ok {
		return nil, false
	}
	c := wide
	c.Precision = maxDigits * 2
	c.Rounding = apd.RoundFloor
	if side > 0 {
		c.Rounding = apd.RoundCeiling
	}
	_, err := c.Quantize(r, r, int32(-places))
	if r.IsZero() {
		r.Negative = false
	}
	return r, err == nil
}

// The digits of each precision, as precision() counts them.
var (
	dateDigits = map[int64]precision{4: toYear, 6: toMonth, 8: toDay, 10: toHour, 12: toMinute, 14: toSecond, 17: toMillisecond}
	timeDigits = map[int64]precision{2: toHour, 4: toMinute, 6: toSecond, 9: toMillisecond}
)

// boundary is the first or last moment that a date or time may be, with so many
// digits; of a dateTime without a zone, in the zone where it is first or last.
func (t temporal) boundary(digits int64, side int) (temporal, bool) {
	table, most := dateDigits, int64(17)
	switch t.of {
	case tokenDate:
		most = 8
	case tokenTime:
		table, most = timeDigits, 9
	}
	if digits < 0 {
		digits = most
	}
	to, ok := table[digits]
	if !ok || digits > most {
		return t, false
	}
	had := t.precision
	fill := func(p precision, low, high int, at *int) {
		if had < p && to >= p {
			*at = low
			if side > 0 {
				*at = high
			}
		}
	}
	fill(toMonth, 1, 12, &t.month)
	fill(toDay, 1, daysIn(t.year, t.month), &t.day)
	fill(toHour, 0, 23, &t.hour)
	fill(toMinute, 0, 59, &t.minute)
	fill(toSecond, 0, 59, &t.second)
	if to == toMillisecond {
		if had < toSecond || t.digits == 0 {
			t.nanos = 0
			if side > 0 {
				t.nanos = 999_000_000
			}
		}
		t.digits = 3
	} else {
		t.nanos, t.digits = 0, 0
	}
	t.precision = min(to, toSecond)
	switch {
	case t.precision < toHour:
		t.zoned, t.utc, t.offset = false, false, 0
	case t.of == tokenDateTime && !t.zoned:
		t.zoned, t.offset = true, 14*60
		if side > 0 {
			t.offset = -12 * 60
		}
	}
	return t, true
}

// precisionOf is how many digits a value has: decimals of a number, all of a date
// or time.
func precisionOf(e *Evaluator, x *Call, in Collection) Collection {
	v, ok := e.convertible(x, in)
	if !ok {
		return nil
	}
	switch v.Kind {
	case KindInteger, KindLong, KindDecimal:
		return e.list(Integer(int64(max(0, -v.decimal().Exponent))))
	case KindDate, KindDateTime, KindTime:
		t := v.temporal()
		p := t.precision
		if t.digits > 0 {
			p = toMillisecond
		}
		table := dateDigits
		if t.of == tokenTime {
			table = timeDigits
		}
		for digits, of := range table {
			if of == p {
				return e.list(Integer(digits))
			}
		}
	}
	return e.fail(x, "%s() takes a number, a date or a time", x.Name)
}
