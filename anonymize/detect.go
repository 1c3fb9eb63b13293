package anonymize

import "fhirdeid/anonymize/fhirmodel"

// DetectVersion lists the FHIR versions that a resource can be of: those that
// have its type and all its elements, and whose types its values are. Only when
// there is one is the version certain; when there is none, it is no FHIR.
func DetectVersion(line []byte) (versions []fhirmodel.Version) {
	for _, v := range []fhirmodel.Version{fhirmodel.STU3, fhirmodel.R4, fhirmodel.R4B, fhirmodel.R5} {
		model, err := fhirmodel.Load(v)
		if err != nil {
			continue // there is a table for each of them
		}
		if _, err := ParseDocument(model, line); err == nil {
			versions = append(versions, v)
		}
	}
	return versions
}
