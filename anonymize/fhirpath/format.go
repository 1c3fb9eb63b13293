package fhirpath

import (
	"strconv"
	"strings"
)

// Format writes a part of an expression so that it reads as the same part:
// operators inside operators have parentheses, names have backticks where they
// need them. A Slot, which no text has, is written $slot0.
func Format(n Node) string {
	var b strings.Builder
	format(&b, n)
	return b.String()
}

func format(b *strings.Builder, n Node) {
	switch x := n.(type) {
	case *Literal:
		formatLiteral(b, x.Value)
	case *Empty:
		b.WriteString("{}")
	case *Slot:
		b.WriteString("$slot" + strconv.Itoa(x.Number))
	case *Special:
		b.WriteString("$" + x.Name)
	case *Variable:
		b.WriteString("%" + delimit(x.Name, '`'))
	case *Member:
		formatInput(b, x.Input)
		b.WriteString(identifier(x.Name))
	case *Call:
		formatInput(b, x.Input)
		b.WriteString(x.Name + "(")
		for i, arg := range x.Args {
			if i > 0 {
				b.WriteString(", ")
			}
			format(b, arg)
		}
		b.WriteString(")")
	case *Index:
		formatOperand(b, x.Input)
		b.WriteString("[")
		format(b, x.Of)
		b.WriteString("]")
	case *Unary:
		b.WriteString(x.Op)
		formatOperand(b, x.X)
	case *Binary:
		formatOperand(b, x.Left)
		b.WriteString(" " + x.Op + " ")
		formatOperand(b, x.Right)
	case *TypeTest:
		formatOperand(b, x.X)
		if x.As {
			b.WriteString(" as ")
		} else {
			b.WriteString(" is ")
		}
		if x.Type.Namespace != "" {
			b.WriteString(identifier(x.Type.Namespace) + ".")
		}
		b.WriteString(identifier(x.Type.Name))
	}
}

func formatInput(b *strings.Builder, n Node) {
	if n != nil {
		formatOperand(b, n)
		b.WriteString(".")
	}
}

// formatOperand puts parentheses around operators.
func formatOperand(b *strings.Builder, n Node) {
	switch n.(type) {
	case *Unary, *Binary, *TypeTest:
		b.WriteString("(")
		format(b, n)
		b.WriteString(")")
	default:
		format(b, n)
	}
}

func formatLiteral(b *strings.Builder, v Item) {
	switch v.Kind {
	case KindString:
		b.WriteString(delimit(string(v.text()), '\''))
	case KindLong:
		b.WriteString(v.Text() + "L")
	case KindDate, KindDateTime:
		b.WriteString("@" + v.Text())
		if v.Kind == KindDateTime && v.temporal().precision < toHour {
			b.WriteString("T")
		}
	case KindTime:
		b.WriteString("@T" + v.Text())
	case KindQuantity:
		q := v.quantity()
		b.WriteString(plainDecimal(q.value) + " ")
		if q.calendar {
			b.WriteString(q.unit)
		} else {
			b.WriteString(delimit(q.unit, '\''))
		}
	default:
		b.WriteString(v.Text())
	}
}

// identifier is a name as it is written: with backticks where it would read as
// something else.
func identifier(name string) string {
	switch name {
	case "", "true", "false", "is", "as", "in", "contains", "and", "or", "xor", "implies", "div", "mod", "asc", "desc":
		return delimit(name, '`')
	}
	if isDigit(name[0]) || calendarUnits[name] != "" {
		return delimit(name, '`')
	}
	for i := range len(name) {
		if !isLetter(name[i]) && !isDigit(name[i]) {
			return delimit(name, '`')
		}
	}
	return name
}

// delimit quotes a text.
func delimit(s string, quote byte) string {
	var b strings.Builder
	b.WriteByte(quote)
	for i := range len(s) {
		switch c := s[i]; c {
		case quote, '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '\f':
			b.WriteString(`\f`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte(quote)
	return b.String()
}
