package verify

import (
	"bytes"
	"strings"
)

// states are the states of the USA, the District of Columbia and the inhabited
// territories, by postal code and by name. Both claims let a state stay
// (45 CFR 164.514(b)(2)(i)(B), (e)(2)(ii)); nothing keeps a hospital's system from
// writing a town into its member.
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

// isPlace accepts a state of the USA, and a country by its code or as the USA.
func isPlace(text []byte, class class) bool {
	if class == classState {
		return states[strings.ToUpper(string(text))]
	}
	if (len(text) == 2 || len(text) == 3) && countLetters(text) == len(text) {
		return true
	}
	upper := strings.ToUpper(string(text))
	return upper == "UNITED STATES" || upper == "UNITED STATES OF AMERICA"
}

// isZIP accepts five digits or nine, as ZIP codes of the USA have.
func isZIP(s []byte) bool {
	if len(s) == 10 && s[5] == '-' {
		return countDigits(s) == 9
	}
	return (len(s) == 5 || len(s) == 9) && countDigits(s) == len(s)
}

// isTown accepts what the name of a town looks like.
func isTown(s []byte) bool {
	if len(s) > 60 {
		return false
	}
	for _, c := range s {
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 || bytes.IndexByte([]byte(" -'."), c) >= 0) {
			return false
		}
	}
	return true
}
