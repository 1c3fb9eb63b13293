package lint

import (
	"slices"
	"strings"

	"fhirdeid/anonymize/fhirmodel"
)

// Class says how much an element can tell about a person, as 45 CFR 164.514(b)(2)
// counts identifiers.
type Class string

// The classes, the most telling first.
const (
	Identifier Class = "direct identifiers"
	Date       Class = "dates and ages"
	FreeText   Class = "free text"
	Anything   Class = "extensions"
	Code       Class = "codes and structure"
)

var classes = []Class{Identifier, Date, FreeText, Anything, Code}

// sensitivityRow gives elements a class. Empty fields match everything.
type sensitivityRow struct {
	// in are the types that the element stands in, types its own types, names its
	// names.
	in, types, names string
	class            Class
	reason           string
}

// sensitivity is looked at from above: the first row that matches decides. Names
// are separated by spaces; a name that begins with * is the end of one.
var sensitivity = []sensitivityRow{
	{types: "Extension", class: Anything, reason: "an extension can hold anything"},
	{in: "HumanName", names: "text family given prefix suffix", class: Identifier, reason: "(A) names"},
	{in: "Address", names: "text line city district postalCode", class: Identifier, reason: "(B) geography below a state"},
	{in: "Address", names: "state country use type", class: Code, reason: "a state may stay"},
	{in: "ContactPoint", names: "value", class: Identifier, reason: "(D)-(F) telephone, fax, e-mail"},
	{in: "Identifier", names: "value", class: Identifier, reason: "(G)-(M) numbers of all kinds"},
	{in: "Reference", names: "reference display", class: Identifier, reason: "it leads to another record, by id or name"},
	{in: "Signature", names: "data blob", class: Identifier, reason: "a signature"},
	{types: "base64Binary", class: Identifier, reason: "(Q) a photograph, a recording or a document"},
	{names: "latitude longitude altitude", class: Identifier, reason: "(B) geography below a state"},
	{types: "id", names: "id", class: Identifier, reason: "(R) the number of the record"},
	{types: "url", class: Identifier, reason: "(N) a web address"},
	{types: "uri", names: "url fullUrl location implicitRules source", class: Identifier, reason: "(N) a web address"},
	{types: "string uri", names: "serialNumber lotNumber distinctIdentifier deviceIdentifier carrierHRF carrierAIDC udi subscriberId dependent *Identifier preAuthRef preAuthRefs versionId accession phone email", class: Identifier, reason: "(H)-(M) numbers of plans, accounts, devices"},
	{types: "time", names: "timeOfDay availableStartTime availableEndTime openingTime closingTime", class: Code, reason: "the hours of a plan or an office"},
	{types: "date dateTime instant time", class: Date, reason: "(C) dates"},
	{in: "Age", names: "value", class: Date, reason: "(C) ages over 89"},
	{types: "xhtml markdown", class: FreeText, reason: "text for people can name the patient"},
	{types: "string", names: "name alias publisher author *Name", class: Identifier, reason: "(A) names, of people, places or organisations"},
	{names: "id", class: Code, reason: "a mark within the resource"},
	{types: "string", names: "linkId relation path searchParam mustSupport version", class: Code, reason: "a mark of the structure"},
	{in: "Quantity Age Count Distance Duration Money", types: "string", names: "unit", class: Code, reason: "a unit"},
	{types: "string", class: FreeText, reason: "text for people can name the patient"},
	{class: Code, reason: "a code, a number or a word of the structure"},
}

func (r *sensitivityRow) matches(in, own *fhirmodel.Type, name string) bool {
	return listed(r.in, in.Name) && listed(r.types, own.Name) && listed(r.names, name)
}

// listed reports whether a name is in a list, of which "" has all.
func listed(list, name string) bool {
	return list == "" || slices.ContainsFunc(strings.Fields(list), func(l string) bool {
		end, tail := strings.CutPrefix(l, "*")
		return l == name || tail && strings.HasSuffix(name, end)
	})
}

// classify says what an element named name of the type own in the type in can
// tell, and why.
func classify(in, own *fhirmodel.Type, name string) (Class, string) {
	for i := range sensitivity {
		if r := &sensitivity[i]; r.matches(in, own, name) {
			return r.class, r.reason
		}
	}
	return Code, ""
}

// isDefinition reports whether resources of a type define what others use, such
// as value sets: they have no patient.
func isDefinition(t *fhirmodel.Type) bool {
	return t.Member([]byte("experimental")) != nil
}
