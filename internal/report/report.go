// Package report says what has come of a run: report.json for programs,
// report.html for people. Neither has a value from the data in it.
package report

import (
	"encoding/json"
	"time"
)

// Report is all that a run tells. It is the schema of report.json.
type Report struct {
	// Outcome is the first thing to read: what has come of the run, in a
	// sentence. Where the policy claims nothing it says so.
	Outcome string `json:"outcome"`
	Run     string `json:"run"`
	// State is released, held, failed or cancelled.
	State string `json:"state"`
	// Reasons say why a run is not released, and what to do.
	Reasons []Reason `json:"reasons,omitempty"`

	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Stages   []Stage   `json:"stages,omitempty"`
	Server   string    `json:"server"`
	Level    string    `json:"level"`
	DataSet  string    `json:"dataSet"`
	AsOf     time.Time `json:"asOf"`
	Engine   string    `json:"engine"`
	Policy   Policy    `json:"policy"`
	Keys     []Key     `json:"keys,omitempty"`
	Verified bool      `json:"verified"`

	Totals Counts `json:"totals"`
	Types  []Type `json:"types,omitempty"`
	// Methods counts values by what was done to them; "unlisted" was dropped
	// since no rule reached it.
	Methods []Count `json:"methods,omitempty"`
	// Quarantine counts lines left out, by reason.
	Quarantine []Count   `json:"quarantine,omitempty"`
	Findings   []Finding `json:"findings,omitempty"`
	// ServerErrors counts what the server reported of its own export.
	ServerErrors []Count `json:"serverErrors,omitempty"`
	Mismatched   int     `json:"mismatchedOutputs,omitempty"`
	Files        []File  `json:"files,omitempty"`
	Notes        []Note  `json:"notes,omitempty"`
	Orders       []Order `json:"orders,omitempty"`
}

// Reason is why a run ended as it did.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Stage is when a stage was entered.
type Stage struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

// Policy names the rules.
type Policy struct {
	Name  string `json:"name"`
	Hash  string `json:"hash"`
	Claim string `json:"claim"`
}

// Key is a key version, by its public fingerprint.
type Key struct {
	Purpose string `json:"purpose"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	ID      string `json:"id"`
}

// Counts account for every line: read = written + dropped + quarantined.
type Counts struct {
	Outputs     int   `json:"outputs,omitempty"`
	Files       int   `json:"files,omitempty"`
	Expected    int64 `json:"expected,omitempty"` // by the server's manifest
	Lines       int64 `json:"lines"`
	Written     int64 `json:"written"`
	Dropped     int64 `json:"dropped"`
	Quarantined int64 `json:"quarantined"`
	Duplicates  int64 `json:"duplicates,omitempty"`
	BytesIn     int64 `json:"bytesIn"`
	BytesOut    int64 `json:"bytesOut"`
}

// Type are the counts of one resource type.
type Type struct {
	Name string `json:"name"`
	Counts
}

// Count is a number of something named.
type Count struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Finding counts places where the verifier objected.
type Finding struct {
	Severity string `json:"severity"`
	Class    string `json:"class"`
	Path     string `json:"path"`
	Count    int64  `json:"count"`
}

// File is one file of the release.
type File struct {
	Name   string `json:"name"`
	Lines  int64  `json:"lines"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Note is a fault that the run lived through.
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

// JSON writes report.json.
func (r *Report) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}
