package verify

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// walk goes through one result.
type walk struct {
	c           *Checker
	line        int64
	identifying map[string]bool
	// ids are values of the input that have the form of a pseudonym, and so may
	// not stand where a pseudonym ought to.
	ids      map[string]bool
	findings []Finding
	found    [2]int // by severity
	dec      *jsontext.Decoder
}

func (w *walk) find(s Severity, class, path string) {
	if w.found[s]++; w.found[s] <= maxFindings {
		w.findings = append(w.findings, Finding{Severity: s, Class: class, Path: path, Line: w.line})
	}
}

// object is a value with its members, read whole: what is allowed of one member
// depends on another, as of a code on its system.
type object struct {
	path    string // for findings
	at      string // for the table
	typ     string
	members []member
}

type member struct {
	key    string
	values []value
}

type value struct {
	kind jsontext.Kind // of JSON: '"', '0', 't', 'f', 'n', '{', '['
	text string
	obj  *object
}

func (o *object) text(key string) string {
	for _, m := range o.members {
		if m.key == key && len(m.values) == 1 {
			return m.values[0].text
		}
	}
	return ""
}

// result reads and checks a whole resource.
func (w *walk) result(out []byte) {
	w.dec = jsontext.NewDecoder(bytes.NewReader(out), jsontext.AllowDuplicateNames(false))
	v, ok := w.read(0)
	if ok {
		if _, err := w.dec.ReadToken(); err == nil {
			ok = false // something behind it
		}
	}
	if !ok || v.obj == nil {
		w.find(Hard, ClassNotJSON, "")
		return
	}
	w.resource(v.obj, "", nil)
}

const maxDepth = 100

func (w *walk) read(depth int) (v value, ok bool) {
	t, err := w.dec.ReadToken()
	if err != nil || depth > maxDepth {
		return v, false
	}
	v.kind = t.Kind()
	switch v.kind {
	case '"', '0':
		v.text = t.String()
	case '{':
		v.obj = new(object)
		for w.dec.PeekKind() != '}' {
			name, err := w.dec.ReadToken()
			if err != nil {
				return v, false
			}
			m := member{key: name.String()}
			if w.dec.PeekKind() == '[' {
				if _, err := w.dec.ReadToken(); err != nil {
					return v, false
				}
				for w.dec.PeekKind() != ']' {
					item, ok := w.read(depth + 1)
					if !ok {
						return v, false
					}
					m.values = append(m.values, item)
				}
				if _, err := w.dec.ReadToken(); err != nil {
					return v, false
				}
			} else {
				item, ok := w.read(depth + 1)
				if !ok {
					return v, false
				}
				m.values = append(m.values, item)
			}
			v.obj.members = append(v.obj.members, m)
		}
		_, err = w.dec.ReadToken()
		return v, err == nil
	case '[': // an array in an array: no FHIR
		return v, false
	}
	return v, true
}

// resource checks a resource. holder is the object it stands in, or nil.
func (w *walk) resource(o *object, path string, holder *object) {
	typ := o.text("resourceType")
	if !w.c.model.resources[typ] {
		w.find(Hard, ClassUnknown, path)
		return
	}
	o.typ, o.at = typ, typ
	o.path = typ
	if path != "" {
		o.path = path
	}
	if unwanted[typ] {
		w.find(Hard, ClassUnlisted, o.path)
	}
	w.members(o, holder)
}

// members checks each member of an object by its element.
func (w *walk) members(o *object, holder *object) {
	table := w.c.model.members[o.at]
	w.ageObservation(o)
	for _, m := range o.members {
		if m.key == "resourceType" && w.c.model.resources[o.typ] {
			continue
		}
		key, sibling := strings.CutPrefix(m.key, "_")
		e := table[key]
		if e == nil {
			w.find(Hard, ClassUnknown, o.path+".unknown")
			continue
		}
		path := o.path + "." + key
		for i := range m.values {
			w.value(&m.values[i], e, o, holder, path, sibling)
		}
	}
}

func (w *walk) value(v *value, e *elem, o, holder *object, path string, sibling bool) {
	switch {
	case v.kind == 'n':
	case sibling:
		// id and extensions of a primitive.
		if v.obj == nil {
			w.find(Hard, ClassNotJSON, path)
			return
		}
		v.obj.typ, v.obj.at, v.obj.path = "Element", "Element", path
		w.members(v.obj, o)
	case e.typ == "Resource" || w.c.model.resources[e.typ]:
		if v.obj == nil {
			w.find(Hard, ClassNotJSON, path)
			return
		}
		w.resource(v.obj, path, o)
	case v.obj != nil:
		v.obj.typ, v.obj.at, v.obj.path = e.typ, e.at, path
		w.complex(v.obj, o)
	default:
		w.primitive(v, e, o, holder, path)
	}
}

// complex checks an object that is no resource.
func (w *walk) complex(o *object, holder *object) {
	if forbidden[o.typ] {
		w.find(Hard, ClassUnlisted, o.path)
		return
	}
	if o.typ == "Extension" && !w.extension(o, holder) {
		return
	}
	w.members(o, holder)
}
