package policy

import (
	"fmt"
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

func parseParameters(n *node) (Parameters, error) {
	p := Parameters{DateShiftScope: ScopeResource}
	if n == nil || n.kind == kindNull {
		return p, nil
	}
	if n.kind != kindObject {
		return p, &Error{Line: n.line, Text: "\"parameters\" must be an object"}
	}
	for _, s := range []struct {
		key  string
		into *string
	}{{"dateShiftKey", &p.DateShiftKey}, {"cryptoHashKey", &p.CryptoHashKey}, {"encryptKey", &p.EncryptKey}} {
		v := n.getFold(s.key)
		if v == nil || v.kind == kindNull {
			continue
		}
		if v.kind != kindString {
			return p, &Error{Line: v.line, Text: fmt.Sprintf("%q must be a text", s.key)}
		}
		*s.into = v.text
	}
	for _, b := range []struct {
		key  string
		into *bool
	}{
		{"enablePartialAgesForRedact", &p.PartialAges},
		{"enablePartialDatesForRedact", &p.PartialDates},
		{"enablePartialZipCodesForRedact", &p.PartialZIPCodes},
	} {
		v := n.getFold(b.key)
		switch {
		case v == nil || v.kind == kindNull:
		case v.kind == kindBool:
			*b.into = v.boolean
		case v.kind == kindString && (strings.EqualFold(v.text, "true") || strings.EqualFold(v.text, "false")):
			*b.into = strings.EqualFold(v.text, "true")
		default:
			return p, &Error{Line: v.line, Text: fmt.Sprintf("%q must be true or false", b.key)}
		}
	}
	if v := n.getFold("dateShiftScope"); v != nil && v.kind != kindNull {
		p.DateShiftScope = Scope(strings.ToLower(v.text))
		switch p.DateShiftScope {
		case ScopeResource, ScopeFile, ScopeFolder:
		default:
			return p, &Error{Line: v.line, Text: "\"dateShiftScope\" must be resource, file or folder"}
		}
	}
	if v := n.getFold("dateShiftFixedOffsetInDays"); v != nil && v.kind != kindNull {
		days, err := strconv.Atoi(v.text)
		if err != nil {
			return p, &Error{Line: v.line, Text: "\"dateShiftFixedOffsetInDays\" must be a whole number"}
		}
		p.DateShiftFixedOffsetInDays = &days
	}
	if v := n.getFold("restrictedZipCodeTabulationAreas"); v != nil && v.kind != kindNull {
		for _, item := range v.items {
			p.RestrictedZIPCodes = append(p.RestrictedZIPCodes, item.text)
		}
	}
	switch len(p.EncryptKey) {
	case 0, 16, 24, 32:
	default:
		return p, &Error{Line: n.getFold("encryptKey").line, Text: "\"encryptKey\" must have 16, 24 or 32 bytes"}
	}
	return p, nil
}
