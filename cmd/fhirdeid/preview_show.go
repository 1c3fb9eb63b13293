package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// previewPage is all that a preview shows.
type previewPage struct {
	Policy, Claim, Hash string
	// File is what the resources are from, "" where they are made up.
	File       string
	MadeUpKeys bool
	Resources  []previewed
}

// count counts the elements with a mark.
func (p previewed) count(mark string) (n int) {
	for _, e := range p.Elements {
		if e.Mark == mark {
			n++
		}
	}
	return n
}

// Summary says in a line what became of the resource.
func (p previewed) Summary() string {
	switch {
	case p.Fault != "":
		return "could not be processed: " + p.Fault
	case p.Gone:
		return fmt.Sprintf("dropped whole, with %d values", len(p.Elements))
	}
	s := fmt.Sprintf("%d kept, %d changed, %d dropped, %d put in", p.count(markKept), p.count(markChanged), p.count(markDropped), p.count(markAdded))
	if p.Verified && len(p.Findings) == 0 {
		s += "; the verifier finds nothing"
	} else if p.Verified {
		s += fmt.Sprintf("; the verifier finds %d", len(p.Findings))
	}
	return s
}

// colors of the marks, as a terminal is told: yellow, red, green.
var markColors = map[string]string{markChanged: "\x1b[33m", markDropped: "\x1b[31m", markAdded: "\x1b[32m"}

const (
	bold      = "\x1b[1m"
	plainText = "\x1b[0m"
)

// text writes the preview for a terminal of so many columns.
func (p *previewPage) text(out io.Writer, width int, color bool) error {
	w := bufio.NewWriter(out)
	paint := func(code, s string) string {
		if !color || code == "" {
			return s
		}
		return code + s + plainText
	}
	for i, r := range p.Resources {
		if i > 0 {
			fmt.Fprintln(w)
		}
		name := r.Type
		if name == "" {
			name = "A resource"
		}
		fmt.Fprintf(w, "%s (line %d): %s\n", paint(bold, name), r.Number, shown(r.Summary()))
		for _, f := range r.Findings {
			fmt.Fprintln(w, "  "+f)
		}
		c := columnsOf(r, width)
		for _, e := range r.Elements {
			path := strings.TrimPrefix(e.Path, r.Type+".")
			line := fmt.Sprintf("%s %s  %s  %s  %s", e.Mark, fit(path, c.path), fit(e.Before, c.value), fit(e.After, c.value), shown(e.Rule))
			line = strings.TrimRight(cutTo(line, max(width, 40)), " ")
			fmt.Fprintln(w, paint(markColors[e.Mark], line))
		}
	}
	return w.Flush()
}

// columns are the widths of a table's columns.
type columns struct{ path, value int }

// columnsOf divides a width: paths get what they need up to a third, values a
// quarter each, rules the rest.
func columnsOf(r previewed, width int) columns {
	c := columns{path: 10, value: 8}
	for _, e := range r.Elements {
		c.path = max(c.path, utf8.RuneCountInString(e.Path)-len(r.Type)-1)
		c.value = max(c.value, utf8.RuneCountInString(e.Before), utf8.RuneCountInString(e.After))
	}
	c.path = min(c.path, max(width/3, 16))
	c.value = min(c.value, max(width/4-2, 10))
	return c
}

// fit makes a text just so wide.
func fit(s string, width int) string {
	s = cutTo(shown(s), width)
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

func cutTo(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	runes := []rune(s)
	return string(runes[:width-1]) + "…"
}

// shown takes out of a text what a terminal would obey: a value of a file may be
// anything.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

//go:embed preview.html.tmpl
var previewTemplate string

// page writes the preview as one page of HTML that fetches nothing.
func (p *previewPage) page() ([]byte, error) {
	t, err := template.New("preview").Funcs(template.FuncMap{"tone": func(mark string) string {
		return map[string]string{markKept: "kept", markChanged: "changed", markDropped: "dropped", markAdded: "added"}[mark]
	}, "shown": shown}).Parse(previewTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
