package fhirpath

import (
	"bytes"
	"unicode/utf8"
)

// Texts: https://hl7.org/fhirpath/#string-manipulation. A text is counted in
// characters.
var stringFunctions = map[string]*function{
	"indexOf": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, _ *Call, s, of []byte) Collection {
		return e.list(Integer(characterIndex(s, bytes.Index(s, of))))
	})},
	"lastIndexOf": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, _ *Call, s, of []byte) Collection {
		return e.list(Integer(characterIndex(s, bytes.LastIndex(s, of))))
	})},
	"substring": {min: 1, max: 2, eval: substring},
	"startsWith": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, _ *Call, s, of []byte) Collection {
		return e.boolean(bytes.HasPrefix(s, of))
	})},
	"endsWith": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, _ *Call, s, of []byte) Collection {
		return e.boolean(bytes.HasSuffix(s, of))
	})},
	"contains": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, _ *Call, s, of []byte) Collection {
		return e.boolean(bytes.Contains(s, of))
	})},
	"upper": {eval: onText(func(e *Evaluator, x *Call, s []byte) Collection { return e.newText(x, bytes.ToUpper(s)) })},
	"lower": {eval: onText(func(e *Evaluator, x *Call, s []byte) Collection { return e.newText(x, bytes.ToLower(s)) })},
	"trim":  {eval: onText(func(e *Evaluator, x *Call, s []byte) Collection { return e.newText(x, bytes.TrimSpace(s)) })},
	"length": {eval: onText(func(e *Evaluator, _ *Call, s []byte) Collection {
		return e.list(Integer(int64(utf8.RuneCount(s))))
	})},
	"toChars": {eval: onText(func(e *Evaluator, _ *Call, s []byte) Collection {
		mark := e.mark()
		for len(s) > 0 {
			_, n := utf8.DecodeRune(s)
			e.push(e.bytesItem(s[:n]))
			s = s[n:]
		}
		return e.since(mark)
	})},
	"replace": {min: 2, max: 2, eval: replace},
	"split": {min: 1, max: 1, eval: textAnd(func(e *Evaluator, _ *Call, s, by []byte) Collection {
		mark := e.mark()
		for _, part := range bytes.Split(s, by) {
			e.push(e.bytesItem(part))
		}
		return e.since(mark)
	})},
	"join": {max: 1, eval: join},
}

// onText is for functions of a text.
func onText(f func(e *Evaluator, x *Call, s []byte) Collection) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		s, ok := e.textBytes(x, in)
		if !ok {
			return nil
		}
		return f(e, x, s)
	}
}

// textAnd is for functions of a text with a text as argument.
func textAnd(f func(e *Evaluator, x *Call, s, arg []byte) Collection) func(*Evaluator, *Call, Collection) Collection {
	return func(e *Evaluator, x *Call, in Collection) Collection {
		s, ok := e.textBytes(x, in)
		if e.err != nil {
			return nil
		}
		arg, ok2 := e.textBytes(x, e.arg(x, 0))
		if !ok || !ok2 {
			return nil
		}
		return f(e, x, s, arg)
	}
}

// maxText bounds a text that is made, so that doubling cannot fill the memory.
const maxText = 16 << 20

// bytesPerStep is how much of a text is as much work as a step.
const bytesPerStep = 256

// newText is a text that was made.
func (e *Evaluator) newText(x Node, b []byte) Collection {
	if !e.spend(len(b) / bytesPerStep) {
		return nil
	}
	if len(b) > maxText {
		return e.fail(x, "the expression makes a text that is too long")
	}
	return e.list(e.bytesItem(b))
}

func characterIndex(s []byte, i int) int64 {
	if i < 0 {
		return -1
	}
	return int64(utf8.RuneCount(s[:i]))
}

func substring(e *Evaluator, x *Call, in Collection) Collection {
	s, ok := e.textBytes(x, in)
	if e.err != nil {
		return nil
	}
	start, ok2 := e.wholeArg(x, 0)
	if !ok || !ok2 || start < 0 {
		return nil
	}
	if s = skipCharacters(s, start); len(s) == 0 {
		return nil
	}
	if len(x.Args) > 1 {
		n, ok := e.wholeArg(x, 1)
		if e.err != nil {
			return nil
		}
		if ok {
			s = s[:len(s)-len(skipCharacters(s, max(n, 0)))]
		}
	}
	return e.list(e.bytesItem(s))
}

// skipCharacters is the text behind so many characters.
func skipCharacters(s []byte, n int64) []byte {
	for ; n > 0 && len(s) > 0; n-- {
		_, size := utf8.DecodeRune(s)
		s = s[size:]
	}
	return s
}

func replace(e *Evaluator, x *Call, in Collection) Collection {
	s, ok1 := e.textBytes(x, in)
	pattern, ok2 := e.textBytes(x, e.arg(x, 0))
	by, ok3 := e.textBytes(x, e.arg(x, 1))
	if !ok1 || !ok2 || !ok3 {
		return nil
	}
	if n := bytes.Count(s, pattern); len(s)+n*len(by) > maxText {
		return e.fail(x, "replace() makes a text that is too long")
	}
	return e.newText(x, bytes.ReplaceAll(s, pattern, by))
}

func join(e *Evaluator, x *Call, in Collection) Collection {
	var by []byte
	if len(x.Args) > 0 {
		by, _ = e.textBytes(x, e.arg(x, 0))
	}
	if len(in) == 0 && !e.dialect.Rules || e.err != nil {
		return nil
	}
	var b bytes.Buffer
	first := true
	for _, i := range in {
		s, ok := e.textBytes(x, Collection{i})
		if !ok {
			continue
		}
		if !first {
			b.Write(by)
		}
		first = false
		b.Write(s)
		if b.Len() > maxText {
			break
		}
	}
	if e.err != nil {
		return nil
	}
	return e.newText(x, b.Bytes())
}
