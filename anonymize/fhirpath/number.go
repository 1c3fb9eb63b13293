package fhirpath

import (
	"cmp"
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// parseNumber reads an Integer or a Decimal.
func parseNumber(text string) (Item, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n > 1<<31-1 || n < -1<<31 {
			return decimalItem(apd.New(n, 0)), true
		}
		return Integer(n), true
	}
	d, ok := parseDecimal(text)
	if !ok {
		return Item{}, false
	}
	return decimalItem(d), true
}

// maxDigits bounds decimals, so that no exponent becomes a long text.
const maxDigits = 400

func parseDecimal(text string) (*apd.Decimal, bool) {
	if len(text) > maxDigits {
		return nil, false
	}
	d, _, err := apd.NewFromString(text)
	if err != nil || d.Form != apd.Finite || d.Exponent > 100 || d.Exponent < -maxDigits {
		return nil, false
	}
	if d.Exponent > 0 {
		d.Coeff.Mul(&d.Coeff, new(apd.BigInt).Exp(apd.NewBigInt(10), apd.NewBigInt(int64(d.Exponent)), nil))
		d.Exponent = 0
	}
	return d, true
}

// parseWhole reads a whole number of few digits.
func parseWhole(text []byte) (n int64, ok bool) {
	digits := text
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	for _, c := range digits {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if text[0] == '-' {
		n = -n
	}
	return n, true
}

// smallDecimal reads a decimal of few digits, without taking memory; ok is false
// for others.
func smallDecimal(d *apd.Decimal, text []byte) (ok bool) {
	digits, places, point := int64(0), int32(0), false
	negative := len(text) > 0 && text[0] == '-'
	rest := text
	if negative {
		rest = text[1:]
	}
	if len(rest) == 0 || len(rest) > 18 {
		return false
	}
	for _, c := range rest {
		switch {
		case c == '.' && !point:
			point = true
		case isDigit(c):
			digits = digits*10 + int64(c-'0')
			if point {
				places++
			}
		default:
			return false
		}
	}
	d.Form, d.Negative, d.Exponent = apd.Finite, negative, -places
	d.Coeff.SetInt64(digits)
	return true
}

// plainDecimal is the text of a decimal, without a sign before zero.
func plainDecimal(d *apd.Decimal) string {
	if d.Negative && d.IsZero() {
		d = new(apd.Decimal).Abs(d)
	}
	return d.Text('f')
}

// compareNumbers compares two numbers, of few digits without taking memory.
func compareNumbers(a, b Item) int {
	x, places, ok1 := a.digits()
	y, others, ok2 := b.digits()
	if ok1 && ok2 {
		for ; places < others && ok1; places++ {
			x, ok1 = timesTen(x)
		}
		for ; others < places && ok2; others++ {
			y, ok2 = timesTen(y)
		}
		if ok1 && ok2 {
			return cmp.Compare(x, y)
		}
	}
	return a.decimal().Cmp(b.decimal())
}

// digits is a number as a whole number with so many decimals.
func (i Item) digits() (n int64, places int32, ok bool) {
	if i.Kind != KindDecimal {
		return i.num, 0, true
	}
	d := i.decimal()
	if d.Exponent > 0 || !d.Coeff.IsInt64() {
		return 0, 0, false
	}
	n = d.Coeff.Int64()
	if d.Negative {
		n = -n
	}
	return n, -d.Exponent, true
}

func timesTen(n int64) (int64, bool) {
	return n * 10, n < math.MaxInt64/10 && n > math.MinInt64/10
}

// wide is the arithmetic of decimals: more digits than FHIR asks for.
var wide = apd.Context{Precision: 40, MaxExponent: 4000, MinExponent: -4000, Rounding: apd.RoundHalfEven}

// truncated is the number without decimals.
func truncated(d *apd.Decimal) *apd.Decimal {
	if d.Exponent >= 0 {
		return new(apd.Decimal).Set(d)
	}
	var whole, frac apd.Decimal
	d.Modf(&whole, &frac)
	if whole.Coeff.Sign() == 0 {
		whole.Negative = false
	}
	return &whole
}
