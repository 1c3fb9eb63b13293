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
// which rule decides it. Then the methods are applied to the nodes that have
// values (decide.go, and a file per method); and the result is spliced together
// (emit.go): what no rule touched is copied as it came.
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
