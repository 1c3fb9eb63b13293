package main

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type concept struct {
	Code    string
	Concept []concept
}

func flatten(list []concept, codes []string) []string {
	for _, c := range list {
		codes = flatten(c.Concept, append(codes, c.Code))
	}
	return codes
}

// codes writes a line for each listed code system that has an enumeration: its
// URL and its codes, with tabs between. One that is a fragment has a "*" first.
func codes(dir string) error {
	listed, err := os.ReadFile("codesystems.txt")
	if err != nil {
		return err
	}
	known := make(map[string]bool)
	for line := range strings.Lines(string(listed)) {
		known[strings.TrimSpace(line)] = true
	}
	names, err := filepath.Glob(filepath.Join(dir, "CodeSystem-*.json"))
	if err != nil {
		return err
	}
	var lines []string
	for _, name := range names {
		var system struct {
			URL, Content string
			Concept      []concept
		}
		if err := read(&system, name); err != nil {
			return err
		}
		codes := flatten(system.Concept, nil)
		if !known[system.URL] || len(codes) == 0 {
			continue
		}
		slices.Sort(codes)
		if system.Content != "complete" {
			codes = slices.Insert(codes, 0, "*")
		}
		lines = append(lines, system.URL+"\t"+strings.Join(slices.Compact(codes), "\t")+"\n")
	}
	slices.Sort(lines)
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(strings.Join(lines, ""))); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile("codes.txt.gz", out.Bytes(), 0o644)
}
