package ledger

import (
	"cmp"
	"maps"
	"slices"

	"fhirdeid/internal/links"
	"fhirdeid/internal/risk"
)

// Totals accounts for every line of a run: lines read = written + dropped +
// quarantined.
type Totals struct {
	Counts

	Types   map[string]*Counts `json:"types,omitempty"`
	Methods map[string]int64   `json:"methods,omitempty"`
	// Quarantine counts lines left out, by reason code.
	Quarantine map[string]int64 `json:"quarantine,omitempty"`
	Findings   []Finding        `json:"findings,omitempty"`
	Drops
	// Risk says how well patients hide among others; nil where there are none.
	Risk *risk.Summary `json:"risk,omitempty"`
	// Links says which references lead nowhere; nil where that was not counted.
	Links *links.Summary `json:"links,omitempty"`
	// Work is how long files were worked on in all, in milliseconds.
	Work int64 `json:"work,omitempty"`
	// Mismatched counts outputs whose lines differ from the manifest's count.
	Mismatched int `json:"mismatched,omitempty"`
	// FailedFiles counts files with a lasting fault, by reason code.
	FailedFiles map[string]int `json:"failedFiles,omitempty"`
	// ServerErrors counts the OperationOutcome issues of the server's error
	// files, by severity.
	ServerErrors map[string]int64 `json:"serverErrors,omitempty"`
}

// Counts are the counts of one file, one type or a whole run.
type Counts struct {
	// Outputs and Files are of a type or a whole run.
	Outputs int `json:"outputs,omitempty"`
	Files   int `json:"files,omitempty"`
	// Expected is the manifest's count, where one was given.
	Expected    int64 `json:"expected,omitempty"`
	Lines       int64 `json:"lines"`
	Written     int64 `json:"written"`
	Dropped     int64 `json:"dropped,omitempty"`
	Quarantined int64 `json:"quarantined,omitempty"`
	Duplicates  int64 `json:"duplicates,omitempty"`
	BytesIn     int64 `json:"bytesIn"`
	BytesOut    int64 `json:"bytesOut"`
}

// Add adds other to c.
func (c *Counts) Add(other Counts) {
	c.Outputs += other.Outputs
	c.Files += other.Files
	c.Expected += other.Expected
	c.Lines += other.Lines
	c.Written += other.Written
	c.Dropped += other.Dropped
	c.Quarantined += other.Quarantined
	c.Duplicates += other.Duplicates
	c.BytesIn += other.BytesIn
	c.BytesOut += other.BytesOut
}

// Balanced reports whether every line is accounted for.
func (c Counts) Balanced() bool { return c.Lines == c.Written+c.Dropped+c.Quarantined }

// Finding counts findings of the verifier that are alike. Path is an element
// path without values.
type Finding struct {
	Severity string `json:"severity"`
	Class    string `json:"class"`
	Path     string `json:"path"`
	Count    int64  `json:"count"`
}

// MaxFindings bounds Totals.Findings and Details.Findings; what is over is
// counted under the path "(more)".
const MaxFindings = 200

// Details are the counts of one file beyond its Counts.
type Details struct {
	Types      map[string]*Counts `json:"types,omitempty"`
	Methods    map[string]int64   `json:"methods,omitempty"`
	Quarantine map[string]int64   `json:"quarantine,omitempty"`
	Findings   []Finding          `json:"findings,omitempty"`
	Drops
}

// Drops counts what did not come through, of lines that were written.
type Drops struct {
	// Paths counts values by element path. Extensions and CodeSystems count those
	// of which nothing is left by URL, where that is public.
	Paths       map[string]int64 `json:"droppedPaths,omitempty"`
	Extensions  map[string]int64 `json:"droppedExtensions,omitempty"`
	CodeSystems map[string]int64 `json:"droppedCodeSystems,omitempty"`
}

// MaxDropped bounds each list of Drops; what is over is counted under "(more)".
const MaxDropped = 500

// AddDrops adds the drops of a file.
func (d *Drops) AddDrops(o Drops) {
	d.Paths = bound(addCounts(d.Paths, o.Paths))
	d.Extensions = bound(addCounts(d.Extensions, o.Extensions))
	d.CodeSystems = bound(addCounts(d.CodeSystems, o.CodeSystems))
}

// bound keeps the greatest counts, and sums up the others.
func bound(counts map[string]int64) map[string]int64 {
	if len(counts) <= MaxDropped {
		return counts
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	kept := make(map[string]int64, MaxDropped+1)
	for i, name := range names {
		if i >= MaxDropped || name == morePath {
			kept[morePath] += counts[name]
			continue
		}
		kept[name] = counts[name]
	}
	return kept
}

// Merge adds the details of one file to the totals of the run.
func (t *Totals) Merge(d Details) {
	for name, c := range d.Types {
		t.Type(name).Add(*c)
	}
	t.Methods = addCounts(t.Methods, d.Methods)
	t.Quarantine = addCounts(t.Quarantine, d.Quarantine)
	t.AddDrops(d.Drops)
	for _, f := range d.Findings {
		t.Findings = AddFinding(t.Findings, f)
	}
}

// Type returns the counts of a resource type, made on first use.
func (t *Totals) Type(name string) *Counts {
	if t.Types == nil {
		t.Types = make(map[string]*Counts)
	}
	c := t.Types[name]
	if c == nil {
		c = new(Counts)
		t.Types[name] = c
	}
	return c
}

// AddFinding adds f to the list, merging what is alike and bounding its length.
func AddFinding(list []Finding, f Finding) []Finding {
	for i := range list {
		if list[i].Severity == f.Severity && list[i].Class == f.Class && list[i].Path == f.Path {
			list[i].Count += f.Count
			return list
		}
	}
	if len(list) >= MaxFindings && f.Path != morePath {
		f.Path = morePath
		return AddFinding(list, f)
	}
	return append(list, f)
}

const morePath = "(more)"

func addCounts(into, from map[string]int64) map[string]int64 {
	if len(from) == 0 {
		return into
	}
	if into == nil {
		return maps.Clone(from)
	}
	for k, n := range from {
		into[k] += n
	}
	return into
}
