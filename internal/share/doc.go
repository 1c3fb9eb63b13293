// Package share hands one release, and nothing beside it, to researchers outside
// the organisation: a link that reads and lists the release's folder for some
// days, signed in the name of the person who shares (a user delegation SAS).
//
// What is shared is written to the ledger before the link is given out; the link
// itself is kept nowhere. A single link cannot be called back; all of an
// account's can, by revoking its user delegation keys.
package share
