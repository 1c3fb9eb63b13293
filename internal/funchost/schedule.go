package funchost

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// schedule says when a timer is due.
type schedule interface {
	// next is the first instant after t, in UTC; the zero time if there is none.
	next(t time.Time) time.Time
	// adjustForDST is what the host reports in TimerInfo.Schedule.
	adjustForDST() bool
}

// parseSchedule reads a timer's schedule: an NCRONTAB expression of six fields
// (five mean second 0), or a TimeSpan for a constant interval.
func parseSchedule(s string) (schedule, error) {
	if !strings.ContainsAny(strings.TrimSpace(s), " \t") {
		d, err := parseTimeSpan(s)
		if err != nil || d <= 0 {
			return nil, errSchedule
		}
		return interval(d), nil
	}
	return parseCron(s)
}

// monitored reports whether the host keeps a status of the schedule: only if
// none of the next occurrences are less than a minute apart.
func monitored(s schedule, now time.Time) bool {
	last := s.next(now)
	for range 5 {
		following := s.next(last)
		if following.IsZero() {
			return true
		}
		if following.Sub(last) < time.Minute {
			return false
		}
		last = following
	}
	return true
}

type interval time.Duration

func (i interval) next(t time.Time) time.Time { return t.Add(time.Duration(i)) }
func (interval) adjustForDST() bool           { return false }

var errSchedule = errors.New("not a schedule: six NCRONTAB fields (second minute hour day month weekday) or a time span hh:mm:ss are expected")

// cron is an NCRONTAB schedule. Unlike classic cron, a day must satisfy both
// the day and the weekday field.
type cron struct {
	second, minute, hour, day, month, weekday uint64
}

func (cron) adjustForDST() bool { return true }

func parseCron(s string) (cron, error) {
	fields := strings.Fields(s)
	if len(fields) == 5 {
		fields = append([]string{"0"}, fields...)
	}
	if len(fields) != 6 {
		return cron{}, errSchedule
	}
	var c cron
	for i, f := range []struct {
		set      *uint64
		min, max int
		names    string
	}{
		{&c.second, 0, 59, ""},
		{&c.minute, 0, 59, ""},
		{&c.hour, 0, 23, ""},
		{&c.day, 1, 31, ""},
		{&c.month, 1, 12, "jan feb mar apr may jun jul aug sep oct nov dec"},
		{&c.weekday, 0, 6, "sun mon tue wed thu fri sat"},
	} {
		set, err := parseCronField(fields[i], f.min, f.max, strings.Fields(f.names))
		if err != nil {
			return cron{}, err
		}
		*f.set = set
	}
	return c, nil
}

func parseCronField(field string, low, high int, names []string) (uint64, error) {
	var set uint64
	for item := range strings.SplitSeq(field, ",") {
		span, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			n, err := strconv.Atoi(stepText)
			if err != nil || n < 1 {
				return 0, errSchedule
			}
			step = n
		}
		from, to := low, high
		if span != "*" {
			first, last, ranged := strings.Cut(span, "-")
			var ok bool
			if from, ok = cronValue(first, low, high, names); !ok {
				return 0, errSchedule
			}
			switch {
			case ranged:
				if to, ok = cronValue(last, low, high, names); !ok {
					return 0, errSchedule
				}
			case !stepped:
				to = from
			}
		}
		if from > to {
			from, to = to, from // as NCRONTAB reads it
		}
		for v := from; v <= to; v += step {
			set |= 1 << v
		}
	}
	return set, nil
}

func cronValue(s string, low, high int, names []string) (int, bool) {
	for i, name := range names {
		if len(s) >= 3 && strings.EqualFold(s[:3], name) {
			return low + i, true
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= low && n <= high
}

func (c cron) next(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Second).Add(time.Second)
	limit := t.AddDate(30, 0, 0)
	for t.Before(limit) {
		switch {
		case c.month>>t.Month()&1 == 0:
			t = time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		case c.day>>t.Day()&1 == 0 || c.weekday>>t.Weekday()&1 == 0:
			t = time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, time.UTC)
		case c.hour>>t.Hour()&1 == 0:
			t = t.Truncate(time.Hour).Add(time.Hour)
		case c.minute>>t.Minute()&1 == 0:
			t = t.Truncate(time.Minute).Add(time.Minute)
		case c.second>>t.Second()&1 == 0:
			t = t.Add(time.Second)
		default:
			return t
		}
	}
	return time.Time{}
}
