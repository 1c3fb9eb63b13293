package fhirpath

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Conversions: https://hl7.org/fhirpath/#conversion. Each toX has a convertsToX.
var conversionFunctions = func() map[string]*function {
	table := make(map[string]*function)
	for name, convert := range map[string]func(e *Evaluator, v Item) (Item, bool){
		"Boolean": toBoolean, "Integer": toInteger, "Long": toLong, "Decimal": toDecimal, "String": toString,
		"Date": toDate, "DateTime": toDateTime, "Time": toTime,
	} {
		where := everywhere
		if name == "Long" {
			where = notMicrosoft
		}
		table["to"+name] = &function{where: where, eval: func(e *Evaluator, x *Call, in Collection) Collection {
			v, ok := e.convertible(x, in)
			if !ok {
				return nil
			}
			if v, ok = convert(e, v); !ok {
				return nil
			}
			return e.list(v)
		}}
		table["convertsTo"+name] = &function{where: where, eval: func(e *Evaluator, x *Call, in Collection) Collection {
			v, ok := e.convertible(x, in)
			if !ok {
				return nil
			}
			_, ok = convert(e, v)
			return e.boolean(ok)
		}}
	}
	table["toQuantity"] = &function{max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		q, ok, known := e.toQuantity(x, in)
		if !ok || !known {
			return nil
		}
		return e.list(q.item())
	}}
	table["convertsToQuantity"] = &function{max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		_, ok, known := e.toQuantity(x, in)
		if !known {
			return nil
		}
		return e.boolean(ok)
	}}
	return table
}()

// convertible is the one value of a collection.
func (e *Evaluator) convertible(x *Call, in Collection) (Item, bool) {
	if len(in) == 0 || e.err != nil {
		return Item{}, false
	}
	if len(in) > 1 {
		e.fail(x, "%s() takes one item", x.Name)
		return Item{}, false
	}
	v, ok := e.value(in[0])
	return v, ok
}

func toBoolean(_ *Evaluator, v Item) (Item, bool) {
	switch v.Kind {
	case KindBoolean:
		return v, true
	case KindInteger, KindLong:
		return Boolean(v.num == 1), v.num == 0 || v.num == 1
	case KindDecimal:
		d := v.decimal()
		return Boolean(!d.IsZero()), d.IsZero() || d.Cmp(apd.New(1, 0)) == 0
	case KindString:
		switch strings.ToLower(string(v.text())) {
		case "true", "t", "yes", "y", "1", "1.0":
			return Boolean(true), true
		case "false", "f", "no", "n", "0", "0.0":
			return Boolean(false), true
		}
	}
	return v, false
}

func toInteger(_ *Evaluator, v Item) (Item, bool) {
	n, ok := wholeOf(v)
	return Integer(n), ok && n <= 1<<31-1 && n >= -1<<31
}

func toLong(_ *Evaluator, v Item) (Item, bool) {
	n, ok := wholeOf(v)
	return Item{Kind: KindLong, Node: None, num: n}, ok
}

func wholeOf(v Item) (int64, bool) {
	switch v.Kind {
	case KindInteger, KindLong, KindBoolean:
		return v.num, true
	case KindString:
		n, err := strconv.ParseInt(string(v.text()), 10, 64)
		return n, err == nil
	}
	return 0, false
}

func toDecimal(_ *Evaluator, v Item) (Item, bool) {
	switch v.Kind {
	case KindDecimal:
		return v, true
	case KindInteger, KindLong, KindBoolean:
		return decimalItem(apd.New(v.num, 0)), true
	case KindString:
		text := string(v.text())
		if strings.Trim(text, "0123456789.+-") != "" || strings.HasSuffix(text, ".") {
			return v, false
		}
		d, ok := parseDecimal(text)
		return decimalItem(d), ok
	}
	return v, false
}

func toString(_ *Evaluator, v Item) (Item, bool) {
	if v.Kind == KindString {
		return v, true
	}
	return String(v.Text()), v.Kind != KindType
}

func toDate(_ *Evaluator, v Item) (Item, bool) {
	switch v.Kind {
	case KindDate, KindDateTime:
		return v.temporal().asDate().item(), true
	case KindString:
		if t, ok := parseTemporal(v.text(), tokenDateTime); ok {
			return t.asDate().item(), true
		}
	}
	return v, false
}

func toDateTime(_ *Evaluator, v Item) (Item, bool) {
	switch v.Kind {
	case KindDate, KindDateTime:
		return v.temporal().asDateTime().item(), true
	case KindString:
		if t, ok := parseTemporal(v.text(), tokenDateTime); ok {
			return t.item(), true
		}
	}
	return v, false
}

func toTime(_ *Evaluator, v Item) (Item, bool) {
	switch v.Kind {
	case KindTime:
		return v, true
	case KindString:
		if t, ok := parseTemporal(v.text(), tokenTime); ok {
			return t.item(), true
		}
	}
	return v, false
}

// toQuantity is known where there is something to convert.
func (e *Evaluator) toQuantity(x *Call, in Collection) (q quantity, ok, known bool) {
	v, known := e.convertible(x, in)
	if !known {
		return q, false, false
	}
	switch v.Kind {
	case KindBoolean:
		q, ok = quantity{value: apd.New(v.num, 0), unit: "1"}, true
	case KindString:
		q, ok = parseQuantity(string(v.text()))
	default:
		q, ok = asQuantity(v)
	}
	if !ok || len(x.Args) == 0 {
		return q, ok, true
	}
	unit, has := e.text(x, e.arg(x, 0))
	if !has {
		return q, ok, true
	}
	if len(unit) > 2 && unit[0] == '\'' {
		unit = strings.Trim(unit, "'")
	}
	q, ok = q.convertTo(unit)
	return q, ok, true
}
