package fhirpath

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Texts: https://hl7.org/fhirpath/#string-manipulation. A text is counted in
// characters.
var stringFunctions = map[string]*function{
	"indexOf": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, s, of string) Collection {
		return e.list(Integer(characterIndex(s, strings.Index(s, of))))
	})},
	"lastIndexOf": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, s, of string) Collection {
		return e.list(Integer(characterIndex(s, strings.LastIndex(s, of))))
	})},
	"substring": {min: 1, max: 2, eval: substring},
	"startsWith": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, s, of string) Collection {
		return e.boolean(strings.HasPrefix(s, of))
	})},
	"endsWith": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, s, of string) Collection {
		return e.boolean(strings.HasSuffix(s, of))
	})},
	"contains": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, s, of string) Collection {
		return e.boolean(strings.Contains(s, of))
	})},
	"upper": {eval: onText(func(e *Evaluator, s string) Collection { return e.list(String(strings.ToUpper(s))) })},
	"lower": {eval: onText(func(e *Evaluator, s string) Collection { return e.list(String(strings.ToLower(s))) })},
	"trim":  {eval: onText(func(e *Evaluator, s string) Collection { return e.list(String(strings.TrimSpace(s))) })},
	"length": {eval: onText(func(e *Evaluator, s string) Collection {
		return e.list(Integer(int64(utf8.RuneCountInString(s))))
	})},
	"toChars": {eval: onText(func(e *Evaluator, s string) Collection {
		mark := e.mark()
		for _, r := range s {
			e.push(String(string(r)))
		}
		return e.since(mark)
	})},
	"replace": {min: 2, max: 2, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		s, ok1 := e.text(x, in)
		pattern, ok2 := e.text(x, e.arg(x, 0))
		by, ok3 := e.text(x, e.arg(x, 1))
		if !ok1 || !ok2 || !ok3 {
			return nil
		}
		return e.list(String(strings.ReplaceAll(s, pattern, by)))
	}},
	"matches":        {min: 1, max: 2, eval: matches(false)},
	"matchesFull":    {min: 1, max: 2, where: notMicrosoft, eval: matches(true)},
	"replaceMatches": {min: 2, max: 3, eval: replaceMatches},
	"split": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, s, by string) Collection {
		mark := e.mark()
		for _, part := range strings.Split(s, by) {
			e.push(String(part))
		}
		return e.since(mark)
	})},
	"join": {max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		by := ""
		if len(x.Args) > 0 {
			var ok bool
			if by, ok = e.text(x, e.arg(x, 0)); !ok && e.err != nil {
				return nil
			}
		}
		var parts []string
		for _, i := range in {
			s, ok := e.text(x, Collection{i})
			if e.err != nil {
				return nil
			}
			if ok {
				parts = append(parts, s)
			}
		}
		if len(in) == 0 && !e.dialect.Rules {
			return nil
		}
		return e.list(String(strings.Join(parts, by)))
	}},
	"encode": {min: 1, max: 1, eval: textAnd(encode)},
	"decode": {min: 1, max: 1, eval: func(e *Evaluator, x *Call, in Collection) Collection {
		return textAnd(func(e *Evaluator, s, as string) Collection { return decode(e, x, s, as) })(e, x, in)
	}},
	"escape":   {min: 1, max: 1, eval: textAnd(escape)},
	"unescape": {min: 1, max: 1, eval: textAnd(unescape)},
}

func onText(f func(e *Evaluator, s string) Collection) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		s, ok := e.text(x, in)
		if !ok {
			return nil
		}
		return f(e, s)
	}
}

func textAnd(f func(e *Evaluator, s, arg string) Collection) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		s, ok := e.text(x, in)
		if e.err != nil {
			return nil
		}
		arg, ok2 := e.text(x, e.arg(x, 0))
		if !ok || !ok2 {
			return nil
		}
		return f(e, s, arg)
	}
}

func characterIndex(s string, i int) int64 {
	if i < 0 {
		return -1
	}
	return int64(utf8.RuneCountInString(s[:i]))
}

func substring(e *Evaluator, x *Call, in Collection) Collection {
	s, ok := e.text(x, in)
	if e.err != nil {
		return nil
	}
	start, ok2 := e.wholeArg(x, 0)
	if !ok || !ok2 {
		return nil
	}
	runes := []rune(s)
	if start < 0 || start >= int64(len(runes)) {
		return nil
	}
	end := int64(len(runes))
	if len(x.Args) > 1 {
		n, ok := e.wholeArg(x, 1)
		if e.err != nil {
			return nil
		}
		if ok {
			end = min(end, start+max(0, min(n, end)))
		}
	}
	return e.list(String(string(runes[start:end])))
}

func encode(e *Evaluator, s, as string) Collection {
	switch as {
	case "hex":
		return e.list(String(hex.EncodeToString([]byte(s))))
	case "base64":
		return e.list(String(base64.StdEncoding.EncodeToString([]byte(s))))
	case "urlbase64":
		return e.list(String(base64.URLEncoding.EncodeToString([]byte(s))))
	}
	return nil
}

func decode(e *Evaluator, x *Call, s, as string) Collection {
	var out []byte
	var err error
	switch as {
	case "hex":
		out, err = hex.DecodeString(s)
	case "base64":
		out, err = base64.StdEncoding.DecodeString(s)
	case "urlbase64":
		out, err = base64.URLEncoding.DecodeString(s)
	default:
		return nil
	}
	if err != nil || !utf8.Valid(out) {
		return e.fail(x, "decode() takes a text in that encoding")
	}
	return e.list(bytesItem(out))
}

func escape(e *Evaluator, s, as string) Collection {
	switch as {
	case "html":
		return e.list(String(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)))
	case "json":
		q := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\f", `\f`, "\b", `\b`).Replace(s)
		return e.list(String(q))
	}
	return nil
}

func unescape(e *Evaluator, s, as string) Collection {
	switch as {
	case "html":
		return e.list(String(html.UnescapeString(s)))
	case "json":
		t, err := strconv.Unquote(`"` + strings.ReplaceAll(strings.ReplaceAll(s, `\"`, `"`), `"`, `\"`) + `"`)
		if err != nil {
			return nil
		}
		return e.list(String(t))
	}
	return nil
}
