package anonymize

import "bytes"

// jsonLevel is an object or array that is open.
type jsonLevel struct {
	array        bool
	key          []byte // the member it is the value of
	start        int
	items, nulls int
}

// empties looks for what has no node of its own: empty arrays, and nulls that
// stand for nothing. The JSON has been read once, so it is well-formed, and all
// its keys are names of the model.
func (v *Validator) empties() {
	data := v.doc.data
	if !bytes.Contains(data, []byte("null")) && !mayHaveEmptyArray(data) {
		return
	}
	v.open = v.open[:0]
	var key, lastString []byte
	for i := 0; i < len(data); i++ {
		switch c := data[i]; c {
		case '"':
			end := stringEnd(data, i)
			lastString = data[i+1 : end]
			i = end
			v.countItem()
		case ':':
			key = lastString
		case '{', '[':
			v.countItem()
			v.open = append(v.open, jsonLevel{array: c == '[', key: key, start: i})
		case '}', ']':
			last := len(v.open) - 1
			l := v.open[last]
			v.open = v.open[:last]
			if c == ']' {
				v.array(&l)
			}
		case 'n':
			i += len("null") - 1
			if last := len(v.open) - 1; last >= 0 && v.open[last].array {
				v.open[last].nulls++
				v.open[last].items++
			} else {
				v.emptyMember(i, key)
			}
		case 't', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'f':
			for i+1 < len(data) && isAlnum(data[i+1]) || i+1 < len(data) && (data[i+1] == '.' || data[i+1] == '+' || data[i+1] == '-') {
				i++
			}
			v.countItem()
		}
	}
}

// mayHaveEmptyArray looks for [ with a ] behind it and at most white space
// between them.
func mayHaveEmptyArray(data []byte) bool {
	for {
		i := bytes.IndexByte(data, '[')
		if i < 0 {
			return false
		}
		data = data[i+1:]
		for len(data) > 0 && data[0] <= ' ' {
			data = data[1:]
		}
		if len(data) > 0 && data[0] == ']' {
			return true
		}
	}
}

// stringEnd is where the quote is that ends the string which begins at i.
func stringEnd(data []byte, i int) int {
	for i++; i < len(data) && data[i] != '"'; i++ {
		if data[i] == '\\' {
			i++
		}
	}
	return min(i, len(data)-1)
}

func (v *Validator) countItem() {
	if last := len(v.open) - 1; last >= 0 && v.open[last].array {
		v.open[last].items++
	}
}

// array judges an array at its end. A null in it is right only where the array
// of "_x", or of "x", has an item at its place: then each place has a node.
func (v *Validator) array(l *jsonLevel) {
	if l.items > 0 && l.nulls == 0 {
		return
	}
	if l.nulls > 0 {
		at := v.around(l.start)
		name := bytes.TrimPrefix(l.key, []byte{'_'})
		nodes := 0
		for c := v.doc.First(at); c >= 0; c = v.doc.Next(c) {
			if v.doc.tape[c].elem.Key == string(name) {
				nodes++
			}
		}
		if nodes >= l.items {
			return
		}
	}
	v.emptyMember(l.start, l.key)
}

func (v *Validator) emptyMember(offset int, key []byte) {
	v.issueBelow(v.around(offset), "."+string(key), IssueEmpty)
}

// around is the innermost object that a place in the JSON is in.
func (v *Validator) around(offset int) (at int32) {
	for i := range v.doc.tape {
		n := &v.doc.tape[i]
		if !n.typ.Kind.Primitive() && int(n.start) <= offset && offset < int(n.end) && (n.start >= v.doc.tape[at].start) {
			at = int32(i)
		}
	}
	return at
}
