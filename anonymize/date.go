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
	if len(b) < 4 {
		return d, nil, false
	}
	century, ok1 := twoDigits(b[0], b[1])
	year, ok2 := twoDigits(b[2], b[3])
	year += 100 * century
	if !ok1 || !ok2 || year == 0 {
		return d, nil, false
	}
	d = date{year, 1, 1, precisionYear}
	if len(b) == 4 || b[4] != '-' {
		return d, b[4:], len(b) == 4
	}
	if len(b) < 7 {
		return d, nil, false
	}
	d.month, ok = twoDigits(b[5], b[6])
	if !ok || d.month < 1 || d.month > 12 {
		return d, nil, false
	}
	d.precision = precisionMonth
	if len(b) == 7 || b[7] != '-' {
		return d, b[7:], len(b) == 7
	}
	if len(b) < 10 {
		return d, nil, false
	}
	d.day, ok = twoDigits(b[8], b[9])
	if !ok || d.day < 1 || d.day > 28 && d.day > daysIn(d.year, d.month) {
		return d, nil, false
	}
	d.precision = precisionDay
	return d, b[10:], true
}

func twoDigits(a, b byte) (value int, ok bool) {
	a, b = a-'0', b-'0'
	return int(a)*10 + int(b), a <= 9 && b <= 9
}

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

// clock is a time of day as it is written.
type clock struct {
	seconds  bool
	fraction int // its length, with the point
}

// parseClock reads HH:MM, HH:MM:SS or HH:MM:SS.fff, and returns what is behind
// it.
func parseClock(b []byte) (c clock, rest []byte, ok bool) {
	if len(b) < 5 || b[2] != ':' {
		return c, nil, false
	}
	hour, ok1 := twoDigits(b[0], b[1])
	minute, ok2 := twoDigits(b[3], b[4])
	if !ok1 || !ok2 || hour > 23 || minute > 59 {
		return c, nil, false
	}
	if len(b) == 5 || b[5] != ':' {
		return c, b[5:], true
	}
	if len(b) < 8 {
		return c, nil, false
	}
	second, ok := twoDigits(b[6], b[7])
	if !ok || second > 60 { // 60 is a leap second
		return c, nil, false
	}
	c.seconds = true
	b = b[8:]
	if len(b) > 0 && b[0] == '.' {
		i := 1
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		if i == 1 {
			return c, nil, false
		}
		c.fraction, b = i, b[i:]
	}
	return c, b, true
}

// isZone reports whether the text is Z or an offset up to 14:00.
func isZone(b []byte) bool {
	if len(b) == 1 {
		return b[0] == 'Z'
	}
	if len(b) != 6 || b[0] != '+' && b[0] != '-' || b[3] != ':' {
		return false
	}
	hour, ok1 := twoDigits(b[1], b[2])
	minute, ok2 := twoDigits(b[4], b[5])
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

// days counts the days from 0000-03-01 to the date, as if the calendar of today
// had always been. A year that begins in March has its leap day at its end.
func (d date) days() int {
	year, month := d.year, d.month-3
	if month < 0 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*month+2)/5 + d.day - 1
}

// civil is the date of a number of days; it is days the other way.
func civil(days int) date {
	const cycle = 146097 // days in 400 years
	era := days / cycle
	if days < 0 {
		era = (days - cycle + 1) / cycle
	}
	days -= era * cycle
	year := (days - days/1460 + days/36524 - days/(cycle-1)) / 365
	days -= 365*year + year/4 - year/100
	month := (5*days + 2) / 153
	d := date{era*400 + year, month + 3, days - (153*month+2)/5 + 1, precisionDay}
	if d.month > 12 {
		d.year, d.month = d.year+1, d.month-12
	}
	return d
}

// append writes YYYY-MM-DD.
func (d date) append(dst []byte) []byte {
	y, m, day := d.year, d.month, d.day
	return append(dst, '0'+byte(y/1000), '0'+byte(y/100%10), '0'+byte(y/10%10), '0'+byte(y%10),
		'-', '0'+byte(m/10), '0'+byte(m%10), '-', '0'+byte(day/10), '0'+byte(day%10))
}

// dateAt is the date of an instant.
func dateAt(at time.Time) date {
	year, month, day := at.Date()
	return date{year, int(month), day, precisionDay}
}

// ageAt is how many whole years lie between the date and another.
func (d date) ageAt(at date) int {
	age := at.year - d.year
	if at.month < d.month || at.month == d.month && at.day < d.day {
		age--
	}
	return age
}

// oldest is the age above which a date is dropped: 45 CFR 164.514(b)(2)(i)(C).
const oldest = 89
