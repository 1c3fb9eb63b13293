package bulkdata

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Kind says what a caller can do about an error.
type Kind int

// The kinds of errors.
const (
	// Transient may pass: try again later, as RetryAfter says.
	Transient Kind = iota
	// Denied: the identity lacks a right.
	Denied
	// Gone: the job, or the link, is no longer there. A new manifest may have
	// new links.
	Gone
	// Invalid: the server refused the request, or answered what cannot be used.
	Invalid
	// Refused: this client did not send the request, since it would go where it
	// does not belong.
	Refused
)

// Error is what went wrong with a request. Its text has no word of the server's.
type Error struct {
	// Op is what was being done, such as "asking for the export".
	Op   string
	Kind Kind
	// Status is the HTTP status, or 0 where there was no answer.
	Status int
	// URL is scheme, host and path.
	URL string
	// RetryAfter is how long the server asks to wait, or 0.
	RetryAfter time.Duration
	// Codes are the issue codes of the server's OperationOutcome.
	Codes []string
	// Outcome is the server's answer, as it came, cut at 64 KiB. It may hold
	// anything, data included.
	Outcome []byte
	// Hint says what to do.
	Hint string
	// Err is a cause without data, or nil.
	Err error
}

// Error says what, where and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.URL != "" {
		fmt.Fprintf(&b, " at %s", e.URL)
	}
	if e.Status != 0 {
		fmt.Fprintf(&b, ": the server answered %d %s", e.Status, http.StatusText(e.Status))
	}
	if len(e.Codes) > 0 {
		fmt.Fprintf(&b, " (OperationOutcome: %s)", strings.Join(e.Codes, ", "))
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s", e.Err)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "; %s", e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// transientCodes are the issue codes that say a fault may pass: "transient" and
// the codes below it in https://hl7.org/fhir/valueset-issue-type.html
var transientCodes = []string{"transient", "lock-error", "no-store", "exception", "timeout", "incomplete", "throttled"}

// knownCodes are the other codes of that value set: only a code of the set is
// repeated, since a server could write anything in its place.
var knownCodes = []string{
	"invalid", "structure", "required", "value", "invariant", "security", "login", "unknown", "expired", "forbidden", "suppressed",
	"processing", "not-supported", "duplicate", "multiple-matches", "not-found", "deleted", "too-long", "code-invalid", "extension",
	"too-costly", "business-rule", "conflict", "limited-filter", "informational", "success",
}

// IssueCodes reads the issue codes of an OperationOutcome, or none. A code that is
// not of the value set is "other".
func IssueCodes(body []byte) []string {
	var outcome struct {
		ResourceType string `json:"resourceType"`
		Issue        []struct {
			Code string `json:"code"`
		} `json:"issue"`
	}
	if json.Unmarshal(body, &outcome) != nil || outcome.ResourceType != "OperationOutcome" {
		return nil
	}
	var codes []string
	for _, issue := range outcome.Issue {
		code := issue.Code
		if !slices.Contains(transientCodes, code) && !slices.Contains(knownCodes, code) {
			code = "other"
		}
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return codes
}

// allTransient reports whether the server says that the fault may pass: every
// issue has a transient code.
func allTransient(codes []string) bool {
	if len(codes) == 0 {
		return false
	}
	return !slices.ContainsFunc(codes, func(c string) bool { return !slices.Contains(transientCodes, c) })
}

// withoutQuery is a URL as it may be logged.
func withoutQuery(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// netError drops the URL from an error of net/http: it has the query in it.
func netError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
