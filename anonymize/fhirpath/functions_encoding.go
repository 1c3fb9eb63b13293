package fhirpath

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"strings"
	"unicode/utf8"
)

// Encodings: https://hl7.org/fhirpath/#additional-string-functions.
var encodingFunctions = map[string]*function{
	"encode":   {min: 1, max: 1, eval: textAnd(encode)},
	"decode":   {min: 1, max: 1, eval: textAnd(decode)},
	"escape":   {min: 1, max: 1, eval: textAnd(escape)},
	"unescape": {min: 1, max: 1, eval: textAnd(unescape)},
}

func encode(e *Evaluator, x *Call, s, as []byte) Collection {
	switch string(as) {
	case "hex":
		return e.newText(x, hex.AppendEncode(nil, s))
	case "base64":
		return e.newText(x, base64.StdEncoding.AppendEncode(nil, s))
	case "urlbase64":
		return e.newText(x, base64.URLEncoding.AppendEncode(nil, s))
	}
	return nil
}

func decode(e *Evaluator, x *Call, s, as []byte) Collection {
	var out []byte
	var err error
	switch string(as) {
	case "hex":
		out, err = hex.AppendDecode(nil, s)
	case "base64":
		out, err = base64.StdEncoding.AppendDecode(nil, s)
	case "urlbase64":
		out, err = base64.URLEncoding.AppendDecode(nil, s)
	default:
		return nil
	}
	if err != nil || !utf8.Valid(out) {
		return e.fail(x, "decode() takes a text in that encoding")
	}
	return e.list(e.bytesItem(out))
}

func escape(e *Evaluator, x *Call, s, as []byte) Collection {
	switch string(as) {
	case "html":
		return e.newText(x, []byte(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace(string(s))))
	case "json":
		q := quoted(string(s))
		return e.newText(x, []byte(q[1:len(q)-1]))
	}
	return nil
}

func unescape(e *Evaluator, x *Call, s, as []byte) Collection {
	switch string(as) {
	case "html":
		return e.newText(x, []byte(html.UnescapeString(string(s))))
	case "json":
		var out string
		if json.Unmarshal(quoteBare(s), &out) != nil {
			return e.fail(x, "unescape() takes a text with the escapes of JSON")
		}
		return e.newText(x, []byte(out))
	}
	return nil
}

// quoteBare makes a JSON string of a text with escapes; quotes that have none get
// one.
func quoteBare(s []byte) []byte {
	out := []byte{'"'}
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			out = append(out, '\\')
		}
		out = append(out, s[i])
		if s[i] == '\\' && i+1 < len(s) {
			i++
			out = append(out, s[i])
		}
	}
	return append(out, '"')
}
