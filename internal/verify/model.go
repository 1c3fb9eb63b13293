package verify

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"strings"
	"sync"
)

//go:embed *.tsv.gz public.tsv
var files embed.FS

// model has the types of one FHIR version.
type model struct {
	// types are by path: "Patient", "Patient.contact", "HumanName".
	types map[string]*typ
	// element is the type of what stands beside a primitive, in "_x".
	element *typ
}

// typ is a FHIR type, or that of a backbone element.
type typ struct {
	// name is that of the FHIR type, path that of the backbone; of a type they are
	// the same.
	name, path string
	resource   bool // that can be instantiated
	primitive  bool
	members    names
	// ageBearer: its members are a code, which may be that of an age, and a value.
	ageBearer bool
	// forbidden and unwanted are by claim: nothing of it may be left.
	forbidden [numClaims]bool
	kind      typeKind
	// ident says that its values identify.
	ident bool
}

// elem is one JSON member.
type elem struct {
	// name is the element's without a choice's suffix, key the JSON member.
	name, key string
	// typ is that of its value; anyResource says that it is a resource of any type.
	typ         *typ
	anyResource bool
	codes       map[string]bool
	// class is what may be there, by claim.
	class [numClaims]class
	// publicPart and ident say what the values of an input are, see input.go.
	publicPart, ident bool
}

var models = map[string]func() (*model, error){
	"stu3": sync.OnceValues(func() (*model, error) { return readModel("stu3") }),
	"r4":   sync.OnceValues(func() (*model, error) { return readModel("r4") }),
	"r4b":  sync.OnceValues(func() (*model, error) { return readModel("r4b") }),
	"r5":   sync.OnceValues(func() (*model, error) { return readModel("r5") }),
}

func loadModel(version string) (*model, error) {
	load, ok := models[version]
	if !ok {
		return nil, fmt.Errorf("there is no FHIR version %q; it is STU3, R4, R4B or R5", version)
	}
	return load()
}

func readModel(version string) (*model, error) {
	data, err := files.ReadFile(version + ".tsv.gz")
	if err != nil {
		return nil, fmt.Errorf("reading the verifier's table of %s: %w", version, err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading the verifier's table of %s: %w", version, err)
	}
	m := &model{types: make(map[string]*typ)}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	var rows [][]string
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		if name, ok := strings.CutPrefix(f[0], "="); ok {
			t := m.add(name, name)
			t.resource = f[1] == "resource" && f[2] == "false"
			t.primitive = f[1] == "primitive-type"
			continue
		}
		if len(f) == 4 {
			rows = append(rows, f)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading the verifier's table of %s: %w", version, err)
	}
	for _, f := range rows {
		if f[1] == "BackboneElement" || f[1] == "Element" {
			m.add(f[1], f[0])
		}
	}
	for _, f := range rows {
		if err := m.addRow(f); err != nil {
			return nil, fmt.Errorf("reading the verifier's table of %s: %w", version, err)
		}
	}
	m.element = m.types["Element"]
	for _, t := range m.types {
		m.classify(t)
	}
	return m, nil
}

func (m *model) add(name, path string) *typ {
	t := &typ{name: name, path: path}
	m.types[path] = t
	return t
}

// addRow adds an element: path, types, whether it repeats, codes.
func (m *model) addRow(f []string) error {
	dot := strings.LastIndexByte(f[0], '.')
	parent, name := m.types[f[0][:dot]], f[0][dot+1:]
	if parent == nil {
		return fmt.Errorf("%s is in no type", f[0])
	}
	var codes map[string]bool
	if f[3] != "" {
		codes = make(map[string]bool)
		for _, c := range strings.Fields(f[3]) {
			codes[c] = true
		}
	}
	base, choice := strings.CutSuffix(name, "[x]")
	for _, of := range strings.Fields(f[1]) {
		e := &elem{name: base, key: base, codes: codes}
		if choice {
			e.key += strings.ToUpper(of[:1]) + of[1:]
		}
		at := strings.TrimPrefix(of, "@")
		if of == "BackboneElement" || of == "Element" {
			at = f[0]
		}
		if e.typ = m.types[at]; e.typ == nil {
			return fmt.Errorf("%s has a type that is not there", f[0])
		}
		e.anyResource = at == "Resource" || e.typ.resource
		parent.members.add(e)
	}
	return nil
}

// public are the lists of what is the same for everyone.
type public struct {
	// systems are the public code systems, each with the form of its codes.
	systems map[string]codeForm
	// codes are those of the systems that have a list of them.
	codes map[string]map[string]bool
	zip3  map[string]bool
}

var loadPublic = sync.OnceValues(func() (*public, error) {
	data, err := files.ReadFile("public.tsv")
	if err != nil {
		return nil, fmt.Errorf("reading the verifier's lists: %w", err)
	}
	p := &public{systems: make(map[string]codeForm), zip3: make(map[string]bool)}
	for line := range strings.Lines(string(data)) {
		kind, value, _ := strings.Cut(strings.TrimSpace(line), "\t")
		switch kind {
		case "system":
			p.systems[value] = anyForm
		case "zip3":
			p.zip3[value] = true
		}
	}
	for system, form := range codeForms {
		p.systems[system] = form
	}
	return p, p.readCodes()
})

// readCodes reads the lists of codes. A "*" says that a system has others too.
func (p *public) readCodes() error {
	p.codes = make(map[string]map[string]bool)
	data, err := files.ReadFile("codes.tsv.gz")
	if err != nil {
		return fmt.Errorf("reading the verifier's lists of codes: %w", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("reading the verifier's lists of codes: %w", err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if p.systems[fields[0]] != anyForm {
			continue // not public, or with a form of its own
		}
		codes := make(map[string]bool)
		for _, code := range fields[1:] {
			codes[code] = true
		}
		p.systems[fields[0]], p.codes[fields[0]] = listForm, codes
	}
	return lines.Err()
}
