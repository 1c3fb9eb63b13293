// Command gen writes the tables of package fhirmodel from uniform element
// definitions, given as a folder with stu3.json.gz, r4.json.gz, r4b.json.gz and
// r5.json.gz:
//
//	go run ./gen FOLDER
//
// A table is text, one line a type or element, compressed:
//
//	T <name> <R|C|P> <0|1 abstract>
//	E <path> <min> <* or 1> <types, comma-separated, or #path of a content reference> <required value set, or ->
//	V <value set> <codes, comma-separated>
//	P <resource type> <paths of references to its patients, comma-separated>
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type definitions struct {
	Types map[string]struct {
		Kind       string
		Abstract   bool
		Constrains string
		Elements   []struct {
			Path       string
			Min        int
			Max        string
			Types      []struct{ Code string }
			ContentRef string
			Binding    struct{ Strength, ValueSet string }
		}
	}
	RequiredCodes map[string][]string
	PatientPaths  map[string][]string
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: gen FOLDER")
	}
	for _, version := range []string{"stu3", "r4", "r4b", "r5"} {
		if err := write(os.Args[1], version); err != nil {
			log.Fatal(err)
		}
	}
}

func write(dir, version string) error {
	f, err := os.Open(filepath.Join(dir, version+".json.gz"))
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	var d definitions
	if err := json.NewDecoder(z).Decode(&d); err != nil {
		return err
	}
	var text bytes.Buffer
	kinds := map[string]string{"resource": "R", "complex-type": "C", "primitive-type": "P"}
	used := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(d.Types)) {
		t := d.Types[name]
		if t.Constrains != "" {
			continue // a profile: its elements are the base type's
		}
		abstract := 0
		if t.Abstract {
			abstract = 1
		}
		fmt.Fprintf(&text, "T %s %s %d\n", name, kinds[t.Kind], abstract)
		if t.Kind == "primitive-type" {
			continue // id, extension and value are the same for all
		}
		for _, e := range t.Elements {
			max := "1"
			if e.Max != "0" && e.Max != "1" {
				max = "*"
			}
			if e.Max == "0" {
				continue
			}
			types := "#" + strings.TrimPrefix(e.ContentRef, "#")
			if e.ContentRef == "" {
				codes := make([]string, len(e.Types))
				for i, c := range e.Types {
					codes[i] = baseType(c.Code)
				}
				types = strings.Join(slices.Compact(codes), ",")
			}
			valueSet := "-"
			if e.Binding.Strength == "required" && len(d.RequiredCodes[e.Binding.ValueSet]) > 0 {
				valueSet = e.Binding.ValueSet
				used[valueSet] = true
			}
			fmt.Fprintf(&text, "E %s %d %s %s %s\n", e.Path, e.Min, max, types, valueSet)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		fmt.Fprintf(&text, "V %s %s\n", name, strings.Join(d.RequiredCodes[name], ","))
	}
	for _, name := range slices.Sorted(maps.Keys(d.PatientPaths)) {
		if len(d.PatientPaths[name]) > 0 {
			fmt.Fprintf(&text, "P %s %s\n", name, strings.Join(d.PatientPaths[name], ","))
		}
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(version+".txt.gz", out.Bytes(), 0o644)
}

// baseType maps the profiles that are used as types to the type they constrain.
func baseType(code string) string {
	switch code {
	case "SimpleQuantity", "MoneyQuantity":
		return "Quantity"
	}
	return code
}
