package fhirpath

import (
	"regexp"
	"strings"
)

// Regular expressions are those of Go (RE2): no look-around and no back
// references, and never more time than the text is long. What is written for
// other engines is translated where it means the same.

// maxPatterns bounds the cache of patterns.
const maxPatterns = 128

// pattern compiles and remembers a regular expression. . matches line ends too,
// as the specification has it.
func (e *Evaluator) pattern(x *Call, text, flags string) *regexp.Regexp {
	key := flags + "/" + text
	if re, ok := e.patterns[key]; ok {
		return re
	}
	mode := "s"
	for _, f := range flags {
		switch f {
		case 'i', 'm':
			mode += string(f)
		default:
			e.fail(x, "the flags of a regular expression are i and m")
			return nil
		}
	}
	re, err := regexp.Compile("(?" + mode + ")" + goSyntax(text))
	if err != nil {
		e.fail(x, "%s() has a regular expression that cannot be read; look-around and back references are not supported", x.Name)
		return nil
	}
	if e.patterns == nil || len(e.patterns) >= maxPatterns {
		e.patterns = make(map[string]*regexp.Regexp)
	}
	e.patterns[key] = re
	return re
}

// goSyntax writes (?<name>…) as Go does.
func goSyntax(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		if rest[0] == '\\' && len(rest) > 1 {
			if rest[1] == '/' {
				b.WriteByte('/')
			} else {
				b.WriteString(rest[:2])
			}
			i++
			continue
		}
		if strings.HasPrefix(rest, "(?<") && len(rest) > 3 && rest[3] != '=' && rest[3] != '!' {
			b.WriteString("(?P<")
			i += 2
			continue
		}
		b.WriteByte(rest[0])
	}
	return b.String()
}

func (e *Evaluator) flags(x *Call, n int) (string, bool) {
	if len(x.Args) <= n {
		return "", true
	}
	flags, _ := e.text(x, e.arg(x, n))
	return flags, e.err == nil
}

func matches(full bool) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		s, ok := e.text(x, in)
		if e.err != nil {
			return nil
		}
		text, ok2 := e.text(x, e.arg(x, 0))
		if !ok || !ok2 {
			return nil
		}
		flags, ok := e.flags(x, 1)
		if !ok {
			return nil
		}
		if full {
			text = "^(?:" + text + ")$"
		}
		re := e.pattern(x, text, flags)
		if re == nil {
			return nil
		}
		return e.boolean(re.MatchString(s))
	}
}

func replaceMatches(e *Evaluator, x *Call, in Collection) Collection {
	s, ok := e.text(x, in)
	if e.err != nil {
		return nil
	}
	text, ok2 := e.text(x, e.arg(x, 0))
	by, ok3 := e.text(x, e.arg(x, 1))
	flags, ok4 := e.flags(x, 2)
	if !ok || !ok2 || !ok3 || !ok4 {
		return nil
	}
	if text == "" && !e.dialect.Rules {
		return e.list(String(s))
	}
	re := e.pattern(x, text, flags)
	if re == nil {
		return nil
	}
	return e.list(String(re.ReplaceAllString(s, goTemplate(by, re))))
}

var groupReference = regexp.MustCompile(`\$(?:\$|&|(\d+)|\{(\w+)\})`)

// goTemplate writes $1, ${name} and $& as Go does; what names no group stands
// for itself.
func goTemplate(by string, re *regexp.Regexp) string {
	var b strings.Builder
	for {
		m := groupReference.FindStringSubmatchIndex(by)
		if m == nil {
			b.WriteString(strings.ReplaceAll(by, "$", "$$"))
			return b.String()
		}
		b.WriteString(strings.ReplaceAll(by[:m[0]], "$", "$$"))
		whole := by[m[0]:m[1]]
		name := ""
		switch {
		case m[2] >= 0:
			name = by[m[2]:m[3]]
		case m[4] >= 0:
			name = by[m[4]:m[5]]
		}
		switch {
		case whole == "$$":
			b.WriteString("$$")
		case whole == "$&":
			b.WriteString("${0}")
		case hasGroup(re, name):
			b.WriteString("${" + name + "}")
		default:
			b.WriteString("$$" + whole[1:])
		}
		by = by[m[1]:]
	}
}

func hasGroup(re *regexp.Regexp, name string) bool {
	if n, ok := parseNumber(name); ok && n.Kind == KindInteger {
		return n.num <= int64(re.NumSubexp())
	}
	return re.SubexpIndex(name) >= 0
}
