package verify

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// minToken is how long a token of the input must be to be looked for.
const minToken = 4

// input reads what of the input line identifies: the words and numbers in its
// names, identifiers, telecom and address values, each as a whole, normalised,
// and the ids that could be taken for pseudonyms.
func (w *walk) input(in []byte) bool {
	r := &walk{c: w.c, dec: jsontext.NewDecoder(bytes.NewReader(in), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	v, ok := r.read(0)
	if !ok || v.obj == nil {
		return false
	}
	w.identifying, w.ids = make(map[string]bool), make(map[string]bool)
	w.collect(v.obj, v.obj.text("resourceType"), false)
	return true
}

// identifyingTypes are the types whose values identify.
var identifyingTypes = map[string]bool{"HumanName": true, "ContactPoint": true, "Identifier": true, "Address": true}

// publicParts are members of those that say nothing of a person.
var publicParts = map[string]bool{"use": true, "system": true, "type": true, "period": true, "state": true, "country": true, "rank": true, "assigner": true, "extension": true}

// identifyingElements are strings that identify outside those types.
var identifyingElements = map[string]bool{
	"subscriberId": true, "serialNumber": true, "lotNumber": true, "distinctIdentifier": true, "deviceIdentifier": true, "carrierHRF": true, "preAuthRef": true,
}

func (w *walk) collect(o *object, at string, inside bool) {
	table := w.c.model.members[at]
	for _, m := range o.members {
		e := table[m.key]
		if e == nil {
			continue
		}
		if inside && publicParts[m.key] {
			continue
		}
		for _, v := range m.values {
			switch {
			case v.obj != nil && (e.typ == "Resource" || w.c.model.resources[e.typ]):
				w.collect(v.obj, v.obj.text("resourceType"), false)
			case v.obj != nil:
				w.collect(v.obj, e.at, inside || identifyingTypes[e.typ])
			case v.kind == '"':
				if id, ok := pseudonymLike(v.text); ok {
					w.ids[id] = true
				}
				if !inside && !identifyingElements[m.key] {
					continue
				}
				for _, token := range tokenize(v.text) {
					w.identifying[token] = true
				}
			}
		}
	}
}

// pseudonymLike finds what could be taken for a pseudonym at the end of an id or
// a reference: 32 hexadecimal digits, with hyphens or without.
func pseudonymLike(text string) (string, bool) {
	if len(text) < pseudonymLength {
		return "", false
	}
	tail := text[strings.LastIndexAny(text, "/#:")+1:]
	if len(tail) == 36 {
		tail = strings.ReplaceAll(tail, "-", "")
	}
	tail = strings.ToLower(tail)
	return tail, isPseudonym(tail)
}

// tokenize cuts a text into words and numbers, in lower case; digits that are
// only grouped, as in a telephone number, are also taken together.
func tokenize(text string) []string {
	var tokens []string
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for _, word := range words {
		if len([]rune(word)) >= minToken {
			tokens = append(tokens, word)
		}
	}
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text)
	if len(digits) >= 7 && len(words) > 1 {
		tokens = append(tokens, digits)
	}
	return tokens
}

// fromInput looks for an identifying value of the input in a text of the result.
func (w *walk) fromInput(text, path string) {
	if len(w.identifying) == 0 {
		return
	}
	for _, token := range tokenize(text) {
		if w.identifying[token] {
			w.find(Hard, ClassInput, path)
			return
		}
	}
}

// identifyingPatterns look like e-mail addresses, telephone numbers, social
// security numbers, IP addresses and URLs.
var identifyingPatterns = []*regexp.Regexp{
	regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`),
	regexp.MustCompile(`(?:\+?\d{1,3}[ .-])?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}`),
	regexp.MustCompile(`\b\d{3}-\d{2}-\d{4}\b`),
	regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`),
	regexp.MustCompile(`(?i)\b(?:https?|ftp|mailto|tel):`),
	regexp.MustCompile(`\b(?:19|20)\d{2}-\d{2}(?:-\d{2})?\b`),
}

// patterns looks for texts that identify by their looks.
func (w *walk) patterns(text, path string) {
	for _, p := range identifyingPatterns {
		if p.MatchString(text) {
			w.find(Hard, ClassPattern, path)
			return
		}
	}
}
