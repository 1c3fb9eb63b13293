package anonymize

import "time"

// date is a calendar date of some precision.
type date struct {
	year, month, day int
	precision        precision
}

type precision uint8

const (
	precisionYear precision = iota
	precisionMonth
	precisionDay
)

// parseDate reads YYYY, YYYY-MM or YYYY-MM-DD, and returns what is behind it.
func parseDate(b []byte) (d date, rest []byte, ok bool) {
	year, b, ok := number(b, 4)
	if !ok || year == 0 {
		return d, nil, false
	}
	d = date{year, 1, 1, precisionYear}
	if len(b) == 0 || b[0] != '-' {
		return d, b, len(b) == 0
	}
	d.month, b, ok = number(b[1:], 2)
	if !ok || d.month < 1 || d.month > 12 {
		return d, nil, false
	}
	d.precision = precisionMonth
	if len(b) == 0 || b[0] != '-' {
		return d, b, len(b) == 0
	}
	d.day, b, ok = number(b[1:], 2)
	if !ok || d.day < 1 || d.day > daysIn(d.year, d.month) {
		return d, nil, false
	}
	d.precision = precisionDay
	return d, b, true
}

// number reads exactly n digits.
func number(b []byte, n int) (value int, rest []byte, ok bool) {
	if len(b) < n {
		return 0, nil, false
	}
	for _, c := range b[:n] {
		if c < '0' || c > '9' {
			return 0, nil, false
		}
		value = value*10 + int(c-'0')
	}
	return value, b[n:], true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// clock is a time of day as it is written.
type clock struct{ seconds bool }

// parseClock reads HH:MM, HH:MM:SS or HH:MM:SS.fff, and returns what is behind
// it.
func parseClock(b []byte) (c clock, rest []byte, ok bool) {
	hour, b, ok := number(b, 2)
	if !ok || hour > 23 || len(b) == 0 || b[0] != ':' {
		return c, nil, false
	}
	minute, b, ok := number(b[1:], 2)
	if !ok || minute > 59 {
		return c, nil, false
	}
	if len(b) == 0 || b[0] != ':' {
		return c, b, true
	}
	second, b, ok := number(b[1:], 2)
	if !ok || second > 59 {
		return c, nil, false
	}
	c.seconds = true
	if len(b) > 0 && b[0] == '.' {
		i := 1
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		if i == 1 {
			return c, nil, false
		}
		b = b[i:]
	}
	return c, b, true
}

// isZone reports whether the text is Z or an offset up to 14:00.
func isZone(b []byte) bool {
	if string(b) == "Z" {
		return true
	}
	if len(b) != 6 || b[0] != '+' && b[0] != '-' || b[3] != ':' {
		return false
	}
	hour, _, ok1 := number(b[1:], 2)
	minute, _, ok2 := number(b[4:], 2)
	return ok1 && ok2 && minute < 60 && (hour < 14 || hour == 14 && minute == 0)
}

// validDateTime accepts dates of any precision, and times with or without
// seconds and zone.
func validDateTime(b []byte) bool {
	d, rest, ok := parseDate(b)
	if !ok {
		return false
	}
	if len(rest) == 0 {
		return true
	}
	if d.precision != precisionDay {
		return false
	}
	if rest[0] != 'T' {
		return isZone(rest)
	}
	_, rest, ok = parseClock(rest[1:])
	return ok && (len(rest) == 0 || isZone(rest))
}

// time is midnight of the date.
func (d date) time() time.Time {
	return time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC)
}

// ageAt is how many whole years lie between the date and an instant.
func (d date) ageAt(at time.Time) int {
	age := at.Year() - d.year
	if int(at.Month()) < d.month || int(at.Month()) == d.month && at.Day() < d.day {
		age--
	}
	return age
}

// oldest is the age above which a date is dropped: 45 CFR 164.514(b)(2)(i)(C).
const oldest = 89
