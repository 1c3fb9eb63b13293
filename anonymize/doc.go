// Package anonymize de-identifies FHIR resources by a policy: one resource bytes
// to bytes, or a stream of NDJSON.
//
//	rules, err := policy.Builtin("safe-harbor")
//	engine, err := anonymize.Compile(rules, anonymize.Options{Keys: keys, AsOf: now})
//	stats, err := engine.Stream(ctx, dst, src, anonymize.StreamOptions{})
//
// # The way of a line
//
// A line is scanned to a tape of typed nodes (scan.go); while that happens, an
// automaton made of the rules' paths (states.go) follows and says at each node
// which rule decides it. A path that is more than steps, such as one with where(),
// is cut where it stops to be steps (cut.go); the automaton finds the nodes there,
// and the rest is run on them, as a guard (guard.go) or by the evaluator, over the
// document as the rules before have left it (claims.go, view.go). Then the methods
// are applied to the nodes that have values (decide.go, and a file per method); and
// the result is spliced into the bytes of the line (splice.go), or written anew
// where these are not in canonical form (emit.go): what no rule touched is copied as
// it came.
//
// The tests have a slow and literal interpreter of the rules (oracle_rules_test.go)
// that the engine is held against, with rules and resources that are made up.
//
// # Input
//
// A line is one resource in JSON (RFC 8259), in UTF-8. What is no JSON, is of no
// type or has an element that the FHIR version does not have, or a value that does
// not fit its type, is a line error, with a reason that says which; so are comments,
// single quotes, commas too many, an array around resources, something behind one,
// two resource types, and nesting of more than 64 objects. A byte order mark is
// taken off a stream, not a single resource. Line ends are LF or CRLF, the last may
// be missing; blank lines are no lines.
//
// The rest is read as Microsoft's tool reads it, and refused by a strict policy:
// bytes that are no UTF-8, and escapes that are half of a surrogate pair, become
// U+FFFD; of a member that is there twice the last counts; a single value counts
// for an array, and the other way round; "true" and "5" count for true and 5; a
// number may begin with zeros; fhir_comments are left out. Under any policy a
// resource's type may come late; null (but for an array, to a strict policy), empty
// texts, arrays and objects, and white space around texts are left out; numbers are
// written in plain digits, as far as .NET's decimal has them, else as they came.
//
// Without policy.CompatMicrosoft nothing is lost without a word: two variants of a
// choice and several values where FHIR has one are refused as well.
//
// # Speed
//
// Measured over 105 MB of Synthea's R4 records on one core of an AMD EPYC, with
// keys, labels and canonical form; jsontext is
// github.com/go-json-experiment/json/jsontext, which merely reads the tokens of the
// same bytes in the same run. It reads 540 MB/s, or 610 where the linker happens to
// lay it out better, so look at several builds.
//
//	                                      MB/s   of jsontext
//	scan to the tape, alone               1,080  2.0
//	Microsoft's R4 sample, 193 rules        435  0.8
//	  were its HMACs free                   475  0.88
//	safe-harbor                             350  0.65
//
// Two workers do 1.9 times what one does, where both cores are free. In steady state
// no resource takes memory from the heap. The model is loaded in 11 ms, and the sample
// compiled in 7. To measure again:
//
//	go test -run '^$' -bench 'Engine|Compile' -benchtime 10x ./anonymize
//	go test -run '^$' -bench Engine/microsoft -benchtime 10x -cpuprofile cpu.out ./anonymize
//
// Of the sample's time the scan takes two fifths, HMAC-SHA256 a tenth, the other
// methods a quarter, and splicing a tenth. What made it so: strings are looked at
// eight bytes at a time (swar.go); the member that came last time is tried first
// (edge.go); what references were hashed to is remembered (memo.go); and only what
// has changed is walked when the result is written.
//
// # Promises
//
// The same line, policy, keys and as-of instant give the same bytes, with any
// number of workers. No error and no panic has a value from the data in it; an
// error names line and element path. An unknown element or type is an error,
// never passed on. With the same keys, results stay the same from version to
// version, or the change is announced.
//
// An Engine is safe for concurrent use. It knows nothing of storage or network.
package anonymize
