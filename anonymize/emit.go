package anonymize

import (
	"bytes"
	"slices"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
)

// emit appends the result. What no rule has touched and what is in canonical
// form already is copied as it came; else an object is written anew, without
// what has become empty.
func (w *worker) emit(dst []byte) []byte {
	root := &w.tape[0]
	if w.dropsWhole(0) {
		return dst
	}
	if root.flags&(touched|dirty) == 0 && w.typeFirst {
		return append(dst, w.data[root.start:root.end]...)
	}
	return w.emitResource(dst, 0)
}

// dropsWhole reports whether a strict policy drops the resource with its type.
func (w *worker) dropsWhole(i int32) bool {
	if !w.strict {
		return false
	}
	c := w.claimOf(i)
	return c.direct && c.rule != none && w.engine.policy.Rules[c.rule].Method == policy.Redact
}

func (w *worker) emitResource(dst []byte, i int32) []byte {
	n := &w.tape[i]
	labels := n.ops
	if n.elem != nil && n.elem.Name == "contained" {
		labels = 0
	}
	if w.canSplice(n) {
		return w.splice(dst, i, labels)
	}
	dst = append(dst, `{"resourceType":"`...)
	dst = append(dst, n.typ.Name...)
	dst = append(dst, '"')
	begin := len(dst)
	dst = append(dst, ',')
	before := len(dst)
	dst = w.emitMembers(dst, i, labels)
	if len(w.masks) > 0 {
		dst = w.emitMasks(dst, before, i)
	}
	if len(dst) == before {
		dst = dst[:begin]
	}
	return append(dst, '}')
}

// emitObject appends a complex value; nothing where nothing is left of it.
func (w *worker) emitObject(dst []byte, i int32) []byte {
	n := &w.tape[i]
	if n.flags&resource != 0 {
		if w.dropsWhole(i) {
			return dst
		}
		if n.flags&(touched|dirty) == 0 {
			return append(dst, w.data[n.start:n.end]...)
		}
		return w.emitResource(dst, i)
	}
	if n.flags&(touched|dirty) == 0 {
		return append(dst, w.data[n.start:n.end]...)
	}
	if n.flags&alive == 0 {
		return dst
	}
	if w.canSplice(n) {
		return w.splice(dst, i, 0)
	}
	if w.strict && n.typ.Name == "Extension" && w.onlyURLs(i) {
		return dst // an extension without a value is no FHIR
	}
	begin := len(dst)
	dst = append(dst, '{')
	dst = w.emitMembers(dst, i, 0)
	if len(dst) == begin+1 {
		return dst[:begin]
	}
	return append(dst, '}')
}

// onlyURLs reports whether nothing is left of an extension but URLs.
func (w *worker) onlyURLs(i int32) bool {
	for c := i + 1; c < w.tape[i].after; c++ {
		n := &w.tape[c]
		if n.flags&hasValue != 0 && !(n.elem.Name == "url" && w.tape[n.parent].typ.Name == "Extension") {
			return false
		}
	}
	return true
}

// lostURL reports whether a rule has removed the URL of an extension.
func (w *worker) lostURL(i int32) bool {
	if w.tape[i].flags&urlLost != 0 {
		return true
	}
	for c := i + 1; c < w.tape[i].after; c = w.next(c) {
		if n := &w.tape[c]; n.elem.Name == "url" {
			return n.flags&removed != 0
		}
	}
	return false
}

// emitMembers appends the members of a node, with commas between them.
func (w *worker) emitMembers(dst []byte, i int32, labels ops) []byte {
	begin := len(dst)
	after := w.tape[i].after
	metaDone := labels == 0
	for c := i + 1; c < after; {
		end := w.groupEnd(c, after)
		if !metaDone && w.tape[c].elem.Name == "meta" && w.tape[i].flags&resource != 0 {
			dst = w.emitMeta(w.comma(dst, begin), c, labels)
			metaDone = true
		} else {
			dst = w.emitMember(dst, begin, c, end)
		}
		c = end
	}
	if !metaDone {
		dst = w.emitMeta(w.comma(dst, begin), none, labels)
	}
	return dst
}

// groupEnd is the first node behind the items of an element.
func (w *worker) groupEnd(c, after int32) int32 {
	elem := w.tape[c].elem
	end := w.next(c)
	if elem.Array {
		for end < after && w.tape[end].elem == elem {
			end = w.next(end)
		}
	}
	return end
}

// next is the node behind c and all below it.
func (w *worker) next(c int32) int32 { return max(w.tape[c].after, c+1) }

func (w *worker) comma(dst []byte, begin int) []byte {
	if len(dst) > begin {
		return append(dst, ',')
	}
	return dst
}

// emitMember appends an element with its items, if anything is left of them.
func (w *worker) emitMember(dst []byte, begin int, c, end int32) []byte {
	elem := w.tape[c].elem
	if elem.Type.Kind.Primitive() {
		return w.emitPrimitives(dst, begin, c, end)
	}
	start := len(dst)
	dst = append(w.comma(dst, begin), elem.Head...)
	if !elem.Array {
		before := len(dst)
		dst = w.emitObject(dst, c)
		if len(dst) == before {
			return dst[:start]
		}
		return dst
	}
	dst = append(dst, '[')
	items := len(dst)
	for ; c < end; c = w.next(c) {
		before := len(dst)
		dst = w.comma(dst, items)
		sep := len(dst)
		dst = w.emitObject(dst, c)
		if len(dst) == sep {
			dst = dst[:before]
		}
	}
	if len(dst) == items {
		return dst[:start]
	}
	return append(dst, ']')
}

func appendKey(dst []byte, prefix, key string) []byte {
	dst = append(dst, '"')
	dst = append(dst, prefix...)
	dst = append(dst, key...)
	return append(dst, '"', ':')
}

// emitPrimitives appends a primitive, or an array of them, and behind it "_x"
// with what they have besides their values.
func (w *worker) emitPrimitives(dst []byte, begin int, c, end int32) []byte {
	elem := w.tape[c].elem
	values, siblings := false, false
	for i := c; i < end; i = w.next(i) {
		values = values || w.tape[i].flags&hasValue != 0
		siblings = siblings || w.next(i) > i+1
	}
	if !siblings {
		if !values {
			return dst
		}
		return w.emitValues(append(w.comma(dst, begin), elem.Head...), elem.Array, c, end, nil)
	}
	// Items that have lost both value and siblings are left out of both arrays.
	var parts [][]byte
	siblings = false
	for i := c; i < end; i = w.next(i) {
		part := w.emitSiblings(i)
		parts = append(parts, part)
		siblings = siblings || part != nil
	}
	if values {
		dst = w.emitValues(append(w.comma(dst, begin), elem.Head...), elem.Array, c, end, parts)
	}
	if !siblings {
		return dst
	}
	dst = appendKey(w.comma(dst, begin), "_", elem.Key)
	if !elem.Array {
		return append(dst, parts[0]...)
	}
	dst = append(dst, '[')
	items, k := len(dst), 0
	for i := c; i < end; i = w.next(i) {
		part := parts[k]
		k++
		switch {
		case part != nil:
			dst = append(w.comma(dst, items), part...)
		case w.tape[i].flags&hasValue != 0:
			dst = append(w.comma(dst, items), "null"...)
		}
	}
	return append(dst, ']')
}

// emitSiblings is the object of "_x", or nil where nothing is left of it.
func (w *worker) emitSiblings(i int32) []byte {
	if w.next(i) == i+1 {
		return nil
	}
	part := w.emitMembers([]byte{'{'}, i, 0)
	if len(part) == 1 {
		return nil
	}
	return append(part, '}')
}

func (w *worker) emitValues(dst []byte, array bool, c, end int32, siblings [][]byte) []byte {
	if !array {
		return w.emitValue(dst, &w.tape[c])
	}
	dst = append(dst, '[')
	items, k := len(dst), 0
	for i := c; i < end; i = w.next(i) {
		has := w.tape[i].flags&hasValue != 0
		if has || siblings != nil && siblings[k] != nil {
			dst = w.comma(dst, items)
			if has {
				dst = w.emitValue(dst, &w.tape[i])
			} else {
				dst = append(dst, "null"...)
			}
		}
		k++
	}
	return append(dst, ']')
}

// emitValue appends the value of a primitive, in canonical form.
func (w *worker) emitValue(dst []byte, n *node) []byte {
	if n.flags&replaced != 0 {
		return append(dst, w.values[n.outStart:n.outEnd]...)
	}
	raw := w.data[n.start:n.end]
	if n.flags&dirty == 0 {
		return append(dst, raw...)
	}
	switch kind := n.typ.Kind; {
	case kind == fhirmodel.Boolean:
		return append(dst, bytes.TrimSpace(bytes.Trim(raw, `"`))...)
	case kind == fhirmodel.Integer || kind == fhirmodel.Decimal:
		return append(dst, canonicalNumber(raw)...)
	case raw[0] != '"':
		return append(append(append(dst, '"'), raw...), '"')
	}
	return appendString(dst, w.text(n))
}

// sortedChildren are the groups of a node's children in the order of the
// definition.
func (w *worker) sortedChildren(i int32) [][2]int32 {
	groups := w.groups[:0]
	for c := i + 1; c < w.tape[i].after; {
		end := w.groupEnd(c, w.tape[i].after)
		groups = append(groups, [2]int32{c, end})
		c = end
	}
	w.groups = groups
	slices.SortStableFunc(groups, func(a, b [2]int32) int { return w.tape[a[0]].elem.Index - w.tape[b[0]].elem.Index })
	return groups
}
