package report

import (
	"time"

	"fhirdeid/internal/links"
	"fhirdeid/internal/risk"
)

// Format names the form of report.json. It changes when a member changes its
// meaning or goes; a new member leaves it as it is.
const Format = "fhirdeid-run-report/1"

// Run is everything a report says. The JSON names are those of report.json.
// Times are instants in UTC; a zero time or number that is left out was not
// reached or not known.
type Run struct {
	// Format is set by JSON; a caller leaves it blank.
	Format string `json:"format"`
	// ID is the run's id, such as 20261122T010000Z.
	ID string `json:"id"`
	// Scope is the hash of what is exported; runs of one scope follow each other.
	Scope string `json:"scope,omitempty"`
	// DataSet is the research data set that the run belongs to.
	DataSet string `json:"dataSet,omitempty"`

	Outcome Outcome `json:"outcome"`
	// Reasons say why the run is held, failed or cancelled, or what a person
	// overruled to have it released.
	Reasons []Reason `json:"reasons,omitempty"`
	// Notes are passing faults that the run lived through.
	Notes []Note `json:"notes,omitempty"`
	// Orders are what people asked of the run, oldest first.
	Orders []Order `json:"orders,omitempty"`

	Policy Policy `json:"policy"`
	// Engine is the version of the program that de-identified.
	Engine string `json:"engine,omitempty"`
	// FHIRVersion is that of the data.
	FHIRVersion string `json:"fhirVersion,omitempty"`
	// Generation names policies, keys, data set and FHIR version: ids of one
	// generation join with each other, and with no other's. NewGeneration says that
	// this release is the first of it, and there was another before.
	Generation    string `json:"generation,omitempty"`
	NewGeneration bool   `json:"newGeneration,omitempty"`
	// Keys are the key versions used, by their public fingerprints.
	Keys []Key `json:"keys,omitempty"`
	// AsOf is the instant at which ages were counted.
	AsOf time.Time `json:"asOf,omitzero"`

	// Server is the origin of the FHIR server: scheme, host and port.
	Server string `json:"server,omitempty"`
	// Level is what was exported: system, patient or group.
	Level string `json:"level,omitempty"`
	// TransactionTime is the server's own instant of the exported state.
	TransactionTime time.Time `json:"transactionTime,omitzero"`

	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	// Stages are in the order in which they were entered.
	Stages []Stage `json:"stages,omitempty"`
	// Timings say how long the parts of the work took. Those of fetching and
	// de-identifying overlap.
	Timings []Timing `json:"timings,omitempty"`

	Totals Counts `json:"totals"`
	// Types are the counts of each resource type, in the order to be shown.
	Types []Type `json:"types,omitempty"`
	// Mismatched counts outputs whose lines differ from the manifest's count.
	Mismatched int `json:"mismatched,omitempty"`
	// Methods counts what was done to elements, by method of the policy.
	Methods map[string]int64 `json:"methods,omitempty"`
	// DroppedPaths counts values of written lines that were dropped, by element
	// path; "(more)" are those beyond the list.
	DroppedPaths map[string]int64 `json:"droppedPaths,omitempty"`
	// DroppedExtensions and DroppedCodeSystems count extensions and codings of
	// which nothing was kept, by URL where that is public; others are "others", and
	// "none" are those without.
	DroppedExtensions  map[string]int64 `json:"droppedExtensions,omitempty"`
	DroppedCodeSystems map[string]int64 `json:"droppedCodeSystems,omitempty"`
	// Risk says how well patients hide among others; left out where there are none.
	Risk *Risk `json:"risk,omitempty"`
	// Links says which references lead nowhere; left out where that was not
	// counted, as in a very large run.
	Links *links.Summary `json:"links,omitempty"`
	// Quarantine counts the lines kept back, by reason code; QuarantineAllowed
	// is how many a release may leave out.
	Quarantine        map[string]int64 `json:"quarantine,omitempty"`
	QuarantineAllowed int64            `json:"quarantineAllowed"`
	// Findings are those of the verifier, counted by severity, class and path.
	Findings []Finding `json:"findings,omitempty"`
	// FailedFiles counts files that could not be processed, by reason code.
	FailedFiles map[string]int `json:"failedFiles,omitempty"`

	// ServerErrors counts what the server says went wrong in its export, by
	// severity of the OperationOutcome issue.
	ServerErrors map[string]int64 `json:"serverErrors,omitempty"`
	// ErrorOutputs and DeletedOutputs count the manifest's entries of those lists.
	ErrorOutputs   int `json:"errorOutputs,omitempty"`
	DeletedOutputs int `json:"deletedOutputs,omitempty"`

	// Files are the released files.
	Files []File `json:"files,omitempty"`
}

// Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	Released  Outcome = "released"  // visible to researchers, whole
	Held      Outcome = "held"      // complete, but it waits for a person
	Failed    Outcome = "failed"    // it could not be completed
	Cancelled Outcome = "cancelled" // a person ended it
)

// Reason is a sentence for people behind a code for programs.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
	// Hard marks a reason that nobody may overrule.
	Hard bool `json:"hard,omitempty"`
}

// Note is a passing fault; Times counts repeats, 0 and 1 both meaning once.
type Note struct {
	At    time.Time `json:"at"`
	Code  string    `json:"code"`
	Text  string    `json:"text"`
	Times int       `json:"times,omitempty"`
}

// Order is what a person asked of the run.
type Order struct {
	Kind   string    `json:"kind"`
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// Policy names the rules of the run. Hash is the hex SHA-256 of the rule file.
type Policy struct {
	Name string `json:"name"`
	Hash string `json:"hash,omitempty"`
	// Claim is what the policy says its result is: safe-harbor,
	// limited-data-set, or none, for which nothing is verified.
	Claim string `json:"claim"`
	// Extends is the built-in profile that it extends, or "".
	Extends string `json:"extends,omitempty"`
	// Loosened are the paths at which a built-in profile was loosened, each with
	// the reason given.
	Loosened []Loosening `json:"loosened,omitempty"`
}

// ClaimNone is the claim of a policy that claims nothing.
const ClaimNone = "none"

// Verified reports whether the result was held against a claim.
func (p Policy) Verified() bool { return p.Claim != "" && p.Claim != ClaimNone }

// Loosening is a place where a policy keeps more than the profile it extends, by
// the method named.
type Loosening struct {
	Path   string `json:"path"`
	Method string `json:"method,omitempty"`
	Reason string `json:"reason"`
}

// Risk is how large the cells are: groups of patients with the same combination of
// quasi-identifiers. It has sizes only.
type Risk struct {
	QuasiIdentifiers []string `json:"quasiIdentifiers"`
	risk.Summary
}

// Timing is how long a part of the work took, and how much data went through.
type Timing struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	// Bytes is what went through it, where that is known.
	Bytes int64 `json:"bytes,omitempty"`
	// BytesPerSecond is Bytes by Seconds.
	BytesPerSecond int64 `json:"bytesPerSecond,omitempty"`
}

// Key is a version of a key. ID is a public fingerprint that tells nothing of
// the key.
type Key struct {
	Purpose string `json:"purpose"`
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
	ID      string `json:"id"`
}

// Stage is a part of the run's life and how long it took.
type Stage struct {
	Name    string    `json:"name"`
	Entered time.Time `json:"entered"`
	Seconds float64   `json:"seconds"`
}

// Counts account for lines: Lines = Written + Dropped + Quarantined.
type Counts struct {
	// Outputs are the manifest's entries, Files the pieces they were cut into;
	// left out where they are not counted.
	Outputs int `json:"outputs,omitempty"`
	Files   int `json:"files,omitempty"`
	// Expected is the sum of the manifest's counts, where Counted says that
	// all outputs had one; a manifest need not give any.
	Expected int64 `json:"expected,omitempty"`
	Counted  bool  `json:"counted,omitempty"`

	Lines       int64 `json:"lines"`
	Written     int64 `json:"written"`
	Dropped     int64 `json:"dropped"`     // whole, by the policy
	Quarantined int64 `json:"quarantined"` // could not be processed, or not be shown clean
	// Duplicates counts resources that the server sent more than once; they are
	// kept.
	Duplicates int64 `json:"duplicates,omitempty"`
	BytesIn    int64 `json:"bytesIn"`
	BytesOut   int64 `json:"bytesOut"`
}

// Balanced reports whether every line is accounted for.
func (c Counts) Balanced() bool { return c.Lines == c.Written+c.Dropped+c.Quarantined }

// Type are the counts of one resource type.
type Type struct {
	Name string `json:"name"`
	Counts
}

// Finding counts the verifier's findings that are alike.
type Finding struct {
	Severity string `json:"severity"` // hard or soft
	Class    string `json:"class"`
	Path     string `json:"path"`
	Count    int64  `json:"count"`
}

// File is a released file. Name is relative to the release.
type File struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Lines  int64  `json:"lines"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}
