// Package report says what has become of a run, in three forms of one content:
// JSON for programs (schema.json describes it), an HTML page for a person, and a
// summary for a terminal.
//
// The caller fills a Run, which is plain data, and asks for a form:
//
//	page, err := run.HTML()
//
// A report leaves the protected account, in a mail or a ticket, so it holds
// counts, codes, element paths and hashes, and no value from the data. Whoever
// fills the Run is bound to that; as a second fence, what ought to be a code, a
// path or a name is replaced by the word "unknown" where it does not look like
// one, and the server's address is cut to its origin, in every form.
//
// The same Run gives the same bytes.
package report
