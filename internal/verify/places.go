package verify

import "strings"

// states are the states of the USA, the District of Columbia and the inhabited
// territories, by postal code and by name. Safe Harbor lets a state stay
// (45 CFR 164.514(b)(2)(i)(B)); nothing keeps a hospital's system from writing a
// town into its member.
var states = func() map[string]bool {
	m := make(map[string]bool)
	for pair := range strings.SplitSeq("AL Alabama,AK Alaska,AZ Arizona,AR Arkansas,CA California,CO Colorado,CT Connecticut,DE Delaware,"+
		"DC District of Columbia,FL Florida,GA Georgia,HI Hawaii,ID Idaho,IL Illinois,IN Indiana,IA Iowa,KS Kansas,KY Kentucky,LA Louisiana,"+
		"ME Maine,MD Maryland,MA Massachusetts,MI Michigan,MN Minnesota,MS Mississippi,MO Missouri,MT Montana,NE Nebraska,NV Nevada,"+
		"NH New Hampshire,NJ New Jersey,NM New Mexico,NY New York,NC North Carolina,ND North Dakota,OH Ohio,OK Oklahoma,OR Oregon,"+
		"PA Pennsylvania,RI Rhode Island,SC South Carolina,SD South Dakota,TN Tennessee,TX Texas,UT Utah,VT Vermont,VA Virginia,"+
		"WA Washington,WV West Virginia,WI Wisconsin,WY Wyoming,PR Puerto Rico,GU Guam,VI Virgin Islands,AS American Samoa,MP Northern Mariana Islands", ",") {
		code, name, _ := strings.Cut(pair, " ")
		m[code], m[strings.ToUpper(name)] = true, true
	}
	return m
}()

// place checks a state or a country: a state of the USA, and a country by its
// code, are what the claim allows.
func (w *walk) place(text, name, path string) {
	upper := strings.ToUpper(text)
	switch {
	case name == "state" && states[upper]:
	case name == "country" && (len(text) == 2 || len(text) == 3) && strings.Trim(upper, letters) == "":
	case name == "country" && (upper == "UNITED STATES" || upper == "UNITED STATES OF AMERICA"):
	default:
		w.find(Hard, ClassText, path)
		w.fromInput(text, path)
	}
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
