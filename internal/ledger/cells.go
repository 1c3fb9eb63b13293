package ledger

import (
	"context"
	"fmt"

	"fhirdeid/internal/risk"
	"fhirdeid/internal/storage"
)

// Risk says what is counted of a run's patients; see package risk. It is copied
// from the policy at the start.
type Risk struct {
	QuasiIdentifiers []string `json:"quasiIdentifiers"`
	K                int      `json:"k"`
	MinimumCell      int      `json:"minimumCell,omitempty"`
}

// SmallCells lists the combinations of quasi-identifiers that few patients have.
// They may point at a person: they stay in the ledger.
type SmallCells struct {
	QuasiIdentifiers []string `json:"quasiIdentifiers"`
	// Below is the size that they are smaller than; Count is how many there are,
	// of which Cells lists the smallest.
	Below int64       `json:"below"`
	Count int64       `json:"count"`
	Cells []risk.Cell `json:"cells"`
}

// Rows names what is kept of each file until it is counted over the whole run.
type Rows string

// The kinds of rows.
const (
	Cells Rows = "cells" // a row for each patient; see package risk
	Links Rows = "links" // what is there, and what leads where; see package links
)

// PutRows writes rows of a file. The same file done twice has the same rows, so
// they may be written again.
func (l *Ledger) PutRows(ctx context.Context, run string, kind Rows, file string, rows []byte) error {
	if _, err := l.c.Put(ctx, RowsPrefix(run)+string(kind)+"/"+file, rows, storage.PutOptions{ContentType: "application/octet-stream"}); err != nil {
		return fmt.Errorf("writing the %s of file %s: %w", kind, file, err)
	}
	return nil
}

// Rows reads rows of a file.
func (l *Ledger) Rows(ctx context.Context, run string, kind Rows, file string) ([]byte, error) {
	rows, _, err := l.c.Get(ctx, RowsPrefix(run)+string(kind)+"/"+file)
	if err != nil {
		return nil, fmt.Errorf("reading the %s of file %s: %w", kind, file, err)
	}
	return rows, nil
}

// PutSmallCells writes down the small cells of a run.
func (l *Ledger) PutSmallCells(ctx context.Context, run string, s SmallCells) error {
	if _, err := l.put(ctx, SmallCellsName(run), s, storage.PutOptions{}); err != nil {
		return fmt.Errorf("writing the small cells of run %s: %w", run, err)
	}
	return nil
}

// RowsPrefix is what the names of a run's rows begin with, in the ledger container.
func RowsPrefix(run string) string { return "runs/" + run + "/rows/" }

// SmallCellsName is the name of a run's small cells in the ledger container.
func SmallCellsName(run string) string { return "runs/" + run + "/small-cells.json" }
