package verify

// claim numbers the claims, for tables.
type claim int

const (
	safeHarbor claim = iota
	limitedDataSet
	numClaims
)

var claims = map[string]claim{SafeHarbor: safeHarbor, LimitedDataSet: limitedDataSet}

// unwanted are resources that a data set under a claim does not have at all:
// access logs, contents of any kind, addresses of computers, genomes.
var unwanted = map[string]bool{
	"AuditEvent": true, "Binary": true, "Media": true, "Subscription": true, "SubscriptionStatus": true, "SubscriptionTopic": true,
	"Endpoint": true, "Sequence": true, "MolecularSequence": true, "GenomicStudy": true, "Parameters": true,
}

// forbidden are data types of which nothing may be left: names, numbers and
// addresses of persons, photographs, free text, waves that may be a voice.
var forbidden = map[string]bool{
	"HumanName": true, "ContactPoint": true, "ContactDetail": true, "ExtendedContactDetail": true, "VirtualServiceDetail": true, "Contributor": true,
	"Identifier": true, "Signature": true, "Attachment": true, "Narrative": true, "Annotation": true, "SampledData": true,
}

// forbiddenPaths are elements of which nothing may be left: answers to
// questions, values of any kind, where something stands.
var forbiddenPaths = map[string]bool{
	"QuestionnaireResponse.item": true, "Task.input": true, "Task.output": true, "Location.position": true,
}

// rarePaths are elements that few persons share (45 CFR 164.514(b)(2)(i)(R)). A
// limited data set may have them.
var rarePaths = map[string]bool{
	"Patient.multipleBirth": true, "Patient.communication": true, "Patient.animal": true, "Group.quantity": true,
}

// typeKind is what has to be known of a type when its members are checked.
type typeKind uint8

const (
	otherKind typeKind = iota
	referenceKind
	codingKind
	extensionKind
	quantityKind
	moneyKind
	metaKind
)

var typeKinds = map[string]typeKind{
	"Reference": referenceKind, "Coding": codingKind, "Extension": extensionKind, "Meta": metaKind, "Money": moneyKind,
	"Quantity": quantityKind, "Age": quantityKind, "Duration": quantityKind, "Count": quantityKind, "Distance": quantityKind,
}

// class is what may be at a path.
type class uint8

const (
	classText      class = iota // no text: a finding
	classNothing                // nothing at all
	classYear                   // a year that tells no age over 89
	classDate                   // a date or an instant
	classID                     // a pseudonym
	classReference              // a reference with a pseudonym
	classCanonical              // the same as an address
	classFullURL
	classTypeName     // a resource type
	classState        // a state of the USA
	classCountry      // a country's code
	classZIP3         // three digits where more than 20,000 people live
	classZIP          // a whole ZIP code
	classTown         // the name of a town
	classSystem       // a public code system
	classCode         // a code of one
	classDisplay      // only a security label's
	classURL          // an extension's URL, checked with the extension
	classExtCode      // an extension's code
	classUnitSystem   // UCUM
	classUnit         // a unit
	classCurrency     // three letters
	classRequiredCode // a code of a required value set
	classBoolean
	classNumber
)

// classify fills in the tables of a type.
func (m *model) classify(t *typ) {
	t.kind = typeKinds[t.path]
	t.ident = identifyingTypes[t.path]
	for c := range numClaims {
		t.forbidden[c] = forbidden[t.path] || t.resource && unwanted[t.path]
	}
	value := false
	for _, e := range t.members.list {
		value = value || e.name == "value"
		e.publicPart, e.ident = publicParts[e.key], identifyingElements[e.key]
		for c := range numClaims {
			e.class[c] = m.classOf(c, t, e)
		}
	}
	if code := t.members.get([]byte("code")); code != nil && value {
		t.ageBearer = code.typ.path == "CodeableConcept"
	}
}

// classOf is the allow list: the class of value that a claim lets be at an
// element of a type.
func (m *model) classOf(c claim, t *typ, e *elem) class {
	path := t.path + "." + e.name
	if forbiddenPaths[path] || c == safeHarbor && rarePaths[path] {
		return classNothing
	}
	switch {
	case t.kind == referenceKind && e.name == "reference":
		return classReference
	case t.kind == referenceKind && e.name == "type":
		return classTypeName
	case t.kind == codingKind:
		switch e.name {
		case "system":
			return classSystem
		case "code":
			return classCode
		case "display":
			return classDisplay
		}
	case t.kind == extensionKind && e.name == "url":
		return classURL
	case t.kind == extensionKind && e.typ.path == "code":
		return classExtCode
	case t.kind == quantityKind && e.name == "system":
		return classUnitSystem
	case t.kind == quantityKind && e.name == "code":
		return classUnit
	case t.kind == moneyKind && (e.name == "currency" || e.name == "code"):
		return classCurrency
	case path == "Bundle.entry.fullUrl":
		return classFullURL
	case t.path == "Address":
		if class, ok := addressClasses[c][e.name]; ok {
			return class
		}
	case e.name == "id" && t.resource:
		return classID
	}
	switch e.typ.path {
	case "date", "dateTime":
		if c == limitedDataSet {
			return classDate
		}
		return classYear
	case "instant":
		if c == limitedDataSet {
			return classDate
		}
	case "boolean":
		return classBoolean
	case "decimal", "integer", "positiveInt", "unsignedInt":
		return classNumber
	case "canonical":
		return classCanonical
	}
	if e.codes != nil {
		return classRequiredCode
	}
	return classText
}

// addressClasses are what is left of an address: 45 CFR 164.514(b)(2)(i)(B) and
// (e)(2)(ii).
var addressClasses = [numClaims]map[string]class{
	safeHarbor:     {"state": classState, "country": classCountry, "postalCode": classZIP3},
	limitedDataSet: {"state": classState, "country": classCountry, "postalCode": classZIP, "city": classTown},
}
