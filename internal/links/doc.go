// Package links counts the references of de-identified data that lead nowhere:
// whose resource is not in the result, since it was not exported, dropped by the
// policy or kept back, or since its id was made another than the reference's.
//
//	file := links.NewFile(isType)           // one file
//	file.Add(line)                          // … each line of its result
//	data := file.Bytes()                    // kept as the file's record
//
//	tally := new(links.Tally)               // the whole run, from the records
//	for each file { tally.Resources(data) } // first what there is
//	for each file { tally.References(data) }// then what leads where
//	summary := tally.Summary
//
// A record holds hashes of "Type/id", eight bytes each, and no value. That two of
// them are the same by chance is as likely, with ten million of either, as one in
// two hundred thousand: the count is exact but for that.
package links
