package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// summary is what --summary-json writes; people are shown the same. Its names are
// kept from version to version.
type summary struct {
	// Outcome is done, left-out, failed or interrupted.
	Outcome     string `json:"outcome"`
	Error       string `json:"error,omitempty"`
	Policy      string `json:"policy"`
	PolicyHash  string `json:"policyHash"` // SHA-256, hex
	Claim       string `json:"claim"`
	FHIRVersion string `json:"fhirVersion"`
	AsOf        string `json:"asOf"`

	Files struct {
		Done    int      `json:"done"`
		Skipped int      `json:"skipped"` // their results were there
		Failed  []string `json:"failed"`
	} `json:"files"`
	Lines struct {
		In      int64 `json:"in"`
		Out     int64 `json:"out"`
		Dropped int64 `json:"dropped"`
		LeftOut int64 `json:"leftOut"`
		Blank   int64 `json:"blank"`
	} `json:"lines"`
	Types   map[string]typeCounts `json:"types"`
	Methods map[string]int64      `json:"methods"`
	Reasons map[string]int64      `json:"reasons"`

	BytesIn         int64   `json:"bytesIn"`  // decompressed
	BytesOut        int64   `json:"bytesOut"` // before compression
	Seconds         float64 `json:"seconds"`
	MegabytesPerSec float64 `json:"megabytesPerSecond"` // of the input, 10^6 bytes
	Jobs            int     `json:"jobs"`
	// Busy is the share of the time that each stage was at work or waited for;
	// Limit is the one with the largest.
	Busy  map[string]float64 `json:"busy"`
	Limit string             `json:"limit"`
}

type typeCounts struct {
	In      int64 `json:"in"`
	Out     int64 `json:"out"`
	Dropped int64 `json:"dropped"`
	LeftOut int64 `json:"leftOut"`
}

// summarise gathers what the work came to.
func (w *work) summarise(took time.Duration) *summary {
	p, t := w.engine.Policy(), &w.total
	s := &summary{
		Policy: w.o.policy, PolicyHash: p.Hash(), Claim: string(p.Claim), FHIRVersion: w.o.version, AsOf: w.o.at.Format(time.RFC3339),
		Types: make(map[string]typeCounts), Methods: t.Methods, Reasons: t.Reasons,
		BytesIn: t.BytesIn, BytesOut: t.BytesOut, Seconds: took.Seconds(), MegabytesPerSec: rate(t.BytesIn, took), Jobs: workers(w.o.jobs),
	}
	s.Files.Done, s.Files.Skipped, s.Files.Failed = t.done, t.skipped, append([]string{}, t.failed...)
	s.Lines.In, s.Lines.Out, s.Lines.Dropped, s.Lines.LeftOut, s.Lines.Blank = t.Lines, t.Written, t.Dropped, t.Rejected, t.Blank
	for name, c := range t.Types {
		s.Types[name] = typeCounts{c.Lines, c.Written, c.Dropped, c.Rejected}
	}
	s.Busy = w.times.busy(s.Jobs)
	s.Limit = limit(s.Busy)
	return s
}

// show prints the summary for people.
func (s *summary) show(out io.Writer, w *work, tasks []task) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "type\tin\tout\tdropped\tleft out\t")
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		c := s.Types[name]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t\n", name, c.In, c.Out, c.Dropped, c.LeftOut)
	}
	fmt.Fprintf(table, "all\t%d\t%d\t%d\t%d\t\n", s.Lines.In, s.Lines.Out, s.Lines.Dropped, s.Lines.LeftOut)
	table.Flush()
	showCounts(out, "values by method", s.Methods)
	showCounts(out, "left out by reason", s.Reasons)
	if w.screen.unsaid > 0 {
		fmt.Fprintf(out, "%s more were left out than are shown: --verbose shows all, --quarantine keeps them\n", grouped(w.screen.unsaid))
	}
	if len(tasks) > 1 || s.Files.Skipped > 0 || len(s.Files.Failed) > 0 {
		fmt.Fprintf(out, "%s: %d done, %d with a result already, %d failed\n", plural(int64(len(tasks)), "file"), s.Files.Done, s.Files.Skipped, len(s.Files.Failed))
	}
	took := time.Duration(s.Seconds * float64(time.Second))
	fmt.Fprintf(out, "%s in, %s out, in %s: %.1f MB/s, FHIR %s, %s\n", megabytes(s.BytesIn), megabytes(s.BytesOut), roundTime(took), s.MegabytesPerSec, s.FHIRVersion, plural(int64(s.Jobs), "job"))
	if s.Limit == "" || took < 100*time.Millisecond {
		return
	}
	var shares []string
	for _, name := range stageNames {
		if share := s.Busy[name]; share >= 0.005 {
			shares = append(shares, fmt.Sprintf("%s %.0f%%", name, 100*share))
		}
	}
	fmt.Fprintf(out, "busy: %s; the limit was %s\n", strings.Join(shares, ", "), limitNames[s.Limit])
}

var limitNames = map[string]string{
	"reading": "reading the input", "decompressing": "the decompressor", "engine": "the engine", "checking": "checking resources",
	"compressing": "the compressor", "writing": "writing the output",
}

func showCounts(out io.Writer, title string, counts map[string]int64) {
	if len(counts) == 0 {
		return
	}
	fmt.Fprintf(out, "%s:\n", title)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(table, "%s\t%d\t\n", name, counts[name])
	}
	table.Flush()
}

// write writes the summary as JSON.
func (s *summary) write(path string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o666); err != nil {
		return fmt.Errorf("writing the summary: %w", err)
	}
	return nil
}

// plural is a count with its word.
func plural(n int64, word string) string {
	if n != 1 {
		word += "s"
	}
	return grouped(n) + " " + word
}

func leftOut(n int64) string { return grouped(n) + " left out" }

// grouped is a number with a comma between thousands.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func rate(bytes int64, took time.Duration) float64 {
	if took <= 0 {
		return 0
	}
	return float64(bytes) / 1e6 / took.Seconds()
}

func roundTime(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return clock(d)
}
