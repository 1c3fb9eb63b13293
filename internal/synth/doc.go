// Package synth makes synthetic patients, and what a hospital writes about them:
// FHIR R4 resources with made-up people in them, and their identifiers in all the
// places where real data has them, free text included. Nothing of it is a real
// person's.
//
// The same seed gives the same bytes on every machine. Each patient is made from
// the seed and its number alone, so a million can be streamed without being held.
// Tests, the local run and `fhirdeid seed` use it; the function app does not.
package synth
