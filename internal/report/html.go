package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"sync"
)

//go:embed report.html.tmpl
var pageSource string

// maxListed bounds the rows of a table in the page; report.json has all.
const maxListed = 500

// maxDropped is the same for paths and URLs that were dropped.
const maxDropped = 40

// pageTemplate is parsed once; it is never changed afterwards.
var pageTemplate = sync.OnceValues(func() (*template.Template, error) {
	return template.New("report").Funcs(template.FuncMap{
		"n": grouped, "count": counting, "known": known, "size": size, "instant": instant, "seconds": seconds, "sizes": sizeRange, "part": partNames, "url": urlNames,
	}).Parse(pageSource)
})

func grouped(v any) string {
	switch v := v.(type) {
	case int:
		return number(v)
	case int64:
		return number(v)
	}
	return unknown
}

func counting(v any, noun string) string {
	switch v := v.(type) {
	case int:
		return count(int64(v), noun)
	case int64:
		return count(v, noun)
	}
	return unknown
}

// HTML returns report.html: one file without scripts that fetches nothing, for a
// telephone, a screen or paper, in light or dark as the reader has set it.
func (r *Run) HTML() ([]byte, error) {
	t, err := pageTemplate()
	if err != nil {
		return nil, fmt.Errorf("parsing the page of a report: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, newPage(r.clean())); err != nil {
		return nil, fmt.Errorf("writing the report of run %s as a page: %w", code(r.ID), err)
	}
	return b.Bytes(), nil
}

// page is what the template shows.
type page struct {
	*Run
	Mark, Tone string
	Sentences  []string
	Steps      []string
	Took       string
	Balance    string
	Balanced   bool
	Rows       []row
	All        row
	Bars       []bar
	Methods    []counted
	Dropped    []counted
	MoreDrop   int
	DroppedAll int64
	Extensions []counted
	Systems    []counted
	RiskLines  []string
	LinkLines  []string
	Lost       []counted
	Histogram  *histogram
	Quarantine []counted
	FailedFile []counted
	ServerErrs []counted
	Findings   []Finding
	MoreFound  int
	Listed     []File
	MoreFiles  int
	HardCount  int64
	SoftCount  int64
}

// row is a resource type with the shares of its bar, in percent.
type row struct {
	Name string
	Counts
	WrittenShare, DroppedShare, QuarantinedShare float64
}

// bar is a stage with its share of the time.
type bar struct {
	Stage
	Share float64
}

func newPage(r *Run) *page {
	p := &page{
		Run: r, Mark: mark(r), Tone: tone(r), Sentences: r.sentences(), Steps: r.steps(),
		Balance: r.balance(), Balanced: r.Totals.Balanced(),
		All: newRow("all", r.Totals), Methods: byCount(r.Methods), Quarantine: byCount(r.Quarantine),
		FailedFile: byCount(r.FailedFiles), ServerErrs: byCount(r.ServerErrors),
		HardCount: r.findings("hard"), SoftCount: r.findings("soft"),
	}
	for _, t := range r.Types {
		p.Rows = append(p.Rows, newRow(t.Name, t.Counts))
	}
	p.Findings = bySeverity(r.Findings)
	p.Findings, p.MoreFound = p.Findings[:min(len(p.Findings), maxListed)], max(0, len(p.Findings)-maxListed)
	p.Listed, p.MoreFiles = r.Files[:min(len(r.Files), maxListed)], max(0, len(r.Files)-maxListed)
	p.Dropped = byCount(r.DroppedPaths)
	for _, c := range p.Dropped {
		p.DroppedAll += c.Count
	}
	p.Dropped, p.MoreDrop = p.Dropped[:min(len(p.Dropped), maxDropped)], max(0, len(p.Dropped)-maxDropped)
	p.Extensions, p.Systems = byCount(r.DroppedExtensions), byCount(r.DroppedCodeSystems)
	p.Extensions, p.Systems = p.Extensions[:min(len(p.Extensions), maxDropped)], p.Systems[:min(len(p.Systems), maxDropped)]
	if p.LinkLines = r.linkSentences(); r.Links != nil {
		p.Lost = byCount(r.Links.DanglingTypes)
	}
	p.RiskLines, p.Histogram = r.riskSentences(), newHistogram(r.Risk)
	p.times(r)
	return p
}

func (p *page) times(r *Run) {
	if !r.Started.IsZero() && !r.Ended.IsZero() {
		p.Took = span(r.Ended.Sub(r.Started))
	}
	var total float64
	for _, s := range r.Stages {
		total += max(0, s.Seconds)
	}
	for _, s := range r.Stages {
		b := bar{Stage: s}
		if total > 0 {
			b.Share = 100 * max(0, s.Seconds) / total
		}
		p.Bars = append(p.Bars, b)
	}
}

func newRow(name string, c Counts) row {
	r := row{Name: name, Counts: c}
	if total := float64(max(c.Lines, c.Written+c.Dropped+c.Quarantined)); total > 0 {
		r.WrittenShare = 100 * float64(c.Written) / total
		r.DroppedShare = 100 * float64(c.Dropped) / total
		r.QuarantinedShare = 100 * float64(c.Quarantined) / total
	}
	return r
}

// partNames says in words what a timing is of.
func partNames(name string) string {
	switch name {
	case "kick-off":
		return "asking the server for the export"
	case "export":
		return "the server's export"
	case "fetch":
		return "fetching, to the last file"
	case "de-identify":
		return "de-identifying and verifying, to the last file"
	case "work":
		return "the same, added up over all files"
	case "release":
		return "releasing"
	case "clean-up":
		return "cleaning up"
	}
	return name
}

// urlNames says in words what stands for URLs that are not shown.
func urlNames(url string) string {
	switch url {
	case "others":
		return "others, not on a public list"
	case "none":
		return "without a URL"
	}
	return url
}

// tone is the colour of an outcome; the word beside it says the same.
func tone(r *Run) string {
	switch {
	case r.Outcome == Released && r.Policy.Verified():
		return "good"
	case r.Outcome == Released, r.Outcome == Held:
		return "wait"
	case r.Outcome == Failed:
		return "bad"
	}
	return "plain"
}
