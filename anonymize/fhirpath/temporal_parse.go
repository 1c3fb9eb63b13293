package fhirpath

import "time"

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

// daysIn is how many days a month has: day 0 is the last of the month before.
func daysIn(year, month int) int {
	return time.Date(year, time.Month(month+1), 0, 0, 0, 0, 0, time.UTC).Day()
}
