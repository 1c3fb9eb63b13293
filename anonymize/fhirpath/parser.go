package fhirpath

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads an expression and checks that its functions exist and have as many
// arguments as they take. The error is an *Error.
func Parse(text string, d Dialect) (*Expression, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, dialect: d}
	root := p.expression(0)
	if p.err == nil && p.peek().kind != tokenEnd {
		p.fail(p.peek().pos, "the expression should end here")
	}
	if p.err != nil {
		return nil, p.err
	}
	return &Expression{Root: root, Dialect: d, text: text}, nil
}

// parser reads by precedence (Pratt): expression(n) reads as far as operators
// bind stronger than n.
type parser struct {
	tokens  []token
	pos     int
	depth   int
	dialect Dialect
	err     error
}

// maxNesting bounds recursion.
const maxNesting = 256

func (p *parser) fail(pos int, format string, args ...any) {
	if p.err == nil {
		p.err = &Error{pos, fmt.Sprintf(format, args...)}
	}
}

func (p *parser) peek() token { return p.tokens[p.pos] }

func (p *parser) take() token {
	t := p.tokens[p.pos]
	if t.kind != tokenEnd {
		p.pos++
	}
	return t
}

func (p *parser) takeSymbol(s string) bool {
	if t := p.peek(); t.kind == tokenSymbol && t.text == s {
		p.pos++
		return true
	}
	return false
}

func (p *parser) want(s string) {
	if !p.takeSymbol(s) {
		p.fail(p.peek().pos, "%q is missing", s)
	}
}

// The strengths of operators, from https://hl7.org/fhirpath/#operator-precedence.
const (
	bindImplies = iota + 1
	bindOr
	bindAnd
	bindMembership
	bindEquality
	bindTypeRules
	bindInequality
	bindUnion
	bindType
	bindAdditive
	bindMultiplicative
	bindUnary
	bindInvocation
)

// binding is how strong an operator binds, 0 if the token is none.
func (p *parser) binding(t token) int {
	if t.delimited || t.kind != tokenSymbol && t.kind != tokenIdentifier {
		return 0
	}
	switch t.text {
	case "implies":
		return bindImplies
	case "or", "xor":
		return bindOr
	case "and":
		return bindAnd
	case "in", "contains":
		return bindMembership
	case "=", "!=", "~", "!~":
		return bindEquality
	case "<", "<=", ">", ">=":
		return bindInequality
	case "|":
		return bindUnion
	case "is", "as":
		if p.dialect.Rules {
			return bindTypeRules
		}
		return bindType
	case "+", "-", "&":
		return bindAdditive
	case "*", "/", "div", "mod":
		return bindMultiplicative
	}
	return 0
}

// expression reads operators that bind stronger than limit, left to right.
func (p *parser) expression(limit int) Node {
	if p.depth++; p.depth > maxNesting {
		p.fail(p.peek().pos, "the expression is nested too deep")
	}
	defer func() { p.depth-- }()
	if p.err != nil {
		return nil
	}
	left := p.unary()
	for p.err == nil {
		t := p.peek()
		b := p.binding(t)
		if b <= limit {
			return left
		}
		p.take()
		if t.text == "is" || t.text == "as" {
			left = &TypeTest{at(t.pos), left, t.text == "as", p.typeName()}
			if p.binding(p.peek()) > b { // only with Microsoft's order of operators
				p.fail(p.peek().pos, "%q cannot follow a type without parentheses", p.peek().text)
			}
			continue
		}
		left = &Binary{at(t.pos), t.text, left, p.expression(b)}
	}
	return left
}

func (p *parser) unary() Node {
	t := p.peek()
	if t.kind == tokenSymbol && (t.text == "-" || t.text == "+") {
		p.take()
		return &Unary{at(t.pos), t.text, p.expression(bindMultiplicative)}
	}
	return p.invocations(p.term())
}

// invocations reads .name, .function() and [index] behind a term.
func (p *parser) invocations(left Node) Node {
	for p.err == nil {
		switch pos := p.peek().pos; {
		case p.takeSymbol("."):
			left = p.invocation(left)
		case p.takeSymbol("["):
			left = &Index{at(pos), left, p.expression(0)}
			p.want("]")
		default:
			return left
		}
	}
	return left
}

// invocation reads a name, a function, or what begins with $.
func (p *parser) invocation(input Node) Node {
	t := p.take()
	switch t.kind {
	case tokenIdentifier:
		if !t.delimited && p.takeSymbol("(") {
			return p.call(t, input)
		}
		return &Member{at(t.pos), input, t.text}
	case tokenSpecial:
		if input == nil {
			return &Special{at(t.pos), t.text}
		}
	}
	p.fail(t.pos, "the name of an element or function is missing")
	return nil
}

// call reads the arguments of a function whose parenthesis is open.
func (p *parser) call(name token, input Node) Node {
	c := &Call{at: at(name.pos), Input: input, Name: name.text}
	c.fn = lookup(name.text, p.dialect)
	if c.fn == nil {
		p.fail(name.pos, "there is no function %s()", name.text)
		return nil
	}
	if !p.takeSymbol(")") {
		for p.err == nil {
			arg := p.expression(0)
			if t := p.peek(); c.Name == "sort" && t.kind == tokenIdentifier && !t.delimited && (t.text == "asc" || t.text == "desc") {
				p.take()
				if t.text == "desc" { // as -arg
					arg = &Unary{at(t.pos), "-", arg}
				}
			}
			c.Args = append(c.Args, arg)
			if !p.takeSymbol(",") {
				break
			}
		}
		p.want(")")
	}
	if n := len(c.Args); p.err == nil && (n < c.fn.min || n > c.fn.max) {
		p.fail(name.pos, "%s() takes %s, not %d", name.text, c.fn.arity(), n)
	}
	if c.fn.check != nil && p.err == nil {
		if fault := c.fn.check(c); fault != "" {
			p.fail(c.Args[0].position(), "%s", fault)
		}
	}
	if c.fn.typeArg && p.err == nil {
		if _, ok := typeOf(c.Args[0]); !ok {
			p.fail(c.Args[0].position(), "%s() takes a type", name.text)
		}
	}
	return c
}

// calendarUnits are the words that may stand behind a number.
var calendarUnits = map[string]string{
	"year": "year", "month": "month", "week": "week", "day": "day", "hour": "hour", "minute": "minute", "second": "second", "millisecond": "millisecond",
	"years": "year", "months": "month", "weeks": "week", "days": "day", "hours": "hour", "minutes": "minute", "seconds": "second", "milliseconds": "millisecond",
}

func (p *parser) term() Node {
	t := p.peek()
	switch t.kind {
	case tokenString:
		p.take()
		return &Literal{at(t.pos), String(t.text)}
	case tokenNumber, tokenLong:
		p.take()
		return p.quantity(t)
	case tokenDate, tokenDateTime, tokenTime:
		p.take()
		v, ok := parseTemporal([]byte(strings.TrimPrefix(t.text, "T")), t.kind)
		if !ok {
			p.fail(t.pos, "there is no such date or time")
		}
		return &Literal{at(t.pos), v.item()}
	case tokenVariable:
		p.take()
		return &Variable{at(t.pos), t.text}
	case tokenSymbol:
		switch {
		case p.takeSymbol("("):
			x := p.expression(0)
			p.want(")")
			return x
		case p.takeSymbol("{"):
			p.want("}")
			return &Empty{at(t.pos)}
		}
	case tokenIdentifier:
		if !t.delimited {
			switch next := p.tokens[min(p.pos+1, len(p.tokens)-1)]; {
			case next.kind == tokenSymbol && next.text == "(":
			case t.text == "true", t.text == "false":
				p.take()
				return &Literal{at(t.pos), Boolean(t.text == "true")}
			}
		}
		return p.invocation(nil)
	case tokenSpecial:
		return p.invocation(nil)
	}
	p.fail(t.pos, "a value or a name is missing")
	return nil
}

// quantity reads what stands behind a number, if it is a unit.
func (p *parser) quantity(t token) Node {
	n, ok := parseNumber(t.text)
	if !ok {
		p.fail(t.pos, "the number is too large")
		return nil
	}
	if t.kind == tokenLong {
		whole, err := strconv.ParseInt(t.text, 10, 64)
		if err != nil {
			p.fail(t.pos, "the number is too large")
			return nil
		}
		n = Integer(whole)
		n.Kind = KindLong
		return &Literal{at(t.pos), n}
	}
	next := p.peek()
	unit, calendar := "", false
	switch {
	case next.kind == tokenString:
		unit = next.text
	case next.kind == tokenIdentifier && !next.delimited && calendarUnits[next.text] != "":
		unit, calendar = calendarUnits[next.text], true
	default:
		return &Literal{at(t.pos), n}
	}
	p.take()
	return &Literal{at(t.pos), newQuantity(n.decimal(), unit, calendar)}
}

// typeName reads Name or Namespace.Name.
func (p *parser) typeName() TypeName {
	t := p.take()
	if t.kind != tokenIdentifier {
		p.fail(t.pos, "the name of a type is missing")
		return TypeName{}
	}
	if (t.text == "System" || t.text == "FHIR") && p.takeSymbol(".") {
		n := p.take()
		if n.kind != tokenIdentifier {
			p.fail(n.pos, "the name of a type is missing")
		}
		return TypeName{t.text, n.text}
	}
	return TypeName{Name: t.text}
}

// typeOf reads a type that was read as an expression: a name, or two with a dot.
func typeOf(x Node) (TypeName, bool) {
	switch x := x.(type) {
	case *Member:
		if x.Input == nil {
			return TypeName{Name: x.Name}, true
		}
		if ns, ok := x.Input.(*Member); ok && ns.Input == nil {
			return TypeName{ns.Name, x.Name}, true
		}
	case *Literal:
		if x.Value.Kind == KindString { // as Microsoft's tool allows
			return TypeName{Name: string(x.Value.text())}, true
		}
	}
	return TypeName{}, false
}
