package telemetry

import (
	"io"
	"log/slog"
	"slices"
	"time"
)

// unlisted stands for a message that is no event.
const unlisted = "unlisted event"

// NewLogger returns a logger that writes JSON lines. Its messages are the events
// given, word for word, since alerts look for them; attributes that are not on
// the list, and groups, are left out.
func NewLogger(w io.Writer, level slog.Leveler, events []string) *slog.Logger {
	events = slices.Clone(events)
	slices.Sort(events)
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) > 0 {
				return slog.Attr{}
			}
			switch a.Key {
			case slog.TimeKey, slog.LevelKey:
				return a
			case slog.MessageKey:
				if _, listed := slices.BinarySearch(events, a.Value.String()); !listed {
					a.Value = slog.StringValue(unlisted)
				}
				return a
			}
			return allowAttr(a)
		},
	}))
}

// allowAttr is the attribute as it may leave, or none.
func allowAttr(a slog.Attr) slog.Attr {
	switch v := a.Value; v.Kind() {
	case slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindBool:
		if isNumber(a.Key) {
			return a
		}
	case slog.KindDuration:
		if isNumber(a.Key) {
			return slog.Float64(a.Key, v.Duration().Round(time.Millisecond).Seconds())
		}
	case slog.KindString:
		if s, ok := str(a.Key, v.String()); ok {
			return slog.String(a.Key, s)
		}
	case slog.KindAny:
		if list, ok := v.Any().([]string); ok {
			kept := make([]string, 0, len(list))
			for _, item := range list {
				if s, ok := str(a.Key, item); ok {
					kept = append(kept, s)
				}
			}
			if _, listed := allowed[a.Key]; listed {
				return slog.Any(a.Key, kept)
			}
		}
	}
	return slog.Attr{}
}
