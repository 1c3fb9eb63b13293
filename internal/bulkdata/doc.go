// Package bulkdata is a client of the FHIR Bulk Data export
// (https://hl7.org/fhir/uv/bulkdata): kick off, ask how it goes, read the
// files, cancel. Each call is one attempt; the caller owns time, since it may be
// a message that comes back in five minutes.
//
// Servers differ, and some refuse what they do not know, so what is sent
// belongs to a Profile: Standard follows the specification, Azure the FHIR
// service of Azure Health Data Services.
//
// What a server sends is not trusted. Tokens go only to the FHIR origin and to
// places that were configured; a redirect to another origin is refused; a file
// elsewhere is refused; and what a server says in prose is kept in
// Error.Outcome alone, never in an error's text, since it may quote data.
package bulkdata
