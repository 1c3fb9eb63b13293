package funchost

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

var errTimeSpan = errors.New("not a time span of the form [d.]hh:mm:ss[.fffffff]")

// parseTimeSpan reads a .NET TimeSpan: [-][d.]hh:mm[:ss[.fffffff]], or whole
// days as a bare number.
func parseTimeSpan(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	sign := time.Duration(1)
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		sign, s = -1, rest
	}
	if days, err := strconv.ParseUint(s, 10, 16); err == nil {
		return sign * time.Duration(days) * 24 * time.Hour, nil
	}
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, errTimeSpan
	}
	var total time.Duration
	if days, hours, ok := strings.Cut(parts[0], "."); ok {
		d, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, errTimeSpan
		}
		total = time.Duration(d) * 24 * time.Hour
		parts[0] = hours
	}
	seconds, fraction := "0", ""
	if len(parts) == 3 {
		seconds, fraction, _ = strings.Cut(parts[2], ".")
	}
	for _, f := range []struct {
		text  string
		unit  time.Duration
		limit uint64
	}{{parts[0], time.Hour, 24}, {parts[1], time.Minute, 60}, {seconds, time.Second, 60}} {
		n, err := strconv.ParseUint(f.text, 10, 16)
		if err != nil || n >= f.limit {
			return 0, errTimeSpan
		}
		total += time.Duration(n) * f.unit
	}
	if fraction != "" {
		if len(fraction) > 7 {
			return 0, errTimeSpan
		}
		n, err := strconv.ParseUint((fraction + "0000000")[:7], 10, 32)
		if err != nil {
			return 0, errTimeSpan
		}
		total += time.Duration(n) * 100
	}
	return sign * total, nil
}
