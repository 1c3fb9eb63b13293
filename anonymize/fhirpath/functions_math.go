package fhirpath

import "github.com/cockroachdb/apd/v3"

// Numbers: https://hl7.org/fhirpath/#math. abs to truncate take quantities too.
var mathFunctions = map[string]*function{
	"abs": {eval: onNumber(func(e *Evaluator, x *Call, v Item) Collection {
		if v.Kind != KindDecimal {
			if v.num < 0 {
				v.num = -v.num
			}
			return e.list(v)
		}
		return e.list(decimalItem(new(apd.Decimal).Abs(v.decimal())))
	})},
	"ceiling": {eval: onNumber(func(e *Evaluator, x *Call, v Item) Collection {
		return e.whole(v, func(r, d *apd.Decimal) error { _, err := wide.Ceil(r, d); return err })
	})},
	"floor": {eval: onNumber(func(e *Evaluator, x *Call, v Item) Collection {
		return e.whole(v, func(r, d *apd.Decimal) error { _, err := wide.Floor(r, d); return err })
	})},
	"truncate": {eval: onNumber(func(e *Evaluator, x *Call, v Item) Collection {
		return e.whole(v, func(r, d *apd.Decimal) error { r.Set(truncated(d)); return nil })
	})},
	"round": {max: 1, eval: onNumber(func(e *Evaluator, x *Call, v Item) Collection {
		places := int64(0)
		if len(x.Args) > 0 {
			c := e.arg(x, 0)
			if len(c) == 1 {
				if _, ok := e.value(c[0]); !ok && e.isPrimitive(c[0]) {
					c = nil
				}
			}
			n, ok := e.wholeNumber(x, c)
			if e.err != nil {
				return nil
			}
			if !ok { // no precision is 0
				n = 0
			}
			if places = n; n < 0 || n > maxBoundary {
				return e.fail(x, "round() takes 0 to 28 decimals")
			}
		}
		return e.list(decimalItem(e.round(v.decimal(), int(places))))
	})},
	"sqrt": {eval: onDecimal(func(_ *Call, r, d *apd.Decimal) error {
		if d.Negative {
			return errNoNumber
		}
		_, err := fine.Sqrt(r, d)
		return err
	})},
	"exp": {eval: onDecimal(func(_ *Call, r, d *apd.Decimal) error { _, err := fine.Exp(r, d); return err })},
	"ln": {eval: onDecimal(func(_ *Call, r, d *apd.Decimal) error {
		if d.Sign() <= 0 {
			return errNoNumber
		}
		_, err := fine.Ln(r, d)
		return err
	})},
	"log": {min: 1, max: 1, eval: withNumber(func(r, d, base *apd.Decimal) error {
		if d.Sign() <= 0 || base.Sign() <= 0 || base.Cmp(apd.New(1, 0)) == 0 {
			return errNoNumber
		}
		var a, b apd.Decimal
		if _, err := fine.Ln(&a, d); err != nil {
			return err
		}
		if _, err := fine.Ln(&b, base); err != nil {
			return err
		}
		_, err := fine.Quo(r, &a, &b)
		return err
	})},
	"power": {min: 1, max: 1, eval: withNumber(func(r, d, by *apd.Decimal) error {
		if by.Cmp(apd.New(1000, 0)) > 0 || by.Cmp(apd.New(-1000, 0)) < 0 {
			return errNoNumber
		}
		_, err := fine.Pow(r, d, by)
		return err
	})},
}

// errNoNumber is a result that does not exist; it is empty.
var errNoNumber = &Error{-1, "there is no such number"}

// fine has the digits of a result that has to be rounded.
var fine = apd.Context{Precision: 28, MaxExponent: 400, MinExponent: -400, Rounding: apd.RoundHalfEven}

func roundTo(d *apd.Decimal, places int) *apd.Decimal {
	if int(-d.Exponent) <= places {
		return d
	}
	r := new(apd.Decimal)
	up := wide
	up.Rounding = apd.RoundHalfUp
	up.Precision = maxDigits * 2
	if _, err := up.Quantize(r, d, int32(-places)); err != nil {
		return d
	}
	return r
}

// round rounds half away from zero; Microsoft's tool rounds half to even.
func (e *Evaluator) round(d *apd.Decimal, places int) *apd.Decimal {
	if !e.dialect.Rules {
		return roundTo(d, places)
	}
	if int(-d.Exponent) <= places {
		return d
	}
	r := new(apd.Decimal)
	even := wide
	even.Precision = maxDigits * 2
	if _, err := even.Quantize(r, d, int32(-places)); err != nil {
		return d
	}
	return r
}

// number takes a collection as one number; of a quantity, again puts the unit
// back.
func (e *Evaluator) number(x *Call, in Collection) (v Item, again func(Collection) Collection, ok bool) {
	same := func(c Collection) Collection { return c }
	if len(in) == 0 || e.err != nil {
		return Item{}, same, false
	}
	v, ok = e.value(in[0])
	if len(in) > 1 || !ok && in[0].Kind == KindNode && !e.doc.Type(in[0].Node).Kind.Primitive() {
		e.fail(x, "%s() takes one number", x.Name)
		return Item{}, same, false
	}
	if !ok {
		return Item{}, same, false
	}
	if v.Kind == KindQuantity {
		q := v.quantity()
		return decimalItem(q.value), func(c Collection) Collection {
			if len(c) != 1 || !c[0].isNumber() {
				return c
			}
			return e.list(q.with(c[0].decimal()).item())
		}, true
	}
	if !v.isNumber() {
		e.fail(x, "%s() takes one number", x.Name)
		return Item{}, same, false
	}
	return v, same, true
}

func onNumber(f func(*Evaluator, *Call, Item) Collection) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		v, again, ok := e.number(x, in)
		if !ok {
			return nil
		}
		return again(f(e, x, v))
	}
}

// whole gives an Integer, or a Decimal where it is too large for one.
func (e *Evaluator) whole(v Item, f func(r, d *apd.Decimal) error) Collection {
	if v.Kind != KindDecimal {
		return e.list(v)
	}
	var r apd.Decimal
	if err := f(&r, v.decimal()); err != nil {
		return nil
	}
	if n, err := r.Int64(); err == nil && n <= 1<<31-1 && n >= -1<<31 {
		return e.list(Integer(n))
	}
	return e.list(decimalItem(&r))
}

func onDecimal(f func(x *Call, r, d *apd.Decimal) error) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		v, _, ok := e.number(x, in)
		if !ok {
			return nil
		}
		r := new(apd.Decimal)
		if err := f(x, r, v.decimal()); err != nil {
			return nil
		}
		return e.decimalResult(r)
	}
}

func withNumber(f func(r, d, arg *apd.Decimal) error) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		v, _, ok := e.number(x, in)
		arg, _, ok2 := e.number(x, e.arg(x, 0))
		if !ok || !ok2 {
			return nil
		}
		r := new(apd.Decimal)
		if err := f(r, v.decimal(), arg.decimal()); err != nil {
			return nil
		}
		if x.Name == "power" && v.Kind != KindDecimal && arg.Kind != KindDecimal && arg.num >= 0 {
			if n, err := r.Int64(); err == nil && n <= 1<<31-1 && n >= -1<<31 {
				return e.list(Integer(n))
			}
		}
		return e.decimalResult(r)
	}
}

func (e *Evaluator) decimalResult(r *apd.Decimal) Collection {
	if r.Form != apd.Finite {
		return nil
	}
	r.Reduce(r)
	d, ok := parseDecimal(r.Text('f'))
	if !ok {
		return nil
	}
	if d.Exponent == 0 {
		d.Coeff.Mul(&d.Coeff, apd.NewBigInt(10))
		d.Exponent = -1
	}
	return e.list(decimalItem(d))
}
