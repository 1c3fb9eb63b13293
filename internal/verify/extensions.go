package verify

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

// extension checks the URL of an extension, and that it has the member that
// belongs to it; inner says that it stands in another.
func (w *walk) extension(i int32, inner bool) bool {
	if !inner {
		w.loosenedExtension = w.c.extensions[string(w.childText(i, "url"))]
	}
	if w.loosenedExtension {
		return true
	}
	list := extensions
	if inner {
		list = extensionParts
	}
	holds, ok := list[string(w.childText(i, "url"))]
	for c := i + 1; ok && c < w.nodes[i].after; c = w.nodes[c].after {
		key := string(w.keyOf(&w.nodes[c]))
		ok = key == "url" || key == "id" || holds == "" && key == "extension" || holds != "" && key == holds
	}
	if !ok {
		w.find(Hard, ClassUnlisted)
	}
	return ok
}

// extensionCode checks the code of an extension: the sexes of US Core, or why
// something is absent.
func (w *walk) extensionCode(holder int32, code []byte) {
	if string(w.childText(holder, "url")) == absentReason {
		if string(code) != "masked" {
			w.find(Hard, ClassCode)
		}
		return
	}
	if w.loosenedExtension && isShortCode(code) && !identifyingCode.Match(code) {
		return
	}
	switch string(code) {
	case "F", "M", "OTH", "UNK", "ASKU":
	default:
		w.find(Hard, ClassCode)
	}
}

// isMask reports whether an object has nothing but the word that it is masked: it
// stands for a required element that is gone.
func (w *walk) isMask(i int32) bool {
	list := i + 1
	extension := i + 2
	if w.nodes[i].kind != '{' || int(extension) >= len(w.nodes) || w.nodes[list].kind != '[' || w.nodes[list].after != w.nodes[i].after ||
		w.nodes[extension].kind != '{' || w.nodes[extension].after != w.nodes[i].after || string(w.keyOf(&w.nodes[list])) != "extension" {
		return false
	}
	return w.nodes[extension].after == extension+3 && string(w.childText(extension, "url")) == absentReason && string(w.childText(extension, "valueCode")) == "masked"
}

// labels are the security labels that say what was done, by code.
var labels = map[string]string{
	"REDACTED": "redacted", "ABSTRED": "abstracted", "CRYTOHASH": "cryptographic hash function", "MASKED": "masked",
	"PERTURBED": "exact value is replaced with another exact value", "SUBSTITUTED": "exact value is replaced with a predefined value",
	"GENERALIZED": "exact value is replaced with a general value", "PSEUDED": "pseudonymized",
}

// isLabel reports whether a Coding is one of those.
func (w *walk) isLabel(coding int32) bool {
	n := len(w.path)
	if n < 2 || w.path[n-2].elem == nil || w.path[n-2].elem.name != "security" || w.path[n-2].in.kind != metaKind {
		return false
	}
	display, known := labels[string(w.childText(coding, "code"))]
	has := w.childText(coding, "display")
	system := string(w.childText(coding, "system"))
	return known && (len(has) == 0 || string(has) == display) && (system == "" || system == "http://terminology.hl7.org/CodeSystem/v3-ObservationValue")
}
