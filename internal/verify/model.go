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

// model has the members of each type.
type model struct {
	// members is by path of the type ("Patient", "Patient.contact", "HumanName")
	// and JSON member.
	members   map[string]map[string]*elem
	resources map[string]bool
	primitive map[string]bool
}

// elem is one JSON member.
type elem struct {
	name string // the element's name without a choice's suffix
	typ  string // FHIR type, or "" for a backbone
	// at is the path under which the members of its value are found.
	at    string
	codes map[string]bool
}

var models sync.Map // version → *model, read once

func loadModel(version string) (*model, error) {
	if m, ok := models.Load(version); ok {
		return m.(*model), nil
	}
	data, err := files.ReadFile(version + ".tsv.gz")
	if err != nil {
		return nil, fmt.Errorf("there is no FHIR version %q; it is STU3, R4, R4B or R5", version)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("reading the verifier's table of %s: %w", version, err)
	}
	m := &model{members: make(map[string]map[string]*elem), resources: make(map[string]bool), primitive: make(map[string]bool)}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	var rows [][]string
	for lines.Scan() {
		f := strings.Split(lines.Text(), "\t")
		if name, ok := strings.CutPrefix(f[0], "="); ok {
			m.resources[name] = f[1] == "resource" && f[2] == "false"
			m.primitive[name] = f[1] == "primitive-type"
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
		m.addRow(f)
	}
	models.Store(version, m)
	return m, nil
}

func (m *model) addRow(f []string) {
	dot := strings.LastIndexByte(f[0], '.')
	parent, name := f[0][:dot], f[0][dot+1:]
	if m.members[parent] == nil {
		m.members[parent] = make(map[string]*elem)
	}
	var codes map[string]bool
	if f[3] != "" {
		codes = make(map[string]bool)
		for _, c := range strings.Fields(f[3]) {
			codes[c] = true
		}
	}
	if ref, ok := strings.CutPrefix(f[1], "@"); ok {
		m.members[parent][name] = &elem{name: name, at: ref}
		return
	}
	base, choice := strings.CutSuffix(name, "[x]")
	for _, typ := range strings.Fields(f[1]) {
		e := &elem{name: base, typ: typ, at: typ, codes: codes}
		if typ == "BackboneElement" || typ == "Element" {
			e.at = f[0]
		}
		key := base
		if choice {
			key += strings.ToUpper(typ[:1]) + typ[1:]
		}
		m.members[parent][key] = e
	}
}

// public are the lists of what is the same for everyone.
type public struct{ systems, zip3 map[string]bool }

var loadPublic = sync.OnceValues(func() (*public, error) {
	data, err := files.ReadFile("public.tsv")
	if err != nil {
		return nil, fmt.Errorf("reading the verifier's lists: %w", err)
	}
	p := &public{systems: make(map[string]bool), zip3: make(map[string]bool)}
	for line := range strings.Lines(string(data)) {
		kind, value, _ := strings.Cut(strings.TrimSpace(line), "\t")
		switch kind {
		case "system":
			p.systems[value] = true
		case "zip3":
			p.zip3[value] = true
		}
	}
	// Race and ethnicity of the CDC: categories that the claim keeps on purpose.
	p.systems["urn:oid:2.16.840.1.113883.6.238"] = true
	return p, nil
})
