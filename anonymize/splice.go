package anonymize

// A line in canonical form, as almost all are, is not written anew: what was
// decided is spliced into its bytes.

// canSplice reports whether a node is in canonical form.
func (w *worker) canSplice(n *node) bool { return n.flags&dirty == 0 && !w.moved }

// splice appends object i, which is in canonical form and of which something is
// left. New values stand in the place of the old; what is gone takes a comma with
// it. The labels are for its meta.
func (w *worker) splice(dst []byte, i int32, labels ops) []byte {
	data, tape := w.data, w.tape
	copied := tape[i].start // up to here the bytes are dealt with
	after := tape[i].after
	for c := i + 1; c < after; {
		n := &tape[c]
		switch {
		case labels != 0 && n.parent == i && n.elem.Name == "meta":
			dst = append(dst, data[copied:n.start-int32(len(n.elem.Head))]...)
			dst = w.emitMeta(dst, c, labels)
			copied, c, labels = n.end, n.after, 0
		case n.flags&alive == 0:
			at, next := w.gone(c, after)
			dst = append(dst, data[copied:at.start]...)
			copied, c = at.stop, next
			if data[copied] == ',' {
				copied++
			} else if last := len(dst) - 1; dst[last] == ',' {
				dst = dst[:last]
			}
		case n.flags&touched == 0:
			c = max(n.after, c+1)
		case n.flags&replaced != 0:
			dst = append(dst, data[copied:n.start]...)
			dst = append(dst, w.values[n.outStart:n.outEnd]...)
			copied, c = n.end, c+1
		case n.flags&resource != 0:
			dst = append(dst, data[copied:n.start]...)
			dst = w.emitResource(dst, c)
			copied, c = n.end, n.after
		default:
			c++
		}
	}
	end := tape[i].end - 1
	dst = append(dst, data[copied:end]...)
	if labels != 0 {
		dst = w.emitMeta(append(dst, ','), none, labels)
	}
	if len(w.masks) > 0 && tape[i].flags&resource != 0 {
		dst = w.emitMasks(dst, 0, i)
	}
	return append(dst, '}')
}

// place is a part of the line.
type place struct{ start, stop int32 }

// gone is what has to go with node c, of which nothing is left: an item, or the
// member with its name if it is all of it. next is the node behind.
func (w *worker) gone(c, after int32) (at place, next int32) {
	n := &w.tape[c]
	at, next = place{n.start, n.end}, max(n.after, c+1)
	head := int32(len(n.elem.Head))
	if !n.elem.Array {
		return place{at.start - head, at.stop}, next
	}
	if w.data[n.start-1] != '[' {
		return at, next // not the first: one before is left, or was looked at
	}
	stop := at.stop
	for end := next; ; {
		if end == after || w.tape[end].elem != n.elem || w.tape[end].parent != n.parent {
			return place{at.start - 1 - head, stop + 1}, end
		}
		k := &w.tape[end]
		if k.flags&alive != 0 {
			return at, next
		}
		stop, end = k.end, max(k.after, end+1)
	}
}
