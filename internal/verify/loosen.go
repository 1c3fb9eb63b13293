package verify

import "strings"

// isLoosened reports whether the policy loosens what is where the walk is: by an
// element path from any resource or data type above it, to it or to what it is in.
func (w *walk) isLoosened() bool {
	return w.anyLoosened(func(loosened, path string) bool { return isBelow(path, loosened) })
}

// mayBeLoosened reports whether the policy loosens a part of what is where the
// walk is.
func (w *walk) mayBeLoosened() bool {
	return len(w.c.loosened) > 0 && w.anyLoosened(func(loosened, path string) bool { return loosened != path && isBelow(loosened, path) })
}

// isBelow reports whether an element path is another or below it.
func isBelow(path, top string) bool {
	rest, ok := strings.CutPrefix(path, top)
	return ok && (rest == "" || rest[0] == '.')
}

// anyLoosened compares each loosened path with each path that leads to where the
// walk is: from the line's resource, from one in it, and from a data type. A
// choice may go by its element's name or by the member's.
func (w *walk) anyLoosened(is func(loosened, path string) bool) bool {
	if w.at != nil && w.matches(w.at.path, is) {
		return true
	}
	if w.root == nil {
		return false
	}
	starts := []string{w.root.path}
	keys, names := "", ""
	for k := len(w.path) - 1; k >= 0; k-- {
		s := w.path[k]
		keys, names = "."+s.elem.key+keys, "."+s.elem.name+names
		starts[0] = s.in.path
		if k == 0 {
			starts = append(starts, w.root.path)
		}
		for _, from := range starts {
			if w.matches(from+keys, is) || w.matches(from+names, is) {
				return true
			}
		}
	}
	return w.matches(w.root.path, is)
}

func (w *walk) matches(path string, is func(loosened, path string) bool) bool {
	for _, l := range w.c.loosened {
		if is(l, path) {
			return true
		}
	}
	return false
}
