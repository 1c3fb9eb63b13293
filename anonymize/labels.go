package anonymize

import (
	"bytes"
	"time"
)

// label is a security label that says what was done to a resource.
type label struct {
	op                    ops
	system, code, display string
}

// The labels of Microsoft's tool, in its order. CRYTOHASH is spelled so in HL7's
// code system (https://terminology.hl7.org/CodeSystem-v3-ObservationValue.html).
const observationValue = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"

var allLabels = []label{
	{opRedact, observationValue, "REDACTED", "redacted"},
	{opAbstract, observationValue, "ABSTRED", "abstracted"},
	{opCryptoHash, observationValue, "CRYTOHASH", "cryptographic hash function"},
	{opEncrypt, observationValue, "MASKED", "masked"},
	{opPerturb, "", "PERTURBED", "exact value is replaced with another exact value"},
	{opSubstitute, "", "SUBSTITUTED", "exact value is replaced with a predefined value"},
	{opGeneralize, "", "GENERALIZED", "exact value is replaced with a general value"},
	{opPseudonym, observationValue, "PSEUDED", "pseudonymized"},
}

// emitSkipped appends what Microsoft's tool leaves of a document that it skips: the
// root's type and a label.
func (w *worker) emitSkipped(dst []byte) []byte {
	dst = append(append(append(dst, `{"resourceType":"`...), w.tape[0].typ.Name...), `","meta":{"security":[`...)
	return append(allLabels[0].append(dst), `]}}`...)
}

// emitMeta appends "meta" with the labels. The members of an existing one are
// put in the order of the definition, as Microsoft's tool does.
func (w *worker) emitMeta(dst []byte, meta int32, done ops) []byte {
	dst = append(dst, `"meta":{`...)
	begin := len(dst)
	labelled := false
	if meta != none {
		for _, g := range w.sortedChildren(meta) {
			elem := w.tape[g[0]].elem
			if !labelled && elem.Key == "tag" {
				dst = w.emitSecurity(w.comma(dst, begin), 0, 0, done)
				labelled = true
			}
			switch elem.Key {
			case "security":
				dst = w.emitSecurity(w.comma(dst, begin), g[0], g[1], done)
				labelled = true
			case "lastUpdated":
				dst = w.emitLastUpdated(dst, begin, g[0])
			default:
				dst = w.emitMember(dst, begin, g[0], g[1])
			}
		}
	}
	if !labelled {
		dst = w.emitSecurity(w.comma(dst, begin), 0, 0, done)
	}
	return append(dst, '}')
}

// emitSecurity appends the codings that are there and the labels that are not.
func (w *worker) emitSecurity(dst []byte, from, end int32, done ops) []byte {
	dst = append(dst, `"security":[`...)
	begin := len(dst)
	for c := from; c < end; c = w.next(c) {
		before := len(dst)
		dst = w.comma(dst, begin)
		sep := len(dst)
		dst = w.emitObject(dst, c)
		if len(dst) == sep {
			dst = dst[:before]
		}
	}
	if from == end {
		return append(append(dst, w.labelsOf(done)...), ']')
	}
	for _, l := range allLabels {
		if done&l.op != 0 && !w.hasLabel(from, end, l.code) {
			dst = l.append(w.comma(dst, begin))
		}
	}
	return append(dst, ']')
}

// labelsOf are the labels of operations, with commas between them. They are made
// once.
func (w *worker) labelsOf(done ops) []byte {
	if w.labels[done] == nil {
		var text []byte
		for _, l := range allLabels {
			if done&l.op != 0 {
				text = l.append(w.comma(text, 0))
			}
		}
		w.labels[done] = text
	}
	return w.labels[done]
}

func (l *label) append(dst []byte) []byte {
	dst = append(dst, '{')
	if l.system != "" {
		dst = append(append(append(dst, `"system":"`...), l.system...), `",`...)
	}
	dst = append(append(dst, `"code":"`...), l.code...)
	return append(append(append(dst, `","display":"`...), l.display...), `"}`...)
}

// hasLabel reports whether a coding with that code is there already.
func (w *worker) hasLabel(from, end int32, code string) bool {
	for c := from; c < end; c = w.next(c) {
		for k := c + 1; k < w.tape[c].after; k = w.next(k) {
			n := &w.tape[k]
			if n.elem.Name == "code" && n.flags&hasValue != 0 && bytes.EqualFold(w.textNow(n), []byte(code)) {
				return true
			}
		}
	}
	return false
}

// emitLastUpdated writes an instant as Microsoft's tool does when it rebuilds
// meta: with an offset in digits and without trailing zeros of the fraction. A
// date that is left of it becomes its midnight.
func (w *worker) emitLastUpdated(dst []byte, begin int, c int32) []byte {
	n := &w.tape[c]
	if n.flags&hasValue == 0 {
		return w.emitMember(dst, begin, c, w.next(c))
	}
	w.sum = w.emitValue(w.sum[:0], n)
	raw := bytes.Trim(w.sum, `"`)
	if start := len(dst); len(raw) > 0 {
		dst = append(appendKey(w.comma(dst, begin), "", "lastUpdated"), '"')
		if out, ok := appendOffsetTime(dst, raw); ok {
			return w.emitSiblingOf(append(out, '"'), begin, c)
		}
		dst = dst[:start]
	}
	text := string(raw)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02", "2006-01", "2006"} {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		at = at.Round(100 * time.Nanosecond)
		dst = appendKey(w.comma(dst, begin), "", "lastUpdated")
		dst = append(dst, '"')
		dst = at.AppendFormat(dst, "2006-01-02T15:04:05.9999999-07:00")
		return w.emitSiblingOf(append(dst, '"'), begin, c)
	}
	return w.emitMember(dst, begin, c, w.next(c))
}

func (w *worker) emitSiblingOf(dst []byte, begin int, c int32) []byte {
	if part := w.emitSiblings(c); part != nil {
		dst = append(appendKey(w.comma(dst, begin), "_", "lastUpdated"), part...)
	}
	return dst
}

// appendOffsetTime appends an instant with an offset in digits and without trailing
// zeros of its fraction; ok is false where it is not a whole one with a zone and at
// most seven digits of a fraction.
func appendOffsetTime(dst, text []byte) (out []byte, ok bool) {
	const whole = len("2006-01-02T15:04:05")
	if len(text) <= whole || text[10] != 'T' || text[16] != ':' {
		return dst, false
	}
	zone := whole
	if text[zone] == '.' {
		for zone++; zone < len(text) && text[zone] >= '0' && text[zone] <= '9'; zone++ {
		}
	}
	fraction := bytes.TrimRight(text[whole:zone], "0")
	if len(fraction) > len(".9999999") || !isZone(text[zone:]) {
		return dst, false
	}
	dst = append(dst, text[:whole]...)
	if len(fraction) > 1 {
		dst = append(dst, fraction...)
	}
	if text[zone] == 'Z' {
		return append(dst, "+00:00"...), true
	}
	return append(dst, text[zone:]...), true
}
