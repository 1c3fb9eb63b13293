package synth

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// out appends JSON. Its methods return it, so that a resource reads as it looks.
type out struct{ b []byte }

func (o *out) raw(s string) *out { o.b = append(o.b, s...); return o }

// str appends a JSON string.
func (o *out) str(s string) *out {
	o.b = append(o.b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			o.b = append(o.b, '\\', byte(r))
		case r == '\n':
			o.b = append(o.b, '\\', 'n')
		default:
			o.b = utf8.AppendRune(o.b, r)
		}
	}
	o.b = append(o.b, '"')
	return o
}

// set appends ,"key":"value".
func (o *out) set(key, value string) *out { return o.key(key).str(value) }

// key appends ,"key": — without the comma behind an opening bracket.
func (o *out) key(key string) *out {
	if last := o.b[len(o.b)-1]; last != '{' && last != '[' {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, key...)
	o.b = append(o.b, '"', ':')
	return o
}

func (o *out) num(key string, n float64, decimals int) *out {
	o.key(key)
	o.b = strconv.AppendFloat(o.b, n, 'f', decimals, 64)
	return o
}

func (o *out) date(key string, t time.Time) *out {
	return o.set(key, t.UTC().Format("2006-01-02"))
}

func (o *out) instant(key string, t time.Time) *out {
	return o.set(key, t.UTC().Format("2006-01-02T15:04:05-07:00"))
}

// begin starts a resource with id and meta.
func (o *out) begin(typ, id string, updated time.Time) *out {
	o.raw(`{"resourceType":"`).raw(typ).raw(`","id":"`).raw(id).raw(`","meta":{"versionId":"1"`)
	return o.set("lastUpdated", updated.UTC().Format("2006-01-02T15:04:05.000Z")).raw(`}`)
}

// concept appends ,"key":{"coding":[…],"text":…}.
func (o *out) concept(key string, c code) *out {
	return o.key(key).raw(`{"coding":[{`).set("system", c.system).set("code", c.code).set("display", c.display).raw(`}]`).set("text", c.display).raw(`}`)
}

// ref appends ,"key":{"reference":…,"display":…}.
func (o *out) ref(key, reference, display string) *out {
	o.key(key).raw(`{`).set("reference", reference)
	if display != "" {
		o.set("display", display)
	}
	return o.raw(`}`)
}

func (o *out) quantity(key string, n float64, decimals int, unit string) *out {
	return o.key(key).raw(`{`).num("value", n, decimals).set("unit", unit).set("system", ucum).set("code", unit).raw(`}`)
}

func (o *out) end() []byte { return append(o.b, '}') }
