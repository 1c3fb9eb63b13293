package fhirpath

import (
	"fmt"
	"strings"
	"time"
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
