package planted

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"fhirdeid/anonymize/fhirmodel"
)

// maker makes one resource.
type maker struct {
	*tables
	random  *rand.Rand
	variant int
	out     []byte
	tokens  []Token
	// path has the element path down to each member.
	path []string
	// types likewise has the types.
	types []string
	// contained are the ids of contained resources, entries the references to the
	// entries of a Bundle.
	contained []string
	entries   []string
	// small makes a resource in another one small.
	small bool
	// inExtension: extensions have no extensions, apart from their parts.
	inExtension bool
	open        map[*fhirmodel.Type]int
}

// tables are what all resources of a version are made from.
type tables struct {
	model     *fhirmodel.Model
	resources []*fhirmodel.Type
	// values are the elements that can be an extension's value.
	values []*fhirmodel.Element
	codes  map[string][]string // by value set
}

func newTables(version fhirmodel.Version) (*tables, error) {
	model, err := fhirmodel.Load(version)
	if err != nil {
		return nil, err
	}
	x := &tables{model: model, resources: model.ResourceTypes(), codes: make(map[string][]string)}
	for _, e := range model.Type("Extension").Elements {
		if e.Name == "value" {
			x.values = append(x.values, e)
		}
	}
	return x, nil
}

func (x *tables) codesOf(valueSet string) []string {
	codes, ok := x.codes[valueSet]
	if !ok {
		codes = x.model.Codes(valueSet)
		x.codes[valueSet] = codes
	}
	return codes
}

func makeResource(x *tables, t *fhirmodel.Type, variant int, seed uint64) *Resource {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %d", x.model.Version, t.Name, variant)
	m := &maker{tables: x, random: rand.New(rand.NewPCG(seed, h.Sum64())), variant: variant, open: make(map[*fhirmodel.Type]int)}
	m.resource(t, "")
	return &Resource{Type: t.Name, JSON: m.out, Tokens: m.tokens}
}

// plant notes a token at the leaf that is being made.
func (m *maker) plant(k Kind, value string) string {
	m.tokens = append(m.tokens, Token{Value: value, Kind: k, Path: m.path[len(m.path)-1], Types: m.types[len(m.types)-1]})
	return value
}

// word is a new word of twelve consonants, which no text of another origin has.
func (m *maker) word(k Kind) string {
	var b [12]byte
	bits := m.random.Uint64()
	for i := range b {
		b[i] = wordLetters[bits>>(4*i)%16]
	}
	b[0] -= 0x20
	return m.plant(k, string(b[:]))
}

// wordLetters are those of planted words: six of them in a row are in no other
// text.
const wordLetters = "ghjklmnpqrstvwxz"

// number is a new number of so many digits, of which none is 0 or 1: codes and
// dates always have one.
func (m *maker) number(digits int) string {
	b := make([]byte, digits)
	for ok := false; !ok; ok = !bytes.Contains(b, []byte("8836")) { // as in the OIDs of code systems
		bits := m.random.Uint64()
		for i := range b {
			b[i] = '2' + byte(bits>>(3*i)%8)
		}
	}
	return m.plant(Digits, string(b))
}

// next is one of n forms.
func (m *maker) next(n int) int { return m.random.IntN(n) }

func (m *maker) add(s string) { m.out = append(m.out, s...) }

// at makes something at a member of the path.
func (m *maker) at(key string, do func()) {
	m.path = append(m.path, m.path[len(m.path)-1]+"."+key)
	do()
	m.path = m.path[:len(m.path)-1]
}

// resource makes a resource; id is its id, "" for a new one.
func (m *maker) resource(t *fhirmodel.Type, id string) {
	if len(m.path) == 0 {
		m.path = append(m.path, t.Name)
		m.types = append(m.types, t.Name)
	} else {
		m.types = append(m.types, m.types[len(m.types)-1]+"."+t.Name)
		defer func() { m.types = m.types[:len(m.types)-1] }()
	}
	m.add(`{"resourceType":"` + t.Name + `"`)
	if t.Name == "Bundle" && !m.small {
		m.planEntries()
	}
	m.members(t, func(e *fhirmodel.Element) bool {
		switch {
		case e.Key == "id":
			if id == "" {
				id = m.word(Text)
			}
			m.add(`"` + id + `"`)
		case e.Key == "contained" && !m.small:
			m.containedResources()
		case e.Key == "contained":
			return false
		case e.Key == "entry" && t.Name == "Bundle" && m.entries != nil:
			m.bundleEntries(e.Type)
		case e.Key == "extension" && !m.small:
			m.extensionsOfAllTypes()
		default:
			return false
		}
		return true
	}, 0)
	m.add("}")
}

// members makes the members of an object that has begun, with a comma before
// each. own makes those that are special.
func (m *maker) members(t *fhirmodel.Type, own func(e *fhirmodel.Element) bool, depth int) {
	m.open[t]++
	defer func() { m.open[t]-- }()
	groups := make(map[int][]*fhirmodel.Element)
	var order []int
	for _, e := range t.Elements {
		if groups[e.Group] == nil {
			order = append(order, e.Group)
		}
		groups[e.Group] = append(groups[e.Group], e)
	}
	for _, g := range order {
		choice := groups[g]
		e := choice[(m.variant+g)%len(choice)]
		for k := 0; k < len(choice) && m.skips(t, e, depth); k++ {
			e = choice[k] // another type of the choice, if that one cannot be here
		}
		if m.skips(t, e, depth) {
			continue
		}
		begin := len(m.out)
		m.comma()
		m.add(`"` + e.Key + `":`)
		filled := len(m.out)
		m.at(e.Key, func() {
			if own == nil || !own(e) {
				m.element(e, depth)
			}
		})
		if len(m.out) == filled {
			m.out = m.out[:begin]
		} else if e.Type.Kind.Primitive() && !e.NoExtension {
			m.sibling(e)
		}
	}
}

func (m *maker) comma() {
	if c := m.out[len(m.out)-1]; c != '{' && c != '[' {
		m.out = append(m.out, ',')
	}
}

// maxNesting bounds how deep data types are made.
const maxNesting = 7

// skips reports whether an element is left out: what would never end, or make the
// corpus too large.
func (m *maker) skips(t *fhirmodel.Type, e *fhirmodel.Element, depth int) bool {
	switch {
	case e.Name == "contained" && (m.small || m.variant%least > 1), e.Type.Name == "Resource" && m.small && e.Name != "resource":
		return true
	case e.Type.Kind == fhirmodel.Resource:
		return m.small || e.Name == "contained" && len(m.path) > 1
	case e.Name == "modifierExtension" || e.Name == "extension":
		if m.inExtension || m.small && depth > 0 {
			return true
		}
		return depth > 0 && m.next(10) != 0
	case e.Key == "identifier" && t.Name == "Reference":
		return depth > 1 && m.next(4) != 0
	case e.Name == "id" && depth > 0:
		return m.next(8) != 0
	case e.Type.Kind == fhirmodel.Complex:
		for _, child := range e.Type.Elements { // what it must have would never end
			if child.Required && m.open[child.Type] > 0 {
				return true
			}
		}
		limit := maxNesting
		if m.small {
			limit = 3
		}
		if m.inExtension {
			limit = min(limit, depth+2)
		}
		return depth >= limit && !e.Required || m.open[e.Type] > 1 || m.open[e.Type] > 0 && (depth > 3 || !isBackbone(e.Type))
	}
	return false
}

// element makes an element's value, or an array of them.
func (m *maker) element(e *fhirmodel.Element, depth int) {
	if !e.Array {
		m.value(e, depth)
		return
	}
	m.add("[")
	items := 1
	if e.Type.Kind.Primitive() {
		items = 2
	}
	for range items {
		m.comma()
		m.value(e, depth)
	}
	m.add("]")
}

func (m *maker) value(e *fhirmodel.Element, depth int) {
	switch {
	case e.Type.Kind.Primitive():
		m.add(m.primitive(e))
	case e.Type.Kind == fhirmodel.Resource:
		m.inner(e.Type, "")
	default:
		m.types = append(m.types, m.types[len(m.types)-1]+"."+e.Type.Name)
		var own func(e *fhirmodel.Element) bool
		if special := complexTypes[e.Type.Name]; special != nil {
			own = special(m)
		}
		m.add("{")
		m.members(e.Type, own, depth+1)
		if m.out[len(m.out)-1] == '{' {
			m.at("id", func() { m.add(`"id":"` + m.word(Text) + `"`) }) // nothing of it can be here, but empty it must not be
		}
		m.add("}")
		m.types = m.types[:len(m.types)-1]
	}
}

// inner makes a small resource in another: of the type, or of any by turns.
func (m *maker) inner(t *fhirmodel.Type, id string) {
	if t.Abstract {
		t = m.resources[m.random.IntN(len(m.resources))]
	}
	old, open := m.small, m.open
	m.small, m.open = true, make(map[*fhirmodel.Type]int)
	m.resource(t, id)
	m.small, m.open = old, open
}

func (m *maker) containedResources() {
	m.add("[")
	list := []*fhirmodel.Type{m.model.Type("Patient"), m.model.Type("Organization"), m.resources[m.random.IntN(len(m.resources))]}
	for range list {
		m.contained = append(m.contained, m.word(Text))
	}
	for i, t := range list {
		m.comma()
		m.inner(t, m.contained[i])
	}
	m.add("]")
}

// planEntries names the entries of a Bundle, so that they can refer to each other.
func (m *maker) planEntries() {
	for _, typ := range []string{"Patient", "Encounter", "Observation", "Condition", "Procedure"} {
		if m.next(2) == 0 {
			m.entries = append(m.entries, "urn:uuid:"+m.uuid())
		} else {
			m.entries = append(m.entries, typ+"/"+m.word(Text))
		}
	}
}

func (m *maker) bundleEntries(t *fhirmodel.Type) {
	m.add("[")
	for i, typ := range []string{"Patient", "Encounter", "Observation", "Condition", "Procedure"} {
		m.comma()
		m.add("{")
		m.members(t, func(e *fhirmodel.Element) bool {
			ref := m.entries[i]
			switch e.Key {
			case "fullUrl":
				if ref[0] == 'u' {
					m.add(`"` + ref + `"`)
				} else {
					m.add(`"https://fhir.` + m.word(Text) + `.example/r4/` + ref + `"`)
				}
			case "resource":
				id := ""
				if ref[0] != 'u' {
					id = ref[len(typ)+1:]
				}
				m.inner(m.model.Type(typ), id)
			default:
				return false
			}
			return true
		}, 1)
		m.add("}")
	}
	m.add("]")
}
