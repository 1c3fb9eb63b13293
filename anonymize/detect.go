package anonymize

import "fhirdeid/anonymize/fhirmodel"

// Detector tells FHIR versions. It is used by one goroutine at a time.
type Detector struct{ docs []*Document }

// NewDetector makes a detector of all versions.
func NewDetector() *Detector {
	d := &Detector{}
	for _, v := range []fhirmodel.Version{fhirmodel.STU3, fhirmodel.R4, fhirmodel.R4B, fhirmodel.R5} {
		if model, err := fhirmodel.Load(v); err == nil { // there is a table for each of them
			d.docs = append(d.docs, &Document{newScanner(model, nil, false)})
		}
	}
	return d
}

// Versions lists the FHIR versions that a resource can be of: those that have its
// type and all its elements, and whose types its values are. Only when there is
// one is the version certain; when there is none, it is no FHIR.
func (d *Detector) Versions(line []byte) (versions []fhirmodel.Version) {
	for _, doc := range d.docs {
		if doc.scan(line) == nil {
			versions = append(versions, doc.model.Version)
		}
	}
	return versions
}

// DetectVersion is Versions for a single resource.
func DetectVersion(line []byte) []fhirmodel.Version { return NewDetector().Versions(line) }
