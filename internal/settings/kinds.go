package settings

import (
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size, written as a number or with KiB, MiB or GiB.
type Bytes int64

// Decode reads a size.
func (b *Bytes) Decode(value string) error {
	for unit, factor := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if number, ok := strings.CutSuffix(value, unit); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 32)
			if err != nil {
				return errors.New("no size")
			}
			*b = Bytes(n * factor)
			return nil
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
	if err != nil {
		return errors.New("no size")
	}
	*b = Bytes(n)
	return nil
}

// Timestamp is an instant, written as RFC 3339 or as a date, which is its
// midnight in UTC.
type Timestamp struct{ time.Time }

// Decode reads an instant.
func (t *Timestamp) Decode(value string) error {
	at, err := ParseTime(value)
	t.Time = at
	return err
}

// ParseTime reads an instant as RFC 3339, or a date as its midnight in UTC.
func ParseTime(value string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, value); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, errors.New("no instant: it looks like 2026-11-22 or 2026-11-22T01:00:00Z")
}

// LogLevel is the least level that is logged.
type LogLevel struct{ slog.Level }

// Decode reads a level.
func (l *LogLevel) Decode(value string) error { return l.Level.UnmarshalText([]byte(value)) }
