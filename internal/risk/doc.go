// Package risk measures how well a patient hides among others in de-identified
// data: how many patients share each combination of quasi-identifiers (birth year,
// sex, ZIP3, race, ethnicity, or what a policy names). Such a combination is a
// cell; a patient in a cell of one can be singled out by who knows as much.
//
//	reader, err := risk.NewReader(names)           // what a cell is made of
//	rows := risk.NewRows(reader)                   // one file
//	rows.Add(line)                                 // … each line of its result
//	data := rows.Bytes()                           // kept as the file's record
//
//	tally := risk.NewTally(patients)               // the whole run, from the records
//	for tally.Pass() { for each file { tally.Add(data) } }
//	summary := tally.Summary(k, minimum)
//
// A record has the combinations, and a hash of each patient's id, so that a patient
// who is in two files, or twice in one, is counted once. It holds values of
// de-identified data, and a small cell may point at a person: it belongs in the
// protected account. A Summary has sizes only, and may be shown.
//
// Counting is exact. A record takes eight bytes for each patient; a Tally takes
// the records of a large run in several passes, so that it remembers a bounded
// number of patients at a time, and besides a count for each combination.
package risk
