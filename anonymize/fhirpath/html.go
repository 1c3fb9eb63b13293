package fhirpath

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// htmlElements are the elements that FHIR lets a narrative have
// (https://hl7.org/fhir/narrative.html#xhtml), htmlAttributes what they may have.
const (
	htmlElements   = " a abbr acronym b big blockquote br caption cite code col colgroup dd del dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt u ul var "
	htmlAttributes = " abbr accesskey align alt axis border bgcolor cellhalign cellpadding cellspacing cellvalign char charoff charset cite class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel rev rowspan rules scope shape span src start style summary tabindex title type valign value vspace width xmlns "
)

const xhtml = "http://www.w3.org/1999/xhtml"

// validNarrative reports whether a text is the div of a narrative: XHTML with
// what FHIR allows, and something to read.
func validNarrative(text string) bool {
	d := xml.NewDecoder(strings.NewReader(text))
	d.Entity = xml.HTMLEntity
	depth, content := 0, false
	for n := 0; ; n++ {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return n > 0 && depth == 0 && content
		}
		if err != nil {
			return false
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 && (n > 0 || token.Name.Local != "div" || token.Name.Space != xhtml) || !allowedElement(token) {
				return false
			}
			depth++
			content = content || token.Name.Local == "img"
		case xml.EndElement:
			depth--
		case xml.CharData:
			text := len(bytes.TrimSpace(token)) > 0
			if text && depth == 0 {
				return false
			}
			content = content || text
		case xml.ProcInst, xml.Directive:
			return false
		}
	}
}

func allowedElement(e xml.StartElement) bool {
	if e.Name.Space != xhtml || !strings.Contains(htmlElements, " "+e.Name.Local+" ") {
		return false
	}
	for _, a := range e.Attr {
		if a.Name.Space != "xml" && a.Name.Space != "xmlns" && !strings.Contains(htmlAttributes, " "+a.Name.Local+" ") {
			return false
		}
	}
	return true
}
