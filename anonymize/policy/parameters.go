package policy

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Scope says over what one date shift is the same.
type Scope string

// The scopes of a date shift.
const (
	ScopeResource Scope = "resource" // by the id of the document's root
	ScopeFile     Scope = "file"     // by the name of the input file
	ScopeFolder   Scope = "folder"   // by the name of the input folder
)

// Parameters are the file's "parameters". A key that is "" comes from outside.
type Parameters struct {
	DateShiftKey               string
	DateShiftScope             Scope
	DateShiftFixedOffsetInDays *int
	CryptoHashKey              string
	EncryptKey                 string
	PartialAges                bool
	PartialDates               bool
	PartialZIPCodes            bool
	RestrictedZIPCodes         []string
}

var parameterKeys = []string{
	"dateShiftKey", "dateShiftScope", "dateShiftFixedOffsetInDays", "cryptoHashKey", "encryptKey",
	"enablePartialAgesForRedact", "enablePartialDatesForRedact", "enablePartialZipCodesForRedact",
	"restrictedZipCodeTabulationAreas", "customSettings",
}

// enum reads one of several words, in any case; its number counts too, as a
// number or as a text.
func (n *node) enum(words ...string) (int, bool) {
	text := strings.TrimSpace(n.asText(false))
	if n.kind != kindString && n.kind != kindNumber {
		return 0, false
	}
	if i, err := strconv.Atoi(text); err == nil && i >= 0 && i < len(words) {
		return i, true
	}
	i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, text) })
	return i, i >= 0
}

// asBool reads a boolean as .NET converts one: "true" and numbers count.
func (n *node) asBool() (value, ok bool) {
	switch n.kind {
	case kindBool:
		return n.boolean, true
	case kindString:
		text := strings.TrimSpace(n.text)
		return strings.EqualFold(text, "true"), strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
	case kindNumber:
		f, err := strconv.ParseFloat(n.text, 64)
		return f != 0, err == nil
	}
	return false, false
}

func (p *Policy) readParameters(n *node) error {
	q := &p.Parameters
	q.DateShiftScope = ScopeResource
	if n == nil || n.kind == kindNull {
		return nil
	}
	if n.kind != kindObject {
		return &Error{Line: n.line, Text: "\"parameters\" must be an object, not " + n.kind.String()}
	}
	for _, s := range []struct {
		key  string
		into *string
	}{{"dateShiftKey", &q.DateShiftKey}, {"cryptoHashKey", &q.CryptoHashKey}, {"encryptKey", &q.EncryptKey}} {
		var err error
		if *s.into, _, err = scalar(n, s.key); err != nil {
			return err
		}
	}
	for _, b := range []struct {
		key  string
		into *bool
	}{
		{"enablePartialAgesForRedact", &q.PartialAges},
		{"enablePartialDatesForRedact", &q.PartialDates},
		{"enablePartialZipCodesForRedact", &q.PartialZIPCodes},
	} {
		if v := n.getFold(b.key); v != nil {
			var ok bool
			if *b.into, ok = v.asBool(); !ok {
				return &Error{Line: v.line, Text: fmt.Sprintf("%q must be true or false, not %s", b.key, v.kind)}
			}
		}
	}
	if v := n.getFold("dateShiftScope"); v != nil {
		i, ok := v.enum(string(ScopeResource), string(ScopeFile), string(ScopeFolder))
		if !ok {
			return &Error{Line: v.line, Text: "\"dateShiftScope\" must be resource, file or folder"}
		}
		q.DateShiftScope = []Scope{ScopeResource, ScopeFile, ScopeFolder}[i]
	}
	if err := q.readOffset(n.getFold("dateShiftFixedOffsetInDays")); err != nil {
		return err
	}
	if err := q.readZIPCodes(n.getFold("restrictedZipCodeTabulationAreas")); err != nil {
		return err
	}
	if v := n.getFold("customSettings"); v != nil && v.kind != kindNull {
		if v.kind != kindObject {
			return &Error{Line: v.line, Text: "\"customSettings\" must be an object, not " + v.kind.String()}
		}
		p.CustomSettings = json.RawMessage(v.raw())
	}
	return p.checkNames(n, parameterKeys)
}

func (q *Parameters) readOffset(v *node) error {
	if v == nil || v.kind == kindNull || v.kind == kindString && v.text == "" {
		return nil
	}
	days, err := strconv.Atoi(strings.TrimSpace(v.asText(false)))
	if err != nil || v.kind != kindString && v.kind != kindNumber || days < math.MinInt32 || days > math.MaxInt32 {
		return &Error{Line: v.line, Text: "\"dateShiftFixedOffsetInDays\" must be a whole number of days"}
	}
	q.DateShiftFixedOffsetInDays = &days
	return nil
}

func (q *Parameters) readZIPCodes(v *node) error {
	if v == nil || v.kind == kindNull {
		return nil
	}
	if v.kind != kindArray {
		return &Error{Line: v.line, Text: "\"restrictedZipCodeTabulationAreas\" must be a list of texts, not " + v.kind.String()}
	}
	for _, item := range v.items {
		if item.kind != kindString && item.kind != kindNumber {
			return &Error{Line: item.line, Text: "\"restrictedZipCodeTabulationAreas\" must be a list of texts such as \"036\", without " + item.kind.String()}
		}
		q.RestrictedZIPCodes = append(q.RestrictedZIPCodes, item.asText(false))
	}
	return nil
}
