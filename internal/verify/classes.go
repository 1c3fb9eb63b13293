package verify

import (
	"regexp"
	"strconv"
	"strings"
)

// unwanted are resources that a Safe Harbor data set does not have at all:
// access logs, contents of any kind, addresses of computers, genomes.
var unwanted = map[string]bool{
	"AuditEvent": true, "Binary": true, "Media": true, "Subscription": true, "Endpoint": true, "MolecularSequence": true, "Parameters": true,
}

// forbidden are data types of which nothing may be left.
var forbidden = map[string]bool{
	"HumanName": true, "ContactPoint": true, "ContactDetail": true, "Identifier": true, "Signature": true,
	"Attachment": true, "Narrative": true, "Annotation": true, "SampledData": true,
}

// extensions are those that may be there, by URL, with the member that holds
// their value, or "" where they are made of parts.
var extensions = map[string]string{
	"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race":      "",
	"http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity": "",
	"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex":  "valueCode",
	absentReason: "valueCode",
}

// absentReason says why a required element is not there.
const absentReason = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

// extensionParts are the parts of those, likewise.
var extensionParts = map[string]string{"ombCategory": "valueCoding", "detailed": "valueCoding", "text": "valueString"}

// extensionCode reports whether an extension may have a code.
func extensionCode(url, code string) bool {
	if url == absentReason {
		return code == "masked"
	}
	switch code {
	case "F", "M", "OTH", "UNK", "ASKU":
		return true
	}
	return false
}

func (w *walk) extension(o *object, holder *object) bool {
	url := o.text("url")
	holds, ok := extensions[url]
	if holder != nil && holder.typ == "Extension" {
		holds, ok = extensionParts[url]
	}
	if !ok {
		w.find(Hard, ClassUnlisted, o.path)
		return false
	}
	for _, m := range o.members {
		if key := strings.TrimPrefix(m.key, "_"); strings.HasPrefix(key, "value") && key != holds {
			w.find(Hard, ClassUnlisted, o.path)
			return false
		}
	}
	return true
}

// primitive checks one value by the class of its path.
func (w *walk) primitive(v *value, e *elem, o, holder *object, path string) {
	switch {
	case o.typ == "Patient" && e.name == "multipleBirth":
		w.find(Hard, ClassUnlisted, path)
		return
	case v.kind == 't' || v.kind == 'f':
		if e.typ != "boolean" {
			w.find(Hard, ClassNumber, path)
		}
		return
	case v.kind == '0':
		w.number(v, e, o, path)
		return
	}
	switch {
	case e.typ == "date" || e.typ == "dateTime":
		w.year(v.text, path)
	case e.name == "id" && w.c.model.resources[o.typ]:
		if !isPseudonym(v.text) {
			w.find(Hard, ClassPseudonym, path)
		}
		w.sameID(v.text, path)
	case o.typ == "Reference" && e.name == "reference":
		if !w.isReference(v.text) {
			w.find(Hard, ClassPseudonym, path)
		}
		w.sameID(v.text, path)
	case e.typ == "canonical":
		if _, _, ok := w.typedReference(v.text); !ok {
			w.find(Hard, ClassPseudonym, path)
		}
		w.sameID(v.text, path)
	case o.at == "Bundle.entry" && e.name == "fullUrl":
		if !w.isReference(strings.TrimPrefix(v.text, "https://fhir.invalid/")) {
			w.find(Hard, ClassPseudonym, path)
		}
		w.sameID(v.text, path)
	case o.typ == "Reference" && e.name == "type":
		if !w.c.model.resources[v.text] {
			w.find(Hard, ClassCode, path)
		}
	case o.typ == "Address" && (e.name == "state" || e.name == "country"):
		w.place(v.text, e.name, path)
	case o.typ == "Address" && e.name == "postalCode":
		if len(v.text) != 3 || v.text != "000" && !w.c.public.zip3[v.text] {
			w.find(Hard, ClassZIP, path)
		}
	case o.typ == "Coding":
		w.coding(v, e, o, path)
	case o.typ == "Extension" && e.name == "url":
		// checked with the extension
	case o.typ == "Extension" && e.typ == "code":
		if !extensionCode(o.text("url"), v.text) {
			w.find(Hard, ClassCode, path)
		}
	case quantities[o.typ] && e.name == "system":
		if v.text != "http://unitsofmeasure.org" {
			w.find(Hard, ClassCode, path)
		}
	case quantities[o.typ] && e.name == "code":
		if o.text("system") != "http://unitsofmeasure.org" || !isUnit(v.text) {
			w.find(Hard, ClassCode, path)
		}
		w.fromInput(v.text, path)
	case o.typ == "Money" && e.name == "currency":
		if len(v.text) != 3 || strings.Trim(v.text, letters) != "" {
			w.find(Hard, ClassCode, path)
		}
	case e.codes != nil:
		if !e.codes[v.text] {
			w.find(Hard, ClassCode, path)
		}
	default:
		w.find(Hard, ClassText, path)
		w.patterns(v.text, path)
		w.fromInput(v.text, path)
	}
}

var quantities = map[string]bool{"Quantity": true, "Age": true, "Duration": true, "Count": true, "Distance": true}

// number checks a JSON number: that one may be there, and no age above 89. 90
// stands for all of them.
func (w *walk) number(v *value, e *elem, o *object, path string) {
	switch e.typ {
	case "decimal", "integer", "positiveInt", "unsignedInt":
	default:
		w.find(Hard, ClassNumber, path)
		return
	}
	if o.typ == "Location" || strings.HasSuffix(o.at, ".position") {
		w.find(Hard, ClassUnlisted, path)
		return
	}
	if longNumber(v.text) {
		w.find(Soft, ClassLong, path)
		w.fromInput(v.text, path)
	}
	if quantities[o.typ] && e.name == "value" {
		w.ageIn(v.text, o, path)
	}
}

// unitsPerYear are the UCUM units in which ages are given.
var unitsPerYear = map[string]float64{"a": 1, "mo": 12, "wk": 52, "d": 365, "h": 8760, "min": 525600}

// ageIn finds ages above 89 in a quantity of time, whatever it is called: a
// Quantity or a Range in years is as good as an Age. 90 years is the class of
// all of them.
func (w *walk) ageIn(text string, o *object, path string) {
	value, err := strconv.ParseFloat(text, 64)
	perYear, known := unitsPerYear[o.text("code")]
	if !known {
		if o.typ == "Age" {
			w.find(Hard, ClassAge, path)
		}
		return
	}
	if err != nil || value/perYear > 89 && !(perYear == 1 && text == "90") {
		w.find(Hard, ClassAge, path)
	}
}

// ageCodes are the LOINC codes of ages.
var ageCodes = map[string]bool{"30525-0": true, "21611-9": true, "21612-7": true, "29553-5": true, "63900-5": true}

// ageObservation looks at the value of what its code calls an age, which may be
// a number without a unit.
func (w *walk) ageObservation(o *object) {
	isAge := false
	for _, m := range o.members {
		if m.key != "code" {
			continue
		}
		for _, v := range m.values {
			isAge = isAge || hasAgeCode(v.obj)
		}
	}
	if !isAge {
		return
	}
	for _, m := range o.members {
		if strings.HasPrefix(m.key, "value") {
			for i := range m.values {
				w.ageValue(&m.values[i], o.path+"."+m.key)
			}
		}
	}
}

func hasAgeCode(concept *object) bool {
	if concept == nil {
		return false
	}
	for _, m := range concept.members {
		for _, v := range m.values {
			if m.key == "coding" && v.obj != nil && v.obj.text("system") == "http://loinc.org" && ageCodes[v.obj.text("code")] {
				return true
			}
		}
	}
	return false
}

func (w *walk) ageValue(v *value, path string) {
	switch {
	case v.obj != nil && unitsPerYear[v.obj.text("code")] != 0:
		// In a unit: looked at as a quantity.
	case v.obj != nil:
		for _, m := range v.obj.members {
			for i := range m.values {
				w.ageValue(&m.values[i], path)
			}
		}
	case v.kind == '0':
		if age, err := strconv.ParseFloat(v.text, 64); err != nil || age > 89 && v.text != "90" {
			w.find(Hard, ClassAge, path)
		}
	}
}

// longNumber is a whole number of nine digits or more, as identifiers have.
func longNumber(text string) bool {
	return len(text) >= 9 && strings.Trim(text, "0123456789") == ""
}

// year accepts four digits that tell no age over 89.
func (w *walk) year(text, path string) {
	if len(text) != 4 {
		w.find(Hard, ClassDate, path)
		return
	}
	year, err := strconv.Atoi(text)
	if err != nil {
		w.find(Hard, ClassDate, path)
		return
	}
	if year < w.c.minYear {
		w.find(Hard, ClassOldDate, path)
	} else if year > w.c.maxYear && year != 9999 {
		w.find(Soft, ClassOldDate, path)
	}
}

// coding checks a code with its system.
func (w *walk) coding(v *value, e *elem, o *object, path string) {
	system := o.text("system")
	switch e.name {
	case "system":
		if !w.c.public.systems[v.text] {
			w.find(Hard, ClassCode, path)
		}
	case "code":
		if isLabel(o) {
			return
		}
		if !w.c.public.systems[system] || !shortCode(v.text) || identifyingCode.MatchString(v.text) {
			w.find(Hard, ClassCode, path)
		}
	case "display":
		if !isLabel(o) {
			w.find(Hard, ClassText, path)
			w.patterns(v.text, path)
			w.fromInput(v.text, path)
		}
	default:
		w.find(Hard, ClassText, path)
	}
}

// labels are the security labels that say what was done, by code.
var labels = map[string]string{
	"REDACTED": "redacted", "ABSTRED": "abstracted", "CRYTOHASH": "cryptographic hash function", "MASKED": "masked",
	"PERTURBED": "exact value is replaced with another exact value", "SUBSTITUTED": "exact value is replaced with a predefined value",
	"GENERALIZED": "exact value is replaced with a general value", "PSEUDED": "pseudonymized",
}

func isLabel(o *object) bool {
	if !strings.HasSuffix(o.path, ".meta.security") {
		return false
	}
	display, known := labels[o.text("code")]
	system := o.text("system")
	return known && (o.text("display") == display || o.text("display") == "") &&
		(system == "" || system == "http://terminology.hl7.org/CodeSystem/v3-ObservationValue")
}

// shortCode is what a code of a code system looks like.
func shortCode(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, r := range s {
		if r == ' ' || r < 0x20 || r > 0x7e || r == '@' {
			return false
		}
	}
	return true
}

// identifyingCode is a code that has the form of a social security number, a
// telephone number or an e-mail address, which no public system has.
var identifyingCode = regexp.MustCompile(`^\d{3}-\d{2}-\d{4}$|^\(?\d{3}\)?[.-]\d{3}[.-]\d{4}$|@`)

// isUnit is what a UCUM code looks like: no words outside its brackets, and
// inside them no text of a length that a person's name and more would have.
func isUnit(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	letters, depth := 0, 0
	for _, c := range []byte(s) {
		switch {
		case c <= ' ' || c > '~' || c == '@':
			return false
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			depth--
		}
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			letters++
		} else {
			letters = 0
		}
		if depth == 0 && letters > maxUnitLetters {
			return false
		}
	}
	return depth == 0
}

// maxUnitLetters is the longest run of letters of a UCUM unit with its prefix
// ("sphere" is the longest that is seen).
const maxUnitLetters = 6

// sameID finds an id of the input that has been left as it was.
func (w *walk) sameID(text, path string) {
	if id, ok := pseudonymLike(text); ok && w.ids[id] {
		w.find(Hard, ClassInput, path)
	}
}

// pseudonymLength is that of 128 bits in hex.
const pseudonymLength = 32

func isPseudonym(s string) bool {
	if len(s) != pseudonymLength {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

// isReference accepts Type/pseudonym, #pseudonym, # and urn:uuid:pseudonym.
func (w *walk) isReference(s string) bool {
	if id, ok := strings.CutPrefix(s, "#"); ok {
		return id == "" || isPseudonym(id)
	}
	if id, ok := strings.CutPrefix(s, "urn:uuid:"); ok {
		return len(id) == 36 && isPseudonym(strings.ReplaceAll(id, "-", ""))
	}
	_, _, ok := w.typedReference(s)
	return ok
}

// typedReference accepts Type/pseudonym.
func (w *walk) typedReference(s string) (typ, id string, ok bool) {
	typ, id, ok = strings.Cut(s, "/")
	return typ, id, ok && w.c.model.resources[typ] && isPseudonym(id)
}
