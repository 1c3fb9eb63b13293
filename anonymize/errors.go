package anonymize

import (
	"errors"
	"fmt"
)

// Reasons why a line cannot be processed: stable codes.
const (
	ReasonJSON      = "invalid-json"
	ReasonType      = "unknown-type"
	ReasonElement   = "unknown-element"
	ReasonValue     = "invalid-value"
	ReasonDuplicate = "duplicate-member"
	ReasonDepth     = "too-deep"
	ReasonLong      = "too-long"
	ReasonMethod    = "processing"
	ReasonPanic     = "panic"
)

// LineError says why a resource cannot be processed: where and what, never a
// value.
type LineError struct {
	// Line counts from 1; 0 for a single resource.
	Line int64
	// Path is the element's path, such as "Patient.contact.name", or "" where
	// the fault is not at an element.
	Path string
	// Reason is one of the codes.
	Reason string
	// Offset is the byte in the line.
	Offset int
	detail string
}

func (e *LineError) Error() string {
	text := e.detail
	if text == "" {
		text = e.Reason
	}
	if e.Path != "" {
		text = e.Path + ": " + text
	}
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s", e.Line, text)
	}
	return text
}

// LineReason is the code under which the line is counted.
func (e *LineError) LineReason() string { return e.Reason }

// LineReason is the code under which Stats.Reasons counts a bad line: that of the
// first error in err's tree with a method LineReason() string, or "refused".
func LineReason(err error) string {
	var r interface{ LineReason() string }
	if errors.As(err, &r) {
		return r.LineReason()
	}
	return "refused"
}
