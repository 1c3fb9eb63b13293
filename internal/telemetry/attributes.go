package telemetry

import (
	"regexp"
	"strings"
)

// kind says what values an attribute may have.
type kind int

const (
	number   kind = iota // counts, bytes, seconds
	runID                // 20261122T010000Z, with or without a suffix
	code                 // a word of the program: a state, a reason's code
	fhirType             // a FHIR resource type
	word                 // a name in the program: a function, a type of Go, an invocation's id
	text                 // an error of the program's own; never a value from the data
)

// allowed are all attributes that may leave the program.
var allowed = map[string]kind{
	"run": runID, "active": runID,

	"function": word, "invocation": word, "panic": word,

	"state": code, "stage": code, "outcome": code, "code": code, "reasons": code, "severity": code, "direction": code,

	"type": fhirType,

	"output": number, "piece": number, "tick": number, "try": number, "files": number, "outputs": number,
	"lines": number, "written": number, "dropped": number, "quarantined": number, "duplicates": number,
	"bytes": number, "findings": number, "hard": number, "soft": number,
	"seconds": number, "age": number, "limit": number,

	"error": text, "stack": text,
}

// Allowed lists the names of the attributes that may leave the program.
func Allowed() []string {
	names := make([]string, 0, len(allowed))
	for name := range allowed {
		names = append(names, name)
	}
	return names
}

var forms = map[kind]*regexp.Regexp{
	runID:    regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z(-[a-z0-9-]{1,40})?$`),
	code:     regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`),
	fhirType: regexp.MustCompile(`^[A-Z][A-Za-z]{0,63}$`),
	word:     regexp.MustCompile(`^[A-Za-z0-9*][A-Za-z0-9_.*\[\]/-]{0,99}$`),
}

// withheld stands for a value that has not the form of its attribute.
const withheld = "(withheld)"

// maxText bounds a text.
const maxText = 2000

// query is the query of a URL, which may hold a signature.
var query = regexp.MustCompile(`(https?://[^\s?"]+)\?[^\s"]*`)

// str returns the value of a string attribute as it may leave. ok is false for
// an attribute that is not on the list.
func str(name, value string) (_ string, ok bool) {
	k, listed := allowed[name]
	switch {
	case !listed:
		return "", false
	case k == text:
		return clean(value), true
	case k == number:
		return withheld, true
	case value == "" || forms[k].MatchString(value):
		return value, true
	}
	return withheld, true
}

// isNumber reports whether the attribute is on the list and takes numbers.
func isNumber(name string) bool {
	k, listed := allowed[name]
	return listed && k == number
}

// clean bounds a text, and takes queries and control characters out of it.
func clean(s string) string {
	s = query.ReplaceAllString(s, "$1?…")
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}
