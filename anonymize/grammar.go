package anonymize

import (
	"regexp"
	"strings"
)

// What may be kept is what looks like what it says it is: anybody can write a
// name where a code belongs.

// systemGrammars are the forms of codes in the large code systems.
var systemGrammars = map[string]*regexp.Regexp{
	"http://snomed.info/sct":                      snomed,
	"http://loinc.org":                            loinc,
	"http://www.nlm.nih.gov/research/umls/rxnorm": rxnorm,
	"http://hl7.org/fhir/sid/cvx":                 regexp.MustCompile(`^[0-9]{1,3}$`),
	"http://hl7.org/fhir/sid/mvx":                 regexp.MustCompile(`^[A-Z0-9]{2,5}$`),
	"http://hl7.org/fhir/sid/ndc":                 regexp.MustCompile(`^(?:[0-9]{10,11}|[0-9]{4,5}-[0-9]{3,4}-[0-9]{1,2})$`),
	"http://www.ama-assn.org/go/cpt":              regexp.MustCompile(`^[0-9]{4}[0-9A-Z]$`),
	"http://hl7.org/fhir/sid/icd-10":              icd10,
	"http://hl7.org/fhir/sid/icd-10-cm":           icd10,
	"http://hl7.org/fhir/sid/icd-9-cm":            regexp.MustCompile(`^[VE]?[0-9]{2,4}(?:\.[0-9]{1,2})?$`),
	"urn:oid:2.16.840.1.113883.6.238":             regexp.MustCompile(`^[0-9]{4}-[0-9]$`),
	// The same by their OIDs.
	"urn:oid:2.16.840.1.113883.6.96": snomed,
	"urn:oid:2.16.840.1.113883.6.1":  loinc,
	"urn:oid:2.16.840.1.113883.6.88": rxnorm,
	"urn:oid:2.16.840.1.113883.6.90": icd10,
	"https://dmd.nhs.uk":             snomed, // its codes are SNOMED CT's
}

var (
	snomed = regexp.MustCompile(`^[0-9]{6,18}$`)
	loinc  = regexp.MustCompile(`^(?:LA|LP|LL)?[0-9]{1,7}-[0-9]$`)
	rxnorm = regexp.MustCompile(`^[0-9]{1,8}$`)
	icd10  = regexp.MustCompile(`^[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?$`)
)

var (
	anyCode = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:/+*-]{0,39}$`)
	// numbersOfPeople are social security and telephone numbers, and dates.
	numbersOfPeople = regexp.MustCompile(`^(?:[0-9]{3}-[0-9]{2}-[0-9]{4}|(?:\+?1[-.])?[0-9]{3}[-.][0-9]{3}[-.][0-9]{4}|[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?|[0-9]{9,})$`)
)

// isCode reports whether a code is one of a public code system, as far as that can
// be told: by the system's grammar, by the list of its codes, or else because it
// looks like no text.
func isCode(system, code []byte) bool {
	if g := systemGrammars[string(system)]; g != nil {
		return g.Match(code)
	}
	if list, ok := codeLists()[string(system)]; ok && (list.whole || list.codes[string(code)]) {
		return list.codes[string(code)]
	}
	return terseCode(code)
}

// isOwnCode reports whether a code may be one of a system that the policy lists
// beyond the public ones.
func isOwnCode(system, code []byte) bool {
	if g := systemGrammars[string(system)]; g != nil {
		return g.Match(code)
	}
	return anyCode.Match(code) && !numbersOfPeople.Match(code)
}

// Units of UCUM (https://ucum.org) that are in use in medicine: symbols, those of
// them that take a prefix, and the annotations that say what is counted.
var (
	metricUnits = words(`g m s L l mol eq Eq U kat osm Osm Pa J W V A K Cel cal bar N Hz Bq Gy Sv C F Ohm S H T Wb lm lx cd rad t B m[Hg] m[H2O] [IU] [iU] [CFU] b st`)
	plainUnits  = words(`% [ppm] [ppb] 10* 10^ min h d wk mo a a_j a_g a_t deg ' '' [degF] [lb_av] [oz_av] [in_i] [ft_i] [yd_i] [mi_i] [gal_us] [foz_us] [cup_us] [tbs_us] [tsp_us] [drp] [pH] [arb'U] [diop] [Ch] [HPF] [LPF] Ci R REM RAD dyn erg atm [psi] [sin_i] [sft_i] 1`)
	prefixes    = words(`Y Z E P T G M k h da d c m u n p f a`)
	annotations = words(`{score} {nominal} {count} {#} {ratio} {titer} {index} {INR} {1.73_m2} {beats} {cells} {copies} {events} {fraction} {breaths} {steps} {tbl} {tablet} {dose} {puff} {drop} {times} {T-score} {Z-score} {pH} {RBC} {WBC} {HPF} {CFU} {visits} {mutation}`)
)

func words(s string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// isUnit reports whether a code is a unit of UCUM: atoms with exponents, joined
// by dots and slashes.
func isUnit(code string) bool {
	if code == "" || len(code) > 40 {
		return false
	}
	perArea, start := strings.Contains(code, "{1.73_m2}"), 0
	for i := 0; i <= len(code); i++ {
		if i < len(code) && code[i] != '/' && (code[i] != '.' || perArea) {
			continue
		}
		if i > start && !isAtom(code[start:i]) {
			return false
		}
		start = i + 1
	}
	return true
}

// isFactor reports whether a part is a number of one to four digits.
func isFactor(part string) bool {
	return len(part) >= 1 && len(part) <= 4 && strings.Trim(part, "0123456789") == ""
}

func isAtom(part string) bool {
	if i := strings.IndexByte(part, '{'); i >= 0 { // an annotation, alone or behind a unit
		return annotations[part[i:]] && (i == 0 || isAtom(part[:i]))
	}
	if isFactor(part) || plainUnits[part] {
		return true
	}
	symbol := strings.TrimRight(part, "0123456789")
	if exponent := part[len(symbol):]; exponent != "" {
		symbol = strings.TrimRight(symbol, "+-")
	}
	if plainUnits[symbol] || metricUnits[symbol] {
		return true
	}
	for n := 1; n <= 2 && n < len(symbol); n++ {
		if prefixes[symbol[:n]] && metricUnits[symbol[n:]] {
			return true
		}
	}
	return false
}

// states are those of the United States, with its territories, by code and name.
var states = func() map[string]bool {
	set := words(`AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY AS GU MP PR VI`)
	for _, name := range strings.Split("ALABAMA,ALASKA,ARIZONA,ARKANSAS,CALIFORNIA,COLORADO,CONNECTICUT,DELAWARE,DISTRICT OF COLUMBIA,FLORIDA,GEORGIA,HAWAII,IDAHO,ILLINOIS,INDIANA,IOWA,KANSAS,KENTUCKY,LOUISIANA,MAINE,MARYLAND,MASSACHUSETTS,MICHIGAN,MINNESOTA,MISSISSIPPI,MISSOURI,MONTANA,NEBRASKA,NEVADA,NEW HAMPSHIRE,NEW JERSEY,NEW MEXICO,NEW YORK,NORTH CAROLINA,NORTH DAKOTA,OHIO,OKLAHOMA,OREGON,PENNSYLVANIA,RHODE ISLAND,SOUTH CAROLINA,SOUTH DAKOTA,TENNESSEE,TEXAS,UTAH,VERMONT,VIRGINIA,WASHINGTON,WEST VIRGINIA,WISCONSIN,WYOMING,AMERICAN SAMOA,GUAM,NORTHERN MARIANA ISLANDS,PUERTO RICO,VIRGIN ISLANDS", ",") {
		set[name] = true
	}
	return set
}()

// isState reports whether the state of an address is one, or its country is the
// United States; a person elsewhere is in a smaller place than the rule knows.
func isState(element string, text []byte) bool {
	if element == "country" {
		return isUSA(text)
	}
	var buf [32]byte // no name is longer
	name := append(buf[:0], text[:min(len(text), len(buf))]...)
	for i, c := range name {
		if c >= 'a' && c <= 'z' {
			name[i] = c - 'a' + 'A'
		}
	}
	return len(text) <= len(buf) && states[string(name)]
}

// isUSA reports whether a country is the United States.
func isUSA(country []byte) bool {
	for _, name := range [...]string{"US", "USA", "UNITED STATES", "UNITED STATES OF AMERICA"} {
		if len(country) == len(name) && strings.EqualFold(string(country), name) {
			return true
		}
	}
	return false
}
