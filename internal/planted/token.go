package planted

// Kind is what a planted value stands for.
type Kind string

// The kinds of planted values.
const (
	Text   Kind = "text"   // a word that is nowhere else: a name, an id, a free text
	Digits Kind = "digits" // a number of a person: telephone, SSN, record number
	Date   Kind = "date"   // a date with month and day
	Old    Kind = "old"    // a year so long ago that it tells an age over 89
	Age    Kind = "age"    // an age over 89
	ZIP    Kind = "zip"    // the first four digits of a ZIP code
	Town   Kind = "town"   // the name of a town in an address
	Time   Kind = "time"   // a time of day on its own
	IP     Kind = "ip"     // an address of a computer
	UUID   Kind = "uuid"   // an id of 128 bits
	Code   Kind = "code"   // a word at the place of a code of a public code system
)

// Token is a planted value.
type Token struct {
	// Value is what is looked for: a word of consonants, digits without
	// separators, a date as YYYY-MM-DD.
	Value string
	Kind  Kind
	// Path is the element path of the leaf.
	Path string
	// Types are the types from the resource down to what the leaf is in, joined by
	// dots: "Patient.HumanName.Period".
	Types string
}

// In looks for the token in a text, and says in which form it is there.
func (t Token) In(output []byte) (form string, found bool) {
	hits := NewIndex([]Token{t}, 6).Find(output)
	if len(hits) == 0 {
		return "", false
	}
	return hits[0].Form, true
}
