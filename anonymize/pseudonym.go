package anonymize

import (
	"bytes"

	"fhirdeid/anonymize/fhirmodel"
)

// pseudonym replaces an id by one that only the key can tell, and the id in a
// reference by the same, so that joins still work. A reference of no such form is
// dropped.
func (w *worker) pseudonym(i int32, n *node) {
	text := w.text(n)
	parent := &w.tape[n.parent]
	begin := len(w.values)
	var known *memoEntry
	ok, isReference := false, n.elem.Name == "reference" && parent.typ.Name == "Reference"
	if isReference {
		known = w.memo.entry(pseudonymReference, text)
		if value := known.find(pseudonymReference, text); value != nil {
			w.values = append(w.values, value...)
			w.record(i, opPseudonym)
			w.set(n, begin)
			return
		}
	}
	w.values = append(w.values, '"')
	switch {
	case isReference:
		ok = w.pseudonymReference("", text)
	case n.elem.Name == "fullUrl" && parent.typ.Path == "Bundle.entry":
		ok = w.pseudonymReference(pseudonymBase, text)
	case n.typ.Kind == fhirmodel.String && (n.typ.Name == "canonical" || n.typ.Name == "uri" || n.typ.Name == "url"):
		ok = w.pseudonymLink(text)
	case n.elem.Name == "id" && parent.flags&resource != 0:
		ok = true
		if parent.elem != nil && parent.elem.Name == "contained" {
			w.appendPseudonym("#", text)
		} else {
			w.appendPseudonym(parent.typ.Name, text)
		}
	}
	if !ok {
		w.values = w.values[:begin]
		w.redact(i, n, false)
		return
	}
	w.values = append(w.values, '"')
	w.record(i, opPseudonym)
	w.set(n, begin)
	known.keep(pseudonymReference, text, w.values[begin:])
}

// pseudonymBase stands for the server's address where FHIR asks for an absolute
// URL: a host that can never be (RFC 2606).
const pseudonymBase = "https://fhir.invalid/"

// pseudonymBytes is the length of a pseudonym before it is written in hex.
const pseudonymBytes = 16

func (w *worker) appendPseudonym(kind string, id []byte) {
	w.sum = append(append(append(w.sum[:0], kind...), '/'), id...)
	w.pseudoH.Reset()
	w.pseudoH.Write(w.sum)
	w.sum = w.pseudoH.Sum(w.sum[:0])
	w.values = appendHex(w.values, w.sum[:pseudonymBytes])
}

// pseudonymReference writes #pseudonym, urn:uuid:pseudonym, or Type/pseudonym
// behind a base.
func (w *worker) pseudonymReference(base string, text []byte) bool {
	if id, ok := bytes.CutPrefix(text, []byte{'#'}); ok {
		w.values = append(w.values, '#')
		if len(id) > 0 {
			w.appendPseudonym("#", id)
		}
		return true
	}
	if id, ok := bytes.CutPrefix(text, []byte("urn:uuid:")); ok && isUUID(id) {
		begin := len(w.values)
		w.appendPseudonym("urn:uuid:", bytes.ToLower(id))
		h := string(w.values[begin:])
		w.values = append(w.values[:begin], "urn:uuid:"+h[:8]+"-"+h[8:12]+"-"+h[12:16]+"-"+h[16:20]+"-"+h[20:]...)
		return true
	}
	path, _, _ := bytes.Cut(text, []byte{'#'})
	server, typ, id, ok := w.splitReference(path)
	if !ok {
		return false
	}
	w.values = append(append(append(w.values, base...), typ...), '/')
	if w.isForeign(server) {
		w.appendPseudonym(string(server)+string(typ), id)
	} else {
		w.appendPseudonym(string(typ), id)
	}
	return true
}

// pseudonymLink writes Type/pseudonym for a canonical or another URL, if it names
// a resource of the server. What stands elsewhere cannot be told from what
// identifies.
func (w *worker) pseudonymLink(text []byte) bool {
	path, _, _ := bytes.Cut(text, []byte{'|'}) // a canonical's version
	path, _, _ = bytes.Cut(path, []byte{'#'})
	server, typ, id, ok := w.splitReference(path)
	if !ok || len(server) > 0 && (w.engine.server == "" || w.isForeign(server)) {
		return false
	}
	w.values = append(append(w.values, typ...), '/')
	w.appendPseudonym(string(typ), id)
	return true
}

// isForeign reports whether a reference's base is that of another server. Where
// the own one is not known, none is.
func (w *worker) isForeign(base []byte) bool {
	return len(base) > 0 && w.engine.server != "" && string(base) != w.engine.server
}

// splitReference takes [base/]Type/id[/_history/version] apart.
func (w *worker) splitReference(path []byte) (base, typ, id []byte, ok bool) {
	if before, version, found := bytes.Cut(path, []byte("/_history/")); found && isID(version) {
		path = before
	}
	slash := bytes.LastIndexByte(path, '/')
	if slash < 0 || !isID(path[slash+1:]) {
		return nil, nil, nil, false
	}
	typ, id = path[:slash], path[slash+1:]
	if j := bytes.LastIndexByte(typ, '/'); j >= 0 {
		base, typ = typ[:j+1], typ[j+1:]
	}
	return base, typ, id, w.model.ResourceType(typ) != nil
}
