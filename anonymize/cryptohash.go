package anonymize

import "bytes"

// cryptoHash replaces a value by its HMAC-SHA256 in hex. In a reference only the
// id is replaced, so that references still lead to the hashed ids.
func (w *worker) cryptoHash(i int32, n *node) {
	w.record(i, opCryptoHash)
	text, kind := w.text(n), hashedText
	if n.elem.Name == "reference" && w.tape[n.parent].typ.Name == "Reference" || !w.engine.exact && w.isLink(n) {
		kind = hashedReference
	}
	begin := len(w.values)
	known := w.memo.entry(kind, text)
	if value := known.find(kind, text); value != nil {
		w.values = append(w.values, value...)
		w.set(n, begin)
		return
	}
	w.values = append(w.values, '"')
	if kind == hashedReference {
		w.values = w.hashReference(w.values, text)
	} else {
		w.values = w.appendHMAC(w.values, text)
	}
	w.values = append(w.values, '"')
	w.set(n, begin)
	known.keep(kind, text, w.values[begin:])
}

// isLink reports whether a URL of a Bundle's entry leads to a resource: it has to
// stay equal to the references that lead there too.
func (w *worker) isLink(n *node) bool {
	switch w.tape[n.parent].typ.Path {
	case "Bundle.entry":
		return n.elem.Name == "fullUrl"
	case "Bundle.entry.request":
		return n.elem.Name == "url"
	case "Bundle.entry.response":
		return n.elem.Name == "location"
	}
	return false
}

func (w *worker) appendHMAC(dst, text []byte) []byte {
	w.cryptoH.Reset()
	w.cryptoH.Write(text)
	w.sum = w.cryptoH.Sum(w.sum[:0])
	return appendHex(dst, w.sum)
}

// appendHex writes bytes in hex, two digits at a time.
func appendHex(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, hexDigits[2*int(c)], hexDigits[2*int(c)+1])
	}
	return dst
}

// hexDigits are the digits of all bytes.
var hexDigits = func() (t [512]byte) {
	for c := range 256 {
		t[2*c], t[2*c+1] = "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15]
	}
	return t
}()

// hashReference hashes what identifies in a reference: the id of Type/id behind
// any base, the uuid or oid of a urn, the part behind #, or all of it.
func (w *worker) hashReference(dst, text []byte) []byte {
	if text[0] == '#' {
		dst = append(dst, '#')
		if len(text) > 1 {
			dst = w.appendHMAC(dst, text[1:])
		}
		return dst
	}
	if rest, ok := bytes.CutPrefix(text, []byte("urn:oid:")); ok && isOID(rest) {
		return w.appendHMAC(append(dst, "urn:oid:"...), rest)
	}
	if rest, ok := bytes.CutPrefix(text, []byte("urn:uuid:")); ok && isUUID(rest) {
		return w.appendHMAC(append(dst, "urn:uuid:"...), rest)
	}
	fragment := -1
	if !w.engine.exact {
		fragment = bytes.IndexByte(text, '#')
	}
	path := text
	if fragment >= 0 {
		path = text[:fragment]
	}
	start, end, ok := w.findID(path)
	if !ok {
		return w.appendHMAC(dst, text)
	}
	dst = appendJSONText(dst, path[:start])
	dst = w.appendHMAC(dst, path[start:end])
	dst = appendJSONText(dst, path[end:])
	if fragment >= 0 && fragment+1 < len(text) {
		dst = w.appendHMAC(append(dst, '#'), text[fragment+1:])
	}
	return dst
}

// appendJSONText appends the part of a reference that is no id: a base, whose
// only character to be escaped is a backslash, and a version.
func appendJSONText(dst, text []byte) []byte {
	for _, c := range text {
		if c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// findID finds the id in [base]Type/id[/_history/vid].
func (w *worker) findID(text []byte) (start, end int, ok bool) {
	end = len(text)
	slash := bytes.LastIndexByte(text, '/')
	if slash > 0 && bytes.HasSuffix(text[:slash], []byte("/_history")) && isID(text[slash+1:]) {
		end = slash - len("/_history")
		slash = bytes.LastIndexByte(text[:end], '/')
	}
	if slash < 0 || !isID(text[slash+1:end]) {
		return 0, 0, false
	}
	// The type ends at the slash; what is before it only has to be a base.
	name := slash
	for name > 0 && isLetter(text[name-1]) {
		name--
	}
	if !w.engine.exact {
		whole := name == 0 || text[name-1] == '/'
		if whole && w.model.ResourceType(text[name:slash]) != nil && (name == 0 || isURL(text[:name])) {
			return slash + 1, end, true
		}
		return 0, 0, false
	}
	for from := name; from < slash; from++ { // no left boundary, as in Microsoft's tool
		if w.model.ResourceType(text[from:slash]) != nil && isBase(text[:from]) {
			return slash + 1, end, true
		}
	}
	return 0, 0, false
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isAlnum(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' }

// isID is the regex of FHIR's id type.
func isID(b []byte) bool {
	bad := len(b) == 0 || len(b) > 64
	for _, c := range b {
		bad = bad || !idBytes[c]
	}
	return !bad
}

// idBytes are the bytes of an id.
var idBytes = func() (t [256]bool) {
	for c := range t {
		t[c] = isAlnum(byte(c)) || c == '-' || c == '.'
	}
	return t
}()

// isBase accepts what Microsoft's tool takes for a base URL: none, or http and
// https. Hosts with a hyphen are none to it.
func isBase(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	rest, ok := bytes.CutPrefix(b, []byte("http://"))
	if !ok {
		if rest, ok = bytes.CutPrefix(b, []byte("https://")); !ok {
			return false
		}
	}
	b = rest
	for _, c := range b {
		if !isAlnum(c) && bytes.IndexByte([]byte(`\/.:%$`), c) < 0 {
			return false
		}
	}
	return true
}

// isURL accepts the base URL of a FHIR server: any host and path, but nothing that
// could hold more, such as a user's name or a query.
func isURL(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte("http://"))
	if !ok {
		if rest, ok = bytes.CutPrefix(b, []byte("https://")); !ok {
			return false
		}
	}
	return !bytes.ContainsAny(rest, "@?#\\\"<> \t\r\n")
}

func isOID(b []byte) bool {
	// [0-2](\.(0|[1-9][0-9]*))+
	if len(b) < 3 || b[0] < '0' || b[0] > '2' || b[1] != '.' {
		return false
	}
	for _, arc := range bytes.Split(b[2:], []byte{'.'}) {
		if len(arc) == 0 || arc[0] == '0' && len(arc) > 1 {
			return false
		}
		for _, c := range arc {
			if c < '0' || c > '9' {
				return false
			}
		}
	}
	return true
}

func isUUID(b []byte) bool {
	if len(b) != 36 {
		return false
	}
	for i, c := range b {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return false
			}
		}
	}
	return true
}
