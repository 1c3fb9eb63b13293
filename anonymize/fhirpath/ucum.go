package fhirpath

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// unit is a unit of UCUM (https://ucum.org/ucum): so many of the base units, each
// to a power.
type unit struct {
	factor *big.Rat
	dims   dims
	// offset is added to a value before it is multiplied: Cel and [degF].
	offset *big.Rat
}

// dims are the powers of metre, second, gram, radian, kelvin, coulomb, candela;
// what UCUM only counts, such as [IU] and annotations, has none.
type dims [7]int16

// units are the atoms in use in medicine, each as a number of a simpler one.
var units = map[string]struct {
	number string
	of     string
	metric bool
}{
	"10*": {"10", "1", false}, "10^": {"10", "1", false}, "[pi]": {"3.1415926535897932384626433832795", "1", false},
	"%": {"1/100", "1", false}, "[ppth]": {"1/1000", "1", false}, "[ppm]": {"1/1000000", "1", false}, "[ppb]": {"1/1000000000", "1", false},
	"mol": {"602213670000000000000000", "1", true}, "eq": {"1", "mol", true}, "osm": {"1", "mol", true},
	"sr": {"1", "rad2", true}, "Hz": {"1", "s-1", true}, "N": {"1", "kg.m/s2", true}, "Pa": {"1", "N/m2", true}, "J": {"1", "N.m", true},
	"W": {"1", "J/s", true}, "A": {"1", "C/s", true}, "V": {"1", "J/C", true}, "F": {"1", "C/V", true}, "Ohm": {"1", "V/A", true},
	"S": {"1", "Ohm-1", true}, "Wb": {"1", "V.s", true}, "T": {"1", "Wb/m2", true}, "H": {"1", "Wb/A", true}, "lm": {"1", "cd.sr", true},
	"lx": {"1", "lm/m2", true}, "Bq": {"1", "s-1", true}, "Gy": {"1", "J/kg", true}, "Sv": {"1", "J/kg", true}, "kat": {"1", "mol/s", true},
	"U": {"1", "umol/min", true}, "l": {"1", "dm3", true}, "L": {"1", "l", true}, "ar": {"100", "m2", true},
	"min": {"60", "s", false}, "h": {"60", "min", false}, "d": {"24", "h", false}, "wk": {"7", "d", false},
	"a": {"365.25", "d", false}, "a_j": {"365.25", "d", false}, "a_t": {"365.24219", "d", false}, "a_g": {"365.2425", "d", false},
	"mo": {"1/12", "a_j", false}, "mo_j": {"1/12", "a_j", false}, "mo_s": {"29.53059", "d", false},
	"t": {"1000", "kg", true}, "bar": {"100000", "Pa", true}, "u": {"0.0000000000000000000000016605402", "g", true},
	"m[H2O]": {"9.80665", "kPa", true}, "m[Hg]": {"133.322", "kPa", true}, "atm": {"101325", "Pa", false},
	"cal": {"4.184", "J", true}, "[Cal]": {"1", "kcal", false}, "eV": {"0.000000000000000000160217733", "J", true},
	"deg": {"0.01745329251994329576923690768488612713", "rad", false}, "[in_i]": {"2.54", "cm", false}, "[ft_i]": {"12", "[in_i]", false},
	"[yd_i]": {"3", "[ft_i]", false}, "[mi_i]": {"5280", "[ft_i]", false}, "[gr]": {"64.79891", "mg", false},
	"[lb_av]": {"7000", "[gr]", false}, "[oz_av]": {"1/16", "[lb_av]", false}, "[dr_av]": {"1/16", "[oz_av]", false},
	"[stone_av]": {"14", "[lb_av]", false}, "[gal_us]": {"231", "[in_i]3", false}, "[qt_us]": {"1/4", "[gal_us]", false},
	"[pt_us]": {"1/2", "[qt_us]", false}, "[cup_us]": {"16", "[tbs_us]", false}, "[foz_us]": {"1/16", "[pt_us]", false},
	"[tbs_us]": {"1/2", "[foz_us]", false}, "[tsp_us]": {"1/3", "[tbs_us]", false}, "[drp]": {"1/20", "ml", false},
	"dyn": {"1", "g.cm/s2", true}, "erg": {"1", "dyn.cm", true}, "P": {"1", "dyn.s/cm2", true}, "G": {"1/10000", "T", true},
	"Ci": {"37000000000", "Bq", true}, "R": {"0.000258", "C/kg", true}, "RAD": {"100", "erg/g", true}, "REM": {"1", "RAD", true},
	"gf": {"9.80665", "m/s2.g", true}, "[psi]": {"6894.757293168", "Pa", false}, "[Btu]": {"1.05505585262", "kJ", false},
	"[degR]": {"5/9", "K", false}, "st": {"1", "m3", true}, "b": {"100", "fm2", true},
}

var baseUnits = map[string]int{"m": 0, "s": 1, "g": 2, "rad": 3, "K": 4, "C": 5, "cd": 6}

var prefixes = map[string]int{"Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24}

// parseUnit reads a unit; ok is false for one that is not known.
func parseUnit(code string) (unit, bool) {
	switch code {
	case "Cel":
		return unit{factor: big.NewRat(1, 1), dims: dims{4: 1}, offset: big.NewRat(27315, 100)}, true
	case "[degF]":
		return unit{factor: big.NewRat(5, 9), dims: dims{4: 1}, offset: big.NewRat(45967, 100)}, true
	}
	if len(code) > maxUnitLength {
		return unit{}, false
	}
	p := unitParser{text: code}
	u, ok := p.terms()
	return u, ok && p.pos == len(code) && code != ""
}

// maxUnit bounds the nesting of units and the size of exponents.
const maxUnit = 32

// maxUnitLength is how long a unit may be.
const maxUnitLength = 100

type unitParser struct {
	text  string
	pos   int
	depth int
}

func one() unit { return unit{factor: big.NewRat(1, 1)} }

// terms reads factors joined by . and /.
func (p *unitParser) terms() (unit, bool) {
	if p.depth++; p.depth > maxUnit {
		return unit{}, false
	}
	defer func() { p.depth-- }()
	result, divide := one(), false
	if p.pos < len(p.text) && p.text[p.pos] == '/' {
		divide = true
		p.pos++
	}
	for {
		u, ok := p.component()
		if !ok {
			return unit{}, false
		}
		result = result.times(u, divide)
		if p.pos == len(p.text) || p.text[p.pos] != '.' && p.text[p.pos] != '/' {
			return result, true
		}
		divide = p.text[p.pos] == '/'
		p.pos++
	}
}

func (p *unitParser) component() (unit, bool) {
	if p.pos < len(p.text) && p.text[p.pos] == '(' {
		p.pos++
		u, ok := p.terms()
		if !ok || p.pos == len(p.text) || p.text[p.pos] != ')' {
			return unit{}, false
		}
		p.pos++
		return u, true
	}
	start := p.pos
	bracket := false
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		if !bracket && (c == '.' || c == '/' || c == ')' || c == '{') {
			break
		}
		bracket = bracket && c != ']' || c == '['
		p.pos++
	}
	atom := p.text[start:p.pos]
	annotated := false
	if p.pos < len(p.text) && p.text[p.pos] == '{' {
		end := strings.IndexByte(p.text[p.pos:], '}')
		if end < 0 {
			return unit{}, false
		}
		p.pos += end + 1
		annotated = true
	}
	if atom == "" {
		return one(), annotated
	}
	return parseAtom(atom, p.depth)
}

// parseAtom reads a number, or an atom with prefix and exponent.
func parseAtom(atom string, depth int) (unit, bool) {
	if n, err := strconv.ParseInt(atom, 10, 64); err == nil && n > 0 {
		return unit{factor: big.NewRat(n, 1)}, true
	}
	symbol, exponent := atom, 1
	if i := strings.LastIndexFunc(atom, func(r rune) bool { return !(r >= '0' && r <= '9' || r == '+' || r == '-') }); i+1 < len(atom) && i >= 0 {
		n, err := strconv.Atoi(atom[i+1:])
		if err != nil || n < -maxUnit || n > maxUnit {
			return unit{}, false
		}
		symbol, exponent = atom[:i+1], n
	}
	u, ok := atomUnit(symbol, depth)
	if !ok {
		return unit{}, false
	}
	result := one()
	for range max(exponent, -exponent) {
		result = result.times(u, exponent < 0)
	}
	return result, true
}

func atomUnit(symbol string, depth int) (unit, bool) {
	if u, _, ok := plainUnit(symbol, depth); ok {
		return u, true
	}
	for n := 1; n <= 2 && n < len(symbol); n++ {
		power, isPrefix := prefixes[symbol[:n]]
		if !isPrefix {
			continue
		}
		if u, metric, ok := plainUnit(symbol[n:], depth); ok && metric {
			ten := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(power, -power))), nil))
			return u.times(unit{factor: ten}, power < 0), true
		}
	}
	return unit{}, false
}

func plainUnit(symbol string, depth int) (u unit, metric, ok bool) {
	if i, base := baseUnits[symbol]; base {
		u = one()
		u.dims[i] = 1
		return u, true, true
	}
	def, known := units[symbol]
	if !known {
		return unit{}, false, false
	}
	p := unitParser{text: def.of, depth: depth + 1}
	if u, ok = p.terms(); !ok {
		return unit{}, false, false
	}
	n, _ := new(big.Rat).SetString(def.number)
	return u.times(unit{factor: n}, false), def.metric, true
}

func (u unit) times(v unit, divide bool) unit {
	r := unit{factor: new(big.Rat), dims: u.dims}
	if divide {
		r.factor.Quo(u.factor, v.factor)
	} else {
		r.factor.Mul(u.factor, v.factor)
	}
	for i, d := range v.dims {
		if divide {
			d = -d
		}
		r.dims[i] += d
	}
	return r
}

// base is a value of the unit in base units, fromBase the way back.
func (u unit) base(v *apd.Decimal) *apd.Decimal {
	r, ok := new(big.Rat).SetString(v.Text('f'))
	if !ok {
		return v
	}
	if u.offset != nil {
		r.Add(r, u.offset)
	}
	return ratDecimal(r.Mul(r, u.factor))
}

func (u unit) fromBase(v *apd.Decimal) *apd.Decimal {
	r, ok := new(big.Rat).SetString(v.Text('f'))
	if !ok {
		return v
	}
	r.Quo(r, u.factor)
	if u.offset != nil {
		r.Sub(r, u.offset)
	}
	return ratDecimal(r)
}

// ratDecimal writes a fraction with at most 28 decimals, without those that are
// 0.
func ratDecimal(r *big.Rat) *apd.Decimal {
	text := r.FloatString(28)
	text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	if text == "" || text == "-" {
		text = "0"
	}
	d, _, err := apd.NewFromString(text)
	if err != nil {
		return apd.New(0, 0)
	}
	return d
}
