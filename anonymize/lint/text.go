package lint

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// TextOptions say how a report is written.
type TextOptions struct {
	// All lists codes and structure too, and the resource types without patients.
	All bool
}

// WriteText writes a report for people.
func (r *Report) WriteText(w io.Writer, o TextOptions) error {
	b := bufio.NewWriter(w)
	if r.FHIRVersion != "" {
		fmt.Fprintf(b, "FHIR %s, mode %s, claim %s, %d rules.\n", r.FHIRVersion, r.Mode, r.Claim, r.Rules)
	}
	for _, s := range []struct {
		severity Severity
		title    string
	}{{Error, "Errors"}, {Warning, "Warnings"}, {Note, "Notes"}} {
		if n := r.count(s.severity); n > 0 {
			fmt.Fprintf(b, "\n%s (%d)\n", s.title, n)
		}
		for i := range r.Problems {
			if p := &r.Problems[i]; p.Severity == s.severity {
				p.write(b)
			}
		}
	}
	if len(r.Problems) == 0 {
		b.WriteString("\nNo problem was found.\n")
	}
	if r.Coverage != nil {
		r.Coverage.write(b, o)
	} else {
		b.WriteString("\nWhich elements no rule reaches can be said when the file has no faults that keep it from being used.\n")
	}
	return b.Flush()
}

func (p *Problem) write(b *bufio.Writer) {
	b.WriteString("\n")
	var place []string
	if p.Line > 0 {
		place = append(place, fmt.Sprintf("line %d", p.Line))
	}
	if p.Rule > 0 {
		place = append(place, fmt.Sprintf("rule %d", p.Rule))
	}
	if len(place) == 0 {
		place = append(place, "the file")
	}
	head := strings.Join(place, ", ")
	if p.Path != "" {
		head += ": " + p.Path
	}
	fmt.Fprintf(b, "  %s  [%s]\n", head, p.Code)
	if p.Column > 0 && p.Path != "" && p.Column <= len(p.Path) && !strings.ContainsAny(p.Path, "\n\t") {
		fmt.Fprintf(b, "  %s^\n", strings.Repeat(" ", len(head)-len(p.Path)+p.Column-1))
	}
	paragraph(b, "    Problem:     ", p.Problem)
	paragraph(b, "    Consequence: ", p.Consequence)
	paragraph(b, "    Remedy:      ", p.Remedy)
}

// width is how long lines become.
const width = 96

// paragraph writes words behind a label, in lines of some length.
func paragraph(b *bufio.Writer, label, text string) {
	b.WriteString(label)
	column := len(label)
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteString("\n" + strings.Repeat(" ", len(label)))
			column = len(label)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	b.WriteByte('\n')
}

func (c *Coverage) write(b *bufio.Writer, o TextOptions) {
	if len(c.Groups) == 0 {
		b.WriteString("\nEvery element of every resource type is reached by a rule.\n")
		return
	}
	if c.Dropped {
		b.WriteString("\nWhat no rule reaches: it is dropped\n")
	} else {
		b.WriteString("\nWhat no rule reaches: it stays as it is\n")
	}
	for _, g := range c.Groups {
		fmt.Fprintf(b, "\n  %s: %d elements of %d resource types\n", strings.ToUpper(string(g.Class[:1]))+string(g.Class[1:]), g.Elements, len(g.Resources))
		if (g.Class == Code || g.Class == Anything) && !o.All {
			b.WriteString("    (--all lists them)\n")
			continue
		}
		g.write(b, o)
	}
}

// many is in how many resource types an element has to be to be named once for
// all.
const many = 10

// write lists the elements of a class by resource type, after those that many
// types have.
func (g *Group) write(b *bufio.Writer, o TextOptions) {
	types := make(map[string]int)
	for _, r := range g.Resources {
		for _, p := range r.Paths {
			types[p.name(r.Type)]++
		}
	}
	var common []string
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if types[name] >= many {
			common = append(common, fmt.Sprintf("%s (in %d)", name, types[name]))
		}
	}
	if len(common) > 0 {
		paragraph(b, "    Many types: ", strings.Join(common, ", "))
	}
	definitions := 0
	for _, r := range g.Resources {
		var names []string
		for _, p := range r.Paths {
			if name := p.name(r.Type); types[name] < many {
				names = append(names, name)
			}
		}
		switch {
		case len(names) == 0:
		case r.Definition && !o.All:
			definitions++
		default:
			paragraph(b, fmt.Sprintf("    %s: ", r.Type), strings.Join(names, ", "))
		}
	}
	if definitions > 0 {
		fmt.Fprintf(b, "    More in %d types that define what others use, such as value sets (--all lists them)\n", definitions)
	}
}

// name is the path below the resource type.
func (p *Gap) name(resource string) string {
	name := strings.TrimPrefix(p.Path, resource+".")
	if len(p.Sometimes) > 0 {
		name += " (but for what conditions reach)"
	}
	return name
}

// WriteText writes an explanation for people.
func (x *Explanation) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s (%s)\n", x.Path, x.Type)
	if x.By != nil {
		x.By.write(b, "  Decided by:      ")
	} else {
		b.WriteString("  Decided by:      no rule\n")
	}
	for i := range x.Maybe {
		x.Maybe[i].write(b, "  Before it perhaps: ")
	}
	paragraph(b, "  What happens:    ", x.What)
	for i := range x.Lost {
		x.Lost[i].write(b, "  Reached as well: ")
	}
	if len(x.Lost) > 0 {
		b.WriteString("                   (the first rule that reaches an element decides)\n")
	}
	return b.Flush()
}

func (r *RuleRef) write(b *bufio.Writer, label string) {
	text := fmt.Sprintf("rule %d (line %d): %s, %s", r.Rule, r.Line, r.Path, r.Method)
	if r.At != "" {
		text += "; its path leads to " + r.At
	}
	paragraph(b, label, text)
}
