package fhirpath

import "github.com/cockroachdb/apd/v3"

func (e *Evaluator) numbers(x *Binary, a, b Item) Collection {
	if a.Kind != KindDecimal && b.Kind != KindDecimal && x.Op != "/" {
		return e.wholeNumbers(x.Op, a, b)
	}
	d, ok := calculate(x.Op, a.decimal(), b.decimal())
	if !ok {
		return nil
	}
	if x.Op == "div" {
		n, err := d.Int64()
		if err != nil {
			return nil
		}
		if e.dialect.Microsoft { // of decimals it is a Long there
			return e.list(Item{Kind: KindLong, Node: None, num: n})
		}
		return e.list(Integer(n))
	}
	return e.list(decimalItem(d))
}

// wholeNumbers calculates with integers; what is too large is nothing.
func (e *Evaluator) wholeNumbers(op string, a, b Item) Collection {
	kind := max(a.Kind, b.Kind)
	x, y := apd.NewBigInt(a.num), apd.NewBigInt(b.num)
	r := new(apd.BigInt)
	switch op {
	case "+":
		r.Add(x, y)
	case "-":
		r.Sub(x, y)
	case "*":
		r.Mul(x, y)
	default:
		if b.num == 0 {
			return nil
		}
		if op == "div" {
			r.Quo(x, y)
		} else {
			r.Rem(x, y)
		}
	}
	if !r.IsInt64() || kind == KindInteger && (r.Int64() > 1<<31-1 || r.Int64() < -1<<31) {
		return nil
	}
	return e.list(Item{Kind: kind, Node: None, num: r.Int64()})
}

// calculate calculates with decimals; ok is false where there is no result.
func calculate(op string, a, b *apd.Decimal) (*apd.Decimal, bool) {
	r := new(apd.Decimal)
	var err error
	switch op {
	case "+":
		_, err = wide.Add(r, a, b)
	case "-":
		_, err = wide.Sub(r, a, b)
	case "*":
		_, err = wide.Mul(r, a, b)
	default:
		if b.IsZero() {
			return nil, false
		}
		switch op {
		case "/":
			narrow := wide
			narrow.Precision = 28
			if _, err = narrow.Quo(r, a, b); err == nil && r.Exponent < 0 {
				r.Reduce(r)
			}
		case "div":
			_, err = wide.QuoInteger(r, a, b)
		case "mod":
			_, err = wide.Rem(r, a, b)
		}
	}
	if err == nil && r.Exponent > 0 {
		_, err = wide.Quantize(r, r, 0)
	}
	return r, err == nil && r.Form == apd.Finite
}
