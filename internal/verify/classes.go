package verify

import (
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

// extensions are those that may be there, by URL.
var extensions = map[string]bool{
	"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race":      true,
	"http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity": true,
	"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex":  true,
}

// extensionParts are the parts of those.
var extensionParts = map[string]bool{"ombCategory": true, "detailed": true, "text": true}

func (w *walk) extension(o *object, holder *object) bool {
	url := o.text("url")
	inside := holder != nil && holder.typ == "Extension"
	if !extensions[url] && !(inside && extensionParts[url]) {
		w.find(Hard, ClassUnlisted, o.path)
		return false
	}
	return true
}

// primitive checks one value by the class of its path.
func (w *walk) primitive(v *value, e *elem, o, holder *object, path string) {
	switch {
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
	case o.typ == "Reference" && e.name == "reference":
		if !w.isReference(v.text) {
			w.find(Hard, ClassPseudonym, path)
		}
	case o.typ == "Reference" && e.name == "type":
		if !w.c.model.resources[v.text] {
			w.find(Hard, ClassCode, path)
		}
	case o.typ == "Address" && (e.name == "state" || e.name == "country"):
		w.state(v.text, path)
	case o.typ == "Address" && e.name == "postalCode":
		if len(v.text) != 3 || v.text != "000" && !w.c.public.zip3[v.text] {
			w.find(Hard, ClassZIP, path)
		}
	case o.typ == "Coding":
		w.coding(v, e, o, path)
	case o.typ == "Extension" && e.name == "url":
		// checked with the extension
	case o.typ == "Extension" && e.typ == "code":
		if !shortCode(v.text) {
			w.find(Hard, ClassCode, path)
		}
		w.fromInput(v.text, path)
	case quantities[o.typ] && e.name == "system":
		if v.text != "http://unitsofmeasure.org" {
			w.find(Hard, ClassCode, path)
		}
	case quantities[o.typ] && e.name == "code":
		if o.text("system") != "http://unitsofmeasure.org" || len(v.text) > 32 || strings.ContainsAny(v.text, " \t") {
			w.find(Hard, ClassCode, path)
		}
		w.fromInput(v.text, path)
	case o.typ == "Money" && e.name == "currency":
		if len(v.text) != 3 || strings.ToUpper(v.text) != v.text {
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
	if o.typ == "Patient" && e.name == "multipleBirth" || o.typ == "Location" || strings.HasSuffix(o.at, ".position") {
		w.find(Hard, ClassUnlisted, path)
		return
	}
	if o.typ != "Age" || e.name != "value" {
		return
	}
	age, err := strconv.ParseFloat(v.text, 64)
	perYear := map[string]float64{"a": 1, "mo": 12, "wk": 52, "d": 365, "h": 8760, "min": 525600}[o.text("code")]
	if err != nil || perYear == 0 || age/perYear > 89 && !(perYear == 1 && v.text == "90") {
		w.find(Hard, ClassAge, path)
	}
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
		if !w.c.public.systems[system] || !shortCode(v.text) {
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

// state accepts a state or a country: letters, or a name of them.
func (w *walk) state(text, path string) {
	if len(text) > 40 {
		w.find(Hard, ClassText, path)
	}
	for _, r := range text {
		if r >= '0' && r <= '9' || r == '@' || r == '/' {
			w.find(Hard, ClassText, path)
			return
		}
	}
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
	typ, id, ok := strings.Cut(s, "/")
	return ok && w.c.model.resources[typ] && isPseudonym(id)
}
