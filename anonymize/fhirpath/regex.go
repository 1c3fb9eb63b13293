package fhirpath

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// Regular expressions are those of Go (RE2): no look-around and no back
// references, and never more time than the text is long. What is written for
// other engines is translated where it means the same.
var regexFunctions = map[string]*function{
	"matches":        {min: 1, max: 2, check: checkPattern, eval: matches},
	"matchesFull":    {min: 1, max: 2, check: checkPattern, where: notMicrosoft, eval: matches},
	"replaceMatches": {min: 2, max: 3, check: checkPattern, eval: replaceMatches},
}

// maxPatterns bounds the cache of patterns.
const maxPatterns = 128

// maxReplaced is how many places of a text can be replaced.
const maxReplaced = 1 << 18

// flagsAt is the place of the argument with the flags.
func flagsAt(x *Call) int {
	if x.Name == "replaceMatches" {
		return 2
	}
	return 1
}

// checkPattern compiles the pattern of a call if it is written out, so that a
// fault shows when the expression is read.
func checkPattern(x *Call) string {
	text, ok := literalString(x.Args[0])
	if !ok {
		return ""
	}
	flags := ""
	if n := flagsAt(x); len(x.Args) > n {
		if flags, ok = literalString(x.Args[n]); !ok {
			return ""
		}
	}
	var fault string
	x.pattern, fault = compilePattern(text, flags, x.Name == "matchesFull")
	return fault
}

func literalString(n Node) (string, bool) {
	l, ok := n.(*Literal)
	if !ok || l.Value.Kind != KindString {
		return "", false
	}
	return string(l.Value.text()), true
}

// compilePattern compiles a regular expression, or says what is wrong with it. .
// matches line ends too, as the specification has it.
func compilePattern(text, flags string, full bool) (re *regexp.Regexp, fault string) {
	mode := "s"
	for _, f := range flags {
		if f != 'i' && f != 'm' {
			return nil, "the flags of a regular expression are i and m"
		}
		mode += string(f)
	}
	text = goSyntax(text)
	if full {
		text = `\A(?:` + text + `)\z`
	}
	re, err := regexp.Compile("(?" + mode + ")" + text)
	if err != nil {
		for _, sign := range []string{"(?=", "(?!", "(?<=", "(?<!", "(?>"} {
			if strings.Contains(text, sign) {
				return nil, "the regular expression has " + sign + ", which is not supported: look-around can take exponential time"
			}
		}
		return nil, "the regular expression cannot be read; look-around and back references are not supported"
	}
	return re, ""
}

// goSyntax writes a pattern as Go does: / needs no escape.
func goSyntax(text string) string {
	if !strings.Contains(text, `\/`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			if i++; text[i] != '/' {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// regex is the pattern of a call, nil for nothing to match with or an error.
func (e *Evaluator) regex(x *Call) *regexp.Regexp {
	if x.pattern != nil {
		return x.pattern
	}
	text, ok := e.text(x, e.arg(x, 0))
	if !ok {
		return nil
	}
	flags := ""
	if n := flagsAt(x); len(x.Args) > n {
		flags, _ = e.text(x, e.arg(x, n))
	}
	if e.err != nil {
		return nil
	}
	key := x.Name + "/" + flags + "/" + text
	if re, ok := e.patterns[key]; ok {
		return re
	}
	re, fault := compilePattern(text, flags, x.Name == "matchesFull")
	if fault != "" {
		e.fail(x, "%s", fault)
		return nil
	}
	if e.patterns == nil || len(e.patterns) >= maxPatterns {
		e.patterns = make(map[string]*regexp.Regexp)
	}
	e.patterns[key] = re
	return re
}

func matches(e *Evaluator, x *Call, in Collection) Collection {
	s, ok := e.textBytes(x, in)
	if e.err != nil {
		return nil
	}
	re := e.regex(x)
	if !ok || re == nil {
		return nil
	}
	return e.boolean(re.Match(s))
}

func replaceMatches(e *Evaluator, x *Call, in Collection) Collection {
	s, ok := e.textBytes(x, in)
	if e.err != nil {
		return nil
	}
	re := e.regex(x)
	by, ok2 := e.text(x, e.arg(x, 1))
	if !ok || !ok2 || re == nil {
		return nil
	}
	if _, pattern, _ := strings.Cut(re.String(), ")"); pattern == "" && !e.dialect.Rules {
		return e.list(e.bytesItem(s)) // an empty pattern is replaced nowhere
	}
	template := goTemplate(by, re)
	var out []byte
	last := 0
	found := re.FindAllSubmatchIndex(s, maxReplaced+1)
	if len(found) > maxReplaced {
		return e.fail(x, "replaceMatches() has too much to replace")
	}
	for _, m := range found {
		out = append(out, s[last:m[0]]...)
		out = re.Expand(out, template, s, m)
		last = m[1]
		if len(out) > maxText {
			break
		}
	}
	return e.newText(x, append(out, s[last:]...))
}

// goTemplate writes $1, ${name} and $& as Go does; what names no group stands
// for itself.
func goTemplate(by string, re *regexp.Regexp) []byte {
	var b bytes.Buffer
	for by != "" {
		text, rest, found := strings.Cut(by, "$")
		b.WriteString(text)
		if !found {
			break
		}
		group, size := groupReference(rest, re)
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteString("$$")
			size = 1
		case size > 0:
			b.WriteString("${" + strconv.Itoa(group) + "}")
		default:
			b.WriteString("$$")
		}
		by = rest[size:]
	}
	return b.Bytes()
}

// groupReference reads what is behind a $ in a replacement: &, a number, {number}
// or {name}. size is 0 where that is no group.
func groupReference(text string, re *regexp.Regexp) (group, size int) {
	if strings.HasPrefix(text, "&") {
		return 0, 1
	}
	name, size := text, 0
	if strings.HasPrefix(text, "{") {
		end := strings.IndexByte(text, '}')
		if end < 0 {
			return 0, 0
		}
		name, size = text[1:end], end+1
	} else {
		n := 0
		for n < len(text) && isDigit(text[n]) {
			n++
		}
		name, size = text[:n], n
	}
	if n, err := strconv.Atoi(name); err == nil {
		group = numberedGroup(re, n)
	} else {
		group = re.SubexpIndex(name)
	}
	if group < 0 || name == "" {
		return 0, 0
	}
	return group, size
}

// numberedGroup is the group with a number as .NET counts: those without a name
// first. Without names that is the order of writing.
func numberedGroup(re *regexp.Regexp, n int) int {
	if n == 0 {
		return 0
	}
	for _, named := range [2]bool{false, true} {
		for i, name := range re.SubexpNames()[1:] {
			if (name != "") == named {
				if n--; n == 0 {
					return i + 1
				}
			}
		}
	}
	return -1
}
