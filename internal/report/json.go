package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
)

//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (2020-12) of report.json.
func Schema() []byte { return bytes.Clone(schema) }

// JSON returns report.json.
func (r *Run) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(r.clean(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the report of run %s as JSON: %w", code(r.ID), err)
	}
	return append(data, '\n'), nil
}

// Read reads a report.json. Members of a later version of the same format are
// passed over. The error quotes nothing of the input.
func Read(src io.Reader) (*Run, error) {
	var r Run
	if err := json.NewDecoder(src).Decode(&r); err != nil {
		return nil, fmt.Errorf("this is not the report of a run: no JSON of that form")
	}
	if r.Format != Format {
		return nil, fmt.Errorf("this is not a report that this version can read: its format is not %s", Format)
	}
	return r.clean(), nil
}
