// Command gen writes the verifier's own tables:
//
//	go run ./gen FOLDER [TERMINOLOGY]
//
// <version>.tsv.gz from FOLDER/fhir-definitions: one line an element: path,
// types, whether it repeats, codes of its required value set.
// public.tsv from FOLDER/fhir-definitions/code-systems.json and
// FOLDER/data/zip3/zip3-2020.json: public code systems, and ZIP prefixes of more
// than 20,000 people.
// codes.tsv.gz from TERMINOLOGY, an unpacked package hl7.terminology.r4 (7.0.1,
// CC0): the codes of each public code system that it enumerates; left as it is
// where none is given.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

type element struct {
	Path       string
	Max        string
	Types      []struct{ Code string }
	ContentRef string
	Binding    struct{ Strength, ValueSet string }
}

type definitions struct {
	Types map[string]struct {
		Kind, Constrains string
		Abstract         bool
		Elements         []element
	}
	RequiredCodes map[string][]string
}

func main() {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		log.Fatal("usage: gen FOLDER [TERMINOLOGY]")
	}
	for _, v := range []string{"stu3", "r4", "r4b", "r5"} {
		if err := table(os.Args[1]+"/fhir-definitions/"+v+".json.gz", v+".tsv.gz"); err != nil {
			log.Fatal(err)
		}
	}
	if err := public(os.Args[1]); err != nil {
		log.Fatal(err)
	}
	if len(os.Args) == 3 {
		if err := codes(os.Args[2]); err != nil {
			log.Fatal(err)
		}
	}
}

func table(from, to string) error {
	packed, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	var d definitions
	if err := json.NewDecoder(z).Decode(&d); err != nil {
		return err
	}
	var lines []string
	for name, t := range d.Types {
		if t.Constrains != "" {
			continue
		}
		lines = append(lines, strings.Join([]string{"=" + name, t.Kind, fmt.Sprint(t.Abstract)}, "\t"))
		if t.Kind == "primitive-type" {
			continue
		}
		for _, e := range t.Elements {
			if e.Max == "0" {
				continue
			}
			types := "@" + strings.TrimPrefix(e.ContentRef, "#")
			if e.ContentRef == "" {
				var codes []string
				for _, c := range e.Types {
					if c.Code == "SimpleQuantity" || c.Code == "MoneyQuantity" {
						c.Code = "Quantity"
					}
					codes = append(codes, c.Code)
				}
				types = strings.Join(codes, " ")
			}
			repeats := "one"
			if e.Max != "1" {
				repeats = "many"
			}
			codes := ""
			if e.Binding.Strength == "required" {
				codes = strings.Join(d.RequiredCodes[e.Binding.ValueSet], " ")
			}
			lines = append(lines, strings.Join([]string{e.Path, types, repeats, codes}, "\t"))
		}
	}
	sort.Strings(lines)
	return write(to, lines)
}

func write(to string, lines []string) error {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	fmt.Fprintln(w, strings.Join(lines, "\n"))
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, out.Bytes(), 0o644)
}

// codes writes a line for each code system that is public and not a fragment: its
// URL and its codes.
func codes(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "CodeSystem-*.json"))
	if err != nil {
		return err
	}
	var lines []string
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var system struct {
			URL, Content string
			Concept      []any
		}
		if err := json.Unmarshal(data, &system); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fields := []string{system.URL}
		if system.Content == "fragment" {
			fields = append(fields, "*")
		}
		if fields = addCodes(fields, system.Concept); len(system.Concept) > 0 {
			lines = append(lines, strings.Join(fields, "\t"))
		}
	}
	sort.Strings(lines)
	return write("codes.tsv.gz", lines)
}

func addCodes(fields []string, concepts []any) []string {
	for _, c := range concepts {
		concept, _ := c.(map[string]any)
		if code, ok := concept["code"].(string); ok {
			fields = append(fields, code)
		}
		inner, _ := concept["concept"].([]any)
		fields = addCodes(fields, inner)
	}
	return fields
}

func public(dir string) error {
	var systems struct {
		Systems []struct {
			URL, OID, Class string
			OtherURLs       []string `json:"otherUrls"`
		}
		HL7TablesBase string
		HL7Tables     [][]string
	}
	data, err := os.ReadFile(dir + "/fhir-definitions/code-systems.json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, &systems); err != nil {
		return err
	}
	bad := make(map[string]bool)
	all := make(map[string]bool)
	for _, s := range systems.Systems {
		urls := append([]string{s.URL}, s.OtherURLs...)
		if s.OID != "" {
			urls = append(urls, "urn:oid:"+s.OID)
		}
		for _, u := range urls {
			all[u] = true
			if s.Class != "classification" && s.Class != "product" {
				bad[u] = true
			}
		}
	}
	for _, t := range systems.HL7Tables {
		u := t[0]
		if !strings.Contains(u, ":") {
			u = systems.HL7TablesBase + u
		}
		if !all[u] && len(t) > 2 {
			bad[u] = true
		}
		all[u] = true
	}
	var lines []string
	for u := range all {
		if u != "" && !bad[u] {
			lines = append(lines, "system\t"+u)
		}
	}
	var zips struct{ Prefixes map[string]int }
	if data, err = os.ReadFile(dir + "/data/zip3/zip3-2020.json"); err != nil {
		return err
	}
	if err := json.Unmarshal(data, &zips); err != nil {
		return err
	}
	for prefix, people := range zips.Prefixes {
		if people > 20000 {
			lines = append(lines, "zip3\t"+prefix)
		}
	}
	sort.Strings(lines)
	head := "# Public code systems (HL7 Terminology, CC0); ZIP prefixes of more than 20,000 people (2020 Decennial Census, DHC, table P1).\n"
	return os.WriteFile("public.tsv", []byte(head+strings.Join(lines, "\n")+"\n"), 0o644)
}
