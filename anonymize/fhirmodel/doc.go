// Package fhirmodel knows the elements of FHIR: which types there are, which
// elements each has, of which type, and how they look in JSON. The tables are
// generated from the definitions that HL7 publishes (CC0), one compact file a
// version; a new version is a new table.
package fhirmodel

//go:generate go run ./gen ../../../shared/fhir-definitions
