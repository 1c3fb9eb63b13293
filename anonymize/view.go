package anonymize

import "fhirdeid/anonymize/fhirpath"

// view is the document as a rule sees it at its moment: what earlier rules have
// changed is changed, what later ones will change is not. It is a
// fhirpath.Document. A value is changed when it is first asked for.
type view struct {
	*worker
	at moment
	// before is the node that the rule has come to, in the order of the tape: what it
	// has done to those before it is done. It is none for a rule that looks for its
	// nodes.
	before int32
}

// past reports whether a node has been decided at the moment.
func (v *view) past(i int32) bool {
	m := v.decidedAt(i)
	return m.before(v.at) || m == v.at && i < v.before
}

// Text is the text of a primitive's value at the moment.
func (v *view) Text(i int32) ([]byte, bool) {
	if !v.past(i) {
		return v.original(i)
	}
	v.settle(i)
	n := &v.tape[i]
	switch {
	case n.flags&hasValue == 0 || n.flags&removed != 0:
		return nil, false
	case n.flags&replaced != 0:
		return v.textNow(n), true
	}
	return v.plainText(n), true
}

// original is the text of a value as it came, whatever was done to it since.
func (v *view) original(i int32) ([]byte, bool) {
	n := &v.tape[i]
	if n.end == 0 {
		return nil, false
	}
	text := v.plainText(n)
	return text, len(text) > 0
}

// First is the first node below i at the moment.
func (v *view) First(i int32) int32 {
	v.settle(i)
	if len(v.lists) > 0 {
		if list, moved := v.lists[i]; moved {
			if len(list) == 0 {
				return fhirpath.None
			}
			return list[0]
		}
	}
	return v.scanner.First(i)
}

// Next is the node behind i under the same parent at the moment.
func (v *view) Next(i int32) int32 {
	p := v.tape[i].parent
	if p >= 0 && len(v.lists) > 0 {
		if list, moved := v.lists[p]; moved {
			for k, c := range list {
				if c == i && k+1 < len(list) {
					return list[k+1]
				}
			}
			return fhirpath.None
		}
	}
	return v.scanner.Next(i)
}

// settle applies to a node what an earlier rule has decided.
func (v *view) settle(i int32) {
	if v.tape[i].flags&done == 0 && v.past(i) {
		v.applyNow(i)
	}
}
