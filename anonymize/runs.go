package anonymize

// Members that nothing has changed mostly stand side by side in the line. They
// are copied as one run of bytes, with the commas between them.

// run is a part of the line that is to be copied; stop is 0 where there is none.
type run struct{ start, stop int32 }

// group finds the items of the element that begins at node c, in a parent that
// ends before the node after. end is the first node behind them; as has their
// bytes in the line, with the member's name, if they and the parent are in
// canonical form; changed says that they are not to be written so.
func (w *worker) group(c, after int32) (end int32, as run, changed bool) {
	n := &w.tape[c]
	elem, bits := n.elem, n.flags
	end = max(n.after, c+1)
	as = run{n.start - int32(len(elem.Head)), n.end}
	if elem.Array {
		for end < after {
			if n = &w.tape[end]; n.elem != elem {
				break
			}
			bits |= n.flags
			as.stop = n.end
			end = max(n.after, end+1)
		}
		as = run{as.start - 1, as.stop + 1} // the brackets
	}
	return end, as, bits&(touched|dirty) != 0
}

// grow adds a member that stands right behind what is in the run. It does not
// where something between them is gone, or they were moved.
func (r run) grow(by run) (run, bool) {
	return run{r.start, by.stop}, r.stop != 0 && by.start == r.stop+1
}

// flush appends what is in a run, as members of the object that begins at begin.
func (w *worker) flush(dst []byte, begin int, r run) []byte {
	if r.stop == 0 {
		return dst
	}
	return append(w.comma(dst, begin), w.data[r.start:r.stop]...)
}
