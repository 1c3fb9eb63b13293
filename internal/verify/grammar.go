package verify

import (
	"bytes"
	"regexp"
	"strings"
)

// codeForm is the form that the codes of a code system have. 0 is no public
// system.
type codeForm uint8

const (
	anyForm  codeForm = iota + 1
	listForm          // one of a list
	snomedForm
	loincForm
	rxnormForm
	shortNumberForm
	manufacturerForm
	drugForm
	cptForm
	icd10Form
	icd9Form
	raceForm
)

// codeForms are the forms of codes in the large systems. Race and ethnicity of the
// CDC are categories that the claims keep on purpose.
var codeForms = map[string]codeForm{
	"http://snomed.info/sct":                      snomedForm,
	"http://loinc.org":                            loincForm,
	"http://www.nlm.nih.gov/research/umls/rxnorm": rxnormForm,
	"http://hl7.org/fhir/sid/cvx":                 shortNumberForm,
	"http://hl7.org/fhir/sid/mvx":                 manufacturerForm,
	"http://hl7.org/fhir/sid/ndc":                 drugForm,
	"http://www.ama-assn.org/go/cpt":              cptForm,
	"http://hl7.org/fhir/sid/icd-10":              icd10Form,
	"http://hl7.org/fhir/sid/icd-10-cm":           icd10Form,
	"http://hl7.org/fhir/sid/icd-9-cm":            icd9Form,
	"urn:oid:2.16.840.1.113883.6.238":             raceForm,
	"urn:oid:2.16.840.1.113883.6.96":              snomedForm,
	"urn:oid:2.16.840.1.113883.6.1":               loincForm,
	"urn:oid:2.16.840.1.113883.6.88":              rxnormForm,
	"urn:oid:2.16.840.1.113883.6.90":              icd10Form,
	"https://dmd.nhs.uk":                          snomedForm, // its codes are SNOMED CT's
}

// isCode reports whether a code looks like one of a public system.
func (w *walk) isCode(system, code []byte) bool {
	digits, letters := countDigits(code), countLetters(code)
	n := len(code)
	if w.c.systems[string(system)] {
		return isShortCode(code) && !identifyingCode.Match(code)
	}
	switch w.c.public.systems[string(system)] {
	case snomedForm:
		return digits == n && n >= 6 && n <= 18
	case loincForm:
		part := bytes.TrimPrefix(bytes.TrimPrefix(bytes.TrimPrefix(code, []byte("LA")), []byte("LP")), []byte("LL"))
		before, check, ok := bytes.Cut(part, []byte{'-'})
		return ok && len(before) >= 1 && len(before) <= 7 && len(check) == 1 && countDigits(part) == len(part)-1
	case rxnormForm:
		return digits == n && n >= 1 && n <= 8
	case shortNumberForm:
		return digits == n && n >= 1 && n <= 3
	case manufacturerForm:
		return digits+letters == n && n >= 2 && n <= 5
	case drugForm:
		parts := bytes.Split(code, []byte{'-'})
		return digits == n && (n == 10 || n == 11) ||
			len(parts) == 3 && digits == n-2 && len(parts[0]) >= 4 && len(parts[0]) <= 5 && len(parts[1]) >= 3 && len(parts[1]) <= 4 && len(parts[2]) <= 2
	case cptForm:
		return n == 5 && digits >= 4 && code[0] <= '9' && digits+letters == n
	case icd10Form:
		plain := bytes.Replace(code, []byte{'.'}, nil, 1)
		return len(plain) >= 3 && len(plain) <= 7 && plain[0] >= 'A' && plain[0] <= 'Z' && plain[1] <= '9' && countDigits(plain)+countLetters(plain) == len(plain)
	case icd9Form:
		return n >= 2 && n <= 6 && digits >= n-2
	case raceForm:
		return n == 6 && code[4] == '-' && digits == 5
	case listForm:
		codes := w.c.public.codes[string(system)]
		return codes[string(code)] || codes["*"] && string(code) != "*" && isTerse(code)
	case anyForm:
		return isTerse(code)
	}
	return false
}

func countDigits(s []byte) (n int) {
	for _, c := range s {
		if c-'0' < 10 {
			n++
		}
	}
	return n
}

func countLetters(s []byte) (n int) {
	for _, c := range s {
		if c|0x20 >= 'a' && c|0x20 <= 'z' {
			n++
		}
	}
	return n
}

// isShortCode is what a code of a code system looks like.
func isShortCode(s []byte) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for _, c := range s {
		if c <= ' ' || c > '~' || c == '@' {
			return false
		}
	}
	return true
}

// isTerse is what a code looks like in which nobody can be named or numbered: no
// small letters, a digit unless it is very short, and not many digits.
func isTerse(s []byte) bool {
	if len(s) == 0 || len(s) > 15 {
		return false
	}
	for _, c := range s {
		if c <= ' ' || c > 'Z' || c == '@' {
			return false
		}
	}
	digits := countDigits(s)
	return digits < identifierDigits && (digits > 0 || len(s) <= 3) && !identifyingCode.Match(s)
}

// identifyingCode is a code that has the form of a social security number, a
// telephone number, a date or any long number, which these systems do not have.
var identifyingCode = regexp.MustCompile(`^\d{3}-\d{2}-\d{4}$|^(?:\+?1[.-])?\(?\d{3}\)?[.-]\d{3}[.-]\d{4}$|^\d{4}-\d{2}(?:-\d{2})?$|^\d{9,}$`)

// ucum is the code system of units.
const ucum = "http://unitsofmeasure.org"

// isUnit is what a UCUM code looks like: no words outside its brackets, in square
// ones no text of a length that a person's name and more would have, and in curly
// ones only what is usually counted.
func isUnit(s []byte) bool {
	if len(s) == 0 || len(s) > 40 {
		return false
	}
	letters := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c <= ' ' || c > '~' || c == '@' || c == '}' || c == ']':
			return false
		case c == '{' || c == '[':
			end := bytes.IndexByte(s[i:], c+2) // "}" and "]" are two characters on
			if end < 0 {
				return false
			}
			inside := string(s[i+1 : i+end])
			if c == '{' && !counted[inside] || c == '[' && (len(inside) > 7 || strings.ContainsAny(inside, "[{}")) {
				return false
			}
			i += end
			letters = 0
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			if letters++; letters > maxUnitLetters {
				return false
			}
		default:
			letters = 0
		}
	}
	return true
}

// maxUnitLetters is the longest run of letters of a UCUM unit with its prefix
// ("sphere" is the longest that is seen).
const maxUnitLetters = 6

// counted are the annotations of units that are in use.
var counted = func() map[string]bool {
	m := make(map[string]bool)
	for _, s := range strings.Fields(`score nominal count # ratio titer index INR 1.73_m2 beats cells copies events fraction breaths steps tbl tablet
		dose puff drop times T-score Z-score pH RBC WBC HPF CFU visits mutation beat cell copy event breath step capsule patch pack pieces number`) {
		m[s] = true
	}
	return m
}()

func isCurrency(s []byte) bool {
	return len(s) == 3 && countLetters(s) == 3 && bytes.Equal(s, bytes.ToUpper(s))
}

// identifyingPatterns look like e-mail addresses, telephone numbers, social
// security numbers, IP addresses, URLs, dates, and numbers of vehicles.
var identifyingPatterns = []*regexp.Regexp{
	regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}`),
	regexp.MustCompile(`(?:\+?\d{1,3}[ .-])?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}`),
	regexp.MustCompile(`\b\d{3}-\d{2}-\d{4}\b`),
	regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`),
	regexp.MustCompile(`(?i)\b(?:https?|ftp|mailto|tel):`),
	regexp.MustCompile(`\b(?:19|20)\d{2}-\d{2}(?:-\d{2})?\b`),
	regexp.MustCompile(`\b[A-HJ-NPR-Z0-9]{11}[0-9]{6}\b`),
}

// patterns looks for texts that identify by their looks.
func (w *walk) patterns(text []byte) {
	for _, p := range identifyingPatterns {
		if p.Match(text) {
			w.find(Hard, ClassPattern)
			return
		}
	}
}
