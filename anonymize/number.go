package anonymize

import (
	"bytes"
	"math/big"
	"strconv"
)

// decimal is a number as .NET's decimal has it: digits and a scale.
type decimal struct {
	unscaled *big.Int
	scale    int
}

// maxDecimal is the largest number that .NET's decimal has, 2^96-1.
var maxDecimal = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 96), big.NewInt(1))

// maxScale is how many decimals .NET's decimal has.
const maxScale = 28

// parseDecimal reads a JSON number; ok is false when it is out of range.
func parseDecimal(raw []byte) (d decimal, ok bool) {
	mantissa, exponent := raw, 0
	if i := bytes.IndexAny(raw, "eE"); i >= 0 {
		mantissa = raw[:i]
		var err error
		if exponent, err = strconv.Atoi(string(raw[i+1:])); err != nil || exponent > 1000 || exponent < -1000 {
			return d, false
		}
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte{'.'})
	if len(whole)+len(fraction) > 400 {
		return d, false
	}
	d.unscaled, ok = new(big.Int).SetString(string(whole)+string(fraction), 10)
	if !ok {
		return d, false
	}
	d.scale = len(fraction) - exponent
	if d.scale < 0 {
		d.unscaled.Mul(d.unscaled, pow10(-d.scale))
		d.scale = 0
	}
	if d.scale > maxScale {
		d = d.round(maxScale)
	}
	for d.scale > 0 && new(big.Int).Abs(d.unscaled).Cmp(maxDecimal) > 0 {
		d = d.round(d.scale - 1)
	}
	return d, new(big.Int).Abs(d.unscaled).Cmp(maxDecimal) <= 0
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// round rounds to a number of decimals, half to even; it does not pad.
func (d decimal) round(places int) decimal {
	if d.scale <= places {
		return d
	}
	divisor := pow10(d.scale - places)
	quotient, rest := new(big.Int).QuoRem(d.unscaled, divisor, new(big.Int))
	twice := new(big.Int).Mul(rest.Abs(rest), big.NewInt(2))
	switch c := twice.Cmp(divisor); {
	case c > 0, c == 0 && quotient.Bit(0) == 1:
		quotient.Add(quotient, big.NewInt(int64(sign(d.unscaled))))
	}
	return decimal{quotient, places}
}

func sign(n *big.Int) int {
	if n.Sign() < 0 {
		return -1
	}
	return 1
}

// add adds two numbers; the scale is the larger of the two.
func (d decimal) add(e decimal) decimal {
	scale := max(d.scale, e.scale)
	a := new(big.Int).Mul(d.unscaled, pow10(scale-d.scale))
	b := new(big.Int).Mul(e.unscaled, pow10(scale-e.scale))
	return decimal{a.Add(a, b), scale}
}

// String writes plain digits, with trailing zeros as the scale has them.
func (d decimal) String() string {
	digits := new(big.Int).Abs(d.unscaled).String()
	for len(digits) <= d.scale {
		digits = "0" + digits
	}
	if d.scale > 0 {
		digits = digits[:len(digits)-d.scale] + "." + digits[len(digits)-d.scale:]
	}
	if d.unscaled.Sign() < 0 {
		digits = "-" + digits
	}
	return digits
}

// canonicalNumber is a number in plain digits. A number of zeros has none beyond
// its scale, as .NET drops what is too small. One that is out of .NET's range,
// which ends Microsoft's tool but is a decimal of FHIR, stays as it came.
func canonicalNumber(raw []byte) []byte {
	raw = bytes.TrimSpace(bytes.Trim(raw, `"`))
	d, ok := parseDecimal(raw)
	if !ok {
		return withoutZeros(raw)
	}
	if d.unscaled.Sign() == 0 && bytes.ContainsAny(raw, "eE") {
		return []byte("0")
	}
	return []byte(d.String())
}

// withoutZeros is a number without the zeros before it, which JSON does not allow.
func withoutZeros(raw []byte) []byte {
	digits, negative := bytes.CutPrefix(raw, []byte{'-'})
	if !hasLeadingZero(digits) {
		return raw
	}
	for hasLeadingZero(digits) {
		digits = digits[1:]
	}
	if negative {
		return append([]byte{'-'}, digits...)
	}
	return digits
}
