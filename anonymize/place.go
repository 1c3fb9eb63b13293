package anonymize

// town keeps the name of a town: letters, and what stands between them.
// (45 CFR 164.514(e)(2)(ii) leaves town or city, state and ZIP code.)
func (w *worker) town(i int32, n *node) {
	text := w.text(n)
	ok := w.inAddress(n) && len(text) <= 60
	for _, c := range text {
		letter := isLetter(c) || c >= 0x80
		ok = ok && (letter || c == ' ' || c == '-' || c == '\'' || c == '.')
	}
	if !ok {
		w.redact(i, n, false)
	}
}

// zip keeps a whole ZIP code of the United States.
func (w *worker) zip(i int32, n *node) {
	if !w.inAddress(n) || !isZIP(w.text(n)) {
		w.redact(i, n, false)
	}
}
