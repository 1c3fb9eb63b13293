// Package azure holds the templates and the app together: what the one names and
// the other uses. No compiler does that, and it needs none: the templates are read
// as text, by a small reader that knows the forms used here and fails on others.
package azure

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the module's root, from here.
const root = "../.."

// read returns a file's text, with the path from here.
func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// templates returns the text of all Bicep files by name.
func templates(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.bicep")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d templates: %v", len(files), err)
	}
	text := make(map[string]string, len(files))
	for _, f := range files {
		text[f] = read(t, f)
	}
	return text
}

// resource is a resource of a template.
type resource struct {
	file, symbol, kind string
	existing           bool
	// comment is what is written above it, body what is between its braces.
	comment, body string
}

var resourceHead = regexp.MustCompile(`(?m)^resource (\w+) '([\w./]+)@[\w-]+'( existing)? = `)

// resources returns the resources of a template, in its order.
func resources(t *testing.T, file, text string) []resource {
	t.Helper()
	var all []resource
	for _, m := range resourceHead.FindAllStringSubmatchIndex(text, -1) {
		all = append(all, resource{
			file: file, symbol: text[m[2]:m[3]], kind: text[m[4]:m[5]], existing: m[6] >= 0,
			comment: commentAbove(text, m[0]),
			body:    braces(t, file, text[m[1]:]),
		})
	}
	if n := strings.Count("\n"+text, "\nresource "); n != len(all) {
		t.Fatalf("%s has %d resources, of which %d could be read", file, n, len(all))
	}
	return all
}

// allResources returns the resources of all templates.
func allResources(t *testing.T) []resource {
	t.Helper()
	var all []resource
	for file, text := range templates(t) {
		all = append(all, resources(t, file, text)...)
	}
	return all
}

// commentAbove is the comment in the lines before a place in a text.
func commentAbove(text string, at int) string {
	var lines []string
	before := strings.Split(strings.TrimSuffix(text[:at], "\n"), "\n")
	for i := len(before) - 1; i >= 0; i-- {
		line, ok := strings.CutPrefix(before[i], "// ")
		if !ok {
			break
		}
		lines = append([]string{line}, lines...)
	}
	return strings.Join(lines, " ")
}

// braces returns what is between the first brace of a text and its partner.
// Strings with a single brace would mislead it; there are none.
func braces(t *testing.T, file, text string) string {
	t.Helper()
	depth, start := 0, -1
	for i, c := range text {
		switch c {
		case '{':
			if depth++; depth == 1 {
				start = i + 1
			}
		case '}':
			if depth--; depth == 0 {
				return text[start:i]
			}
		}
	}
	t.Fatalf("%s: a brace is not closed", file)
	return ""
}

var keyLine = regexp.MustCompile(`(?m)^  (\w+): (.*)$`)

// object returns the members of a top-level variable or type that is an object,
// with the text of their values.
func object(t *testing.T, file, text, head string) map[string]string {
	t.Helper()
	_, after, found := strings.Cut(text, "\n"+head+" = {")
	if !found {
		t.Fatalf("%s has no %q", file, head)
	}
	members := make(map[string]string)
	for _, m := range keyLine.FindAllStringSubmatch(braces(t, file, "{"+after), -1) {
		members[m[1]] = m[2]
	}
	return members
}

var (
	quoted    = regexp.MustCompile(`'([^']*)'`)
	paramHead = regexp.MustCompile(`(?m)^param (\w+)`)
)

// texts returns the string literals in a piece of a template.
func texts(s string) []string {
	var all []string
	for _, m := range quoted.FindAllStringSubmatch(s, -1) {
		all = append(all, m[1])
	}
	return all
}

// list returns the strings of an array member, written in one line.
func list(t *testing.T, body, member string) []string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^\s+` + member + `: \[(.*)\]$`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("there is no list %q", member)
	}
	return texts(m[1])
}

// module returns what is between the braces of a module's call.
func module(t *testing.T, file, text, symbol string) string {
	t.Helper()
	_, after, found := strings.Cut(text, "\nmodule "+symbol+" ")
	if !found {
		t.Fatalf("%s has no module %s", file, symbol)
	}
	return braces(t, file, after)
}
