// Package fhirserver is a FHIR server that exports: a real HTTP server, good
// enough to try any Bulk Data client against, with generated patients or the
// NDJSON files of a folder. It knows the behaviour of two kinds of servers, the
// specification's and Azure's, and on request does all the wrong things that
// servers have been seen to do. Only tests and the local run use it.
package fhirserver
