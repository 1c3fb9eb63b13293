// Package verify looks for leaks in de-identified FHIR, and shares nothing with
// the engine that de-identified it: it has its own tables, its own reader and its
// own idea of what a claim allows. A fault of the engine is not a fault here.
//
// It does not ask what a rule did. It goes through the result, member by member,
// and has for each path a class of value that may be there: a year, a pseudonym,
// a code of a public code system or of a required value set, a number, yes or
// no, a fixed text. Whatever has no class, or does not look like its class, is a
// hard finding; what the policy loosens with a reason is a soft one. There are two
// claims: Safe Harbor, and the limited data set, which may have dates, towns and
// ZIP codes. Then it takes the names, numbers and addresses of the input line
// apart and looks whether one of them has come through.
//
// A finding says class, element path and line; never a value.
package verify

//go:generate go run ./gen ../../../shared
