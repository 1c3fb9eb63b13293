package verify

import (
	"bytes"
	"strconv"
)

// primitive checks one value by the class of its path.
func (w *walk) primitive(i int32, e *elem, holder int32) {
	n := &w.nodes[i]
	class := e.class[w.c.claim]
	if w.forbidden || class == classNothing || e.typ.forbidden[w.c.claim] {
		w.find(Hard, ClassUnlisted)
		return
	}
	switch n.kind {
	case 't', 'f':
		if class != classBoolean {
			w.find(Hard, ClassNumber)
		}
		return
	case '0':
		if class != classNumber {
			w.find(Hard, ClassNumber)
			return
		}
		w.number(w.textOf(n), e, holder)
		return
	}
	text := w.textOf(n)
	ok, otherwise := true, ClassCode
	switch class {
	case classYear:
		w.year(text)
	case classDate:
		ok, otherwise = isDate(text), ClassDate
	case classID:
		ok, otherwise = isPseudonym(text), ClassPseudonym
		w.sameID(text)
	case classReference:
		ok, otherwise = w.isReference(text), ClassPseudonym
		w.sameID(text)
		w.noteLocal(text)
	case classCanonical:
		ok, otherwise = w.isTyped(text), ClassPseudonym
		w.sameID(text)
	case classFullURL:
		ok, otherwise = w.isFullURL(text), ClassPseudonym
		w.sameID(text)
	case classTypeName:
		t := w.c.model.types[string(text)]
		ok = t != nil && t.resource
	case classState, classCountry:
		if !isPlace(text, class) {
			w.free(text)
		}
	case classZIP3:
		ok, otherwise = len(text) == 3 && (string(text) == "000" || w.c.public.zip3[string(text)]), ClassZIP
	case classZIP:
		ok, otherwise = isZIP(text), ClassZIP
	case classTown:
		if !isTown(text) {
			w.free(text)
		}
	case classSystem:
		ok = w.c.public.systems[string(text)] != 0 || w.c.systems[string(text)]
	case classCode:
		ok = w.isLabel(holder) || w.isCode(w.childText(holder, "system"), text)
	case classDisplay:
		if !w.isLabel(holder) {
			w.free(text)
		}
	case classURL: // checked with the extension
	case classExtCode:
		w.extensionCode(holder, text)
	case classUnitSystem:
		ok = string(text) == ucum
	case classUnit:
		ok = string(w.childText(holder, "system")) == ucum && isUnit(text)
		w.fromInput(text, Hard)
	case classCurrency:
		ok = isCurrency(text)
	case classRequiredCode:
		ok = e.codes[string(text)]
	default:
		w.free(text)
	}
	if !ok {
		w.find(Hard, otherwise)
	}
}

// free finds a text where none may be, and says what it looks like.
func (w *walk) free(text []byte) {
	w.find(Hard, ClassText)
	w.patterns(text)
	w.fromInput(text, Hard)
}

// number checks a JSON number: how long it is, and no age above 89.
func (w *walk) number(text []byte, e *elem, holder int32) {
	t := w.path[len(w.path)-1].in
	if d := wholeDigits(text); d >= identifierDigits {
		w.find(Soft, ClassLong)
		w.fromInput(text, Hard)
	} else if d >= 6 {
		w.fromInput(text, Soft)
	}
	if w.c.claim == safeHarbor && isDateNumber(text) {
		w.find(Hard, ClassDate)
	}
	if t.kind == quantityKind && e.name == "value" && w.c.claim == safeHarbor {
		w.ageIn(text, holder, t)
	}
}

// identifierDigits is how many digits a number has that may be an identifier's.
const identifierDigits = 9

// wholeDigits is how many digits a number without a fraction or exponent has.
func wholeDigits(text []byte) int {
	for _, c := range text {
		if c == '.' || c == 'e' || c == 'E' {
			return 0
		}
	}
	return len(text)
}

// isDateNumber reports whether a number is a date of these two centuries without
// separators, such as 19800203.
func isDateNumber(text []byte) bool {
	whole, _, _ := bytes.Cut(text, []byte{'.'})
	n, err := strconv.Atoi(string(whole))
	return err == nil && len(whole) == 8 && (n/1000000 == 19 || n/1000000 == 20) && n/100%100 >= 1 && n/100%100 <= 12 && n%100 >= 1 && n%100 <= 31
}

// year accepts four digits that tell no age over 89.
func (w *walk) year(text []byte) {
	year, err := strconv.Atoi(string(text))
	switch {
	case len(text) != 4 || err != nil || text[0] < '0':
		w.find(Hard, ClassDate)
	case year < w.c.minYear:
		w.find(Hard, ClassOldDate)
	case year > w.c.maxYear && year != 9999:
		w.find(Soft, ClassOldDate)
	}
}

// isDate accepts a date of any precision, with a time or without.
func isDate(text []byte) bool {
	const form = "dddd-dd-ddTdd:dd:dd"
	k := 0
	for k < len(text) && k < len(form) && (text[k] == form[k] && form[k] != 'd' || form[k] == 'd' && text[k]-'0' < 10) {
		k++
	}
	rest := text[k:]
	switch k {
	case 4, 7, 10:
		return len(rest) == 0
	case len(form):
	default:
		return false
	}
	if len(rest) > 1 && rest[0] == '.' {
		rest = rest[1:]
		for len(rest) > 0 && rest[0]-'0' < 10 {
			rest = rest[1:]
		}
	}
	if len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') {
		return rest[1]-'0' < 10 && rest[2]-'0' < 10 && rest[3] == ':' && rest[4]-'0' < 10 && rest[5]-'0' < 10
	}
	return len(rest) == 1 && rest[0] == 'Z'
}
