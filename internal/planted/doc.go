// Package planted makes FHIR resources that have a traceable value at every leaf
// of every type, and finds those values again in whatever has become of them. It
// is for tests: after a resource has been de-identified, none may be left.
//
// Corpus makes the resources, Index finds the tokens: as they were, in other
// case, in part, in base64, in a URL, with other escapes, with the digits grouped
// otherwise.
package planted
