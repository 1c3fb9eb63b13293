package policy

import (
	"bytes"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Microsoft's loader turns each value of a rule into .NET objects before a method
// sees it. What a setting is as a text follows from that.

// asText is a value as .NET has it as text: "False", "1", "1.5" of 1.50, and the
// indented JSON of an object. dates says that texts which look like a date and a
// time have become dates on the way.
func (n *node) asText(dates bool) string {
	switch n.kind {
	case kindString:
		if dates {
			if t, _, ok := newtonsoftDate(n.text); ok {
				return t.UTC().Format("01/02/2006 15:04:05")
			}
		}
		return n.text
	case kindNumber:
		return numberText(n.text)
	case kindBool:
		if n.boolean {
			return "True"
		}
		return "False"
	case kindArray, kindObject:
		var b bytes.Buffer
		n.writeIndented(&b, "\n", dates)
		return b.String()
	}
	return ""
}

// numberText is a number as .NET writes it: whole numbers as they are, others as
// the shortest text of the double, with an exponent from 1E+15 and below 0.0001.
func numberText(literal string) string {
	if i, ok := new(big.Int).SetString(literal, 10); ok {
		return i.String()
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return literal // the reader has refused those
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	e, err := strconv.Atoi(exponent)
	if err != nil || e >= -4 && e < 15 {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return fmt.Sprintf("%sE%+03d", mantissa, e)
}

// jsonNumber is a number within an object as Newtonsoft writes it: a double
// keeps a decimal point.
func jsonNumber(literal string) string {
	text := numberText(literal)
	if strings.ContainsAny(literal, ".eE") && !strings.ContainsAny(text, ".E") {
		text += ".0"
	}
	return text
}

// writeIndented writes JSON as Newtonsoft indents it; newline has the indent so
// far.
func (n *node) writeIndented(b *bytes.Buffer, newline string, dates bool) {
	open, end, count := byte('['), byte(']'), len(n.items)
	switch n.kind {
	case kindObject:
		open, end, count = '{', '}', len(n.members)
	case kindArray:
	case kindString:
		text := n.text
		if dates {
			if _, written, ok := newtonsoftDate(text); ok {
				text = written
			}
		}
		writeString(b, text)
		return
	case kindNumber:
		b.WriteString(jsonNumber(n.text))
		return
	case kindBool:
		b.WriteString(strconv.FormatBool(n.boolean))
		return
	default:
		b.WriteString("null")
		return
	}
	b.WriteByte(open)
	for i := range count {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(newline + "  ")
		v := n
		if n.kind == kindObject {
			writeString(b, n.members[i].key)
			b.WriteString(": ")
			v = n.members[i].value
		} else {
			v = n.items[i]
		}
		v.writeIndented(b, newline+"  ", dates)
	}
	if count > 0 {
		b.WriteString(newline)
	}
	b.WriteByte(end)
}

// raw is a value as strict JSON, numbers with the digits they were written with.
func (n *node) raw() []byte {
	var b bytes.Buffer
	n.writeRaw(&b)
	return b.Bytes()
}

func (n *node) writeRaw(b *bytes.Buffer) {
	switch n.kind {
	case kindString:
		writeString(b, n.text)
	case kindNumber:
		b.WriteString(n.text)
	case kindBool:
		b.WriteString(strconv.FormatBool(n.boolean))
	case kindArray:
		b.WriteByte('[')
		for i, v := range n.items {
			if i > 0 {
				b.WriteByte(',')
			}
			v.writeRaw(b)
		}
		b.WriteByte(']')
	case kindObject:
		b.WriteByte('{')
		for i, m := range n.members {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, m.key)
			b.WriteByte(':')
			m.value.writeRaw(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString("null")
	}
}

// writeString escapes what Newtonsoft escapes, and no more.
func writeString(b *bytes.Buffer, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\b':
			b.WriteString(`\b`)
		case '\f':
			b.WriteString(`\f`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			if r < ' ' || r == 0x85 || r == 0x2028 || r == 0x2029 {
				fmt.Fprintf(b, `\u%04x`, r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('"')
}

// datePattern is what Newtonsoft takes for a date: date and full time, with or
// without a zone.
var datePattern = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d:\d\d)(\.\d{1,7})?(?:([Zz])|([+-]\d\d)(?::?(\d\d))?)?$`)

// newtonsoftDate reads a text as Newtonsoft does when it looks like a date and a
// time. It returns the moment and how it is written back, on a machine whose zone
// is UTC: a zone is worked in, trailing zeros of a fraction are lost.
func newtonsoftDate(text string) (t time.Time, written string, ok bool) {
	m := datePattern.FindStringSubmatch(text)
	if m == nil {
		return t, "", false
	}
	day := 0
	if m[2] == "24" && m[3] == "00:00" && strings.Trim(m[4], ".0") == "" {
		m[2], day = "00", 1
	}
	t, err := time.Parse("2006-01-02T15:04:05.9999999", m[1]+"T"+m[2]+":"+m[3]+m[4])
	if err != nil || t.Year() < 1 {
		return t, "", false
	}
	t = t.AddDate(0, 0, day)
	suffix := ""
	switch {
	case m[5] != "":
		suffix = "Z"
	case m[6] != "":
		hours, _ := strconv.Atoi(m[6])
		minutes, _ := strconv.Atoi(m[7]) // "" is 0
		if m[6][0] == '-' {
			minutes = -minutes
		}
		t = t.Add(-time.Duration(hours)*time.Hour - time.Duration(minutes)*time.Minute)
		suffix = "+00:00"
	}
	return t, t.Format("2006-01-02T15:04:05.9999999") + suffix, true
}
