// Command gen writes the public lists that strict policies go by:
//
//	go run ./gen FOLDER [TERMINOLOGY]
//
// zip3.txt: the three-digit ZIP prefixes where more than 20,000 people live, from
// FOLDER/data/zip3/zip3-2020.json (U.S. Census Bureau, public domain).
//
// codesystems.txt: the URLs of code systems whose codes are the same for every
// patient, from FOLDER/fhir-definitions/code-systems.json (HL7 Terminology, CC0).
//
// codes.txt.gz: the codes of those code systems that HL7 Terminology enumerates,
// from the folder TERMINOLOGY, an unpacked package hl7.terminology.r4 (7.0.1,
// CC0). It is left as it is where none is given.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 2 && len(os.Args) != 3 {
		log.Fatal("usage: gen FOLDER [TERMINOLOGY]")
	}
	if err := zip3(os.Args[1]); err != nil {
		log.Fatal(err)
	}
	if err := codeSystems(os.Args[1]); err != nil {
		log.Fatal(err)
	}
	if len(os.Args) == 3 {
		if err := codes(os.Args[2]); err != nil {
			log.Fatal(err)
		}
	}
}

func read(into any, path ...string) error {
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// enough is how many people must live under a prefix: 45 CFR 164.514(b)(2)(i)(B).
const enough = 20000

func zip3(dir string) error {
	var table struct {
		Census, Source string
		Prefixes       map[string]int
	}
	if err := read(&table, dir, "data", "zip3", "zip3-2020.json"); err != nil {
		return err
	}
	var keep []string
	for prefix, people := range table.Prefixes {
		if people > enough {
			keep = append(keep, prefix)
		}
	}
	slices.Sort(keep)
	text := fmt.Sprintf("# %s\n# Three-digit ZIP prefixes where more than %d people live.\n", table.Census, enough)
	return os.WriteFile("zip3.txt", []byte(text+strings.Join(keep, "\n")+"\n"), 0o644)
}

func codeSystems(dir string) error {
	var list struct {
		Systems []struct {
			URL, OID, Class string
			OtherURLs       []string `json:"otherUrls"`
		}
		HL7TablesBase string
		HL7Tables     [][]string
	}
	if err := read(&list, dir, "fhir-definitions", "code-systems.json"); err != nil {
		return err
	}
	verdict := make(map[string]bool) // a URL that two systems share must be good in both
	note := func(url string, good bool) {
		if url == "" {
			return
		}
		was, known := verdict[url]
		verdict[url] = good && (was || !known)
	}
	for _, s := range list.Systems {
		good := s.Class == "classification" || s.Class == "product"
		note(s.URL, good)
		for _, u := range s.OtherURLs {
			note(u, good)
		}
		if s.OID != "" {
			note("urn:oid:"+s.OID, good)
		}
	}
	for _, t := range list.HL7Tables {
		url := t[0]
		if !strings.Contains(url, ":") {
			url = list.HL7TablesBase + url
		}
		if _, known := verdict[url]; !known {
			note(url, len(t) < 3) // the third item marks personal attributes and places
		}
	}
	var keep []string
	for url, good := range verdict {
		if good {
			keep = append(keep, url)
		}
	}
	slices.Sort(keep)
	return os.WriteFile("codesystems.txt", []byte("# Code systems whose codes are the same for every patient.\n"+strings.Join(keep, "\n")+"\n"), 0o644)
}
