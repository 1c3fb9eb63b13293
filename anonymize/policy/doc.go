// Package policy reads rule files: which elements of a FHIR resource are kept,
// dropped or changed, and how.
//
// The language is that of Microsoft's "Tools for Health Data Anonymization", so
// that an existing file works; see
// https://github.com/microsoft/Tools-for-Health-Data-Anonymization. To it come a
// mode and a claim:
//
//	{
//	  "fhirVersion": "R4",
//	  "mode":  "strict",         // an element no rule reaches is dropped; default "microsoft": it is kept
//	  "claim": "safe-harbor",    // what the result is, proven by the verifier; default "none"
//	  "fhirPathRules": [ {"path": "Patient.gender", "method": "keep"}, … ],
//	  "risk": {"quasiIdentifiers": ["birthYear", "sex", "zip3"], "k": 11, "minimumCell": 5},  // see Risk
//	  "parameters": { … }
//	}
//
// A file may instead extend a built-in profile, whose mode, claim and rules it then
// has, its own rules coming first:
//
//	{
//	  "extends": "safe-harbor",
//	  "fhirPathRules": [
//	    {"path": "Patient.birthDate", "method": "redact"},
//	    {"path": "Condition.code.text", "method": "keep", "reason": "a closed list of texts, reviewed on 2026-03-01"}
//	  ]
//	}
//
// A rule that keeps more than the profile of the claim names one element and gives
// a reason. See profiles/README.md.
//
// The file may have comments, trailing commas, single quotes and a byte order
// mark, as Microsoft's loader takes them. The first rule that reaches an element
// decides.
//
// Parse reads a file, checks all that Microsoft's tool checks when it loads one, and
// gives its paths and conditions as FHIRPath expressions. Where that tool leaks or
// crashes the file is read otherwise, unless ParseOptions ask for CompatMicrosoft.
package policy
