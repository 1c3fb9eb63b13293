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

// PutCells writes the rows of a file's patients. The same file done twice has the
// same rows, so they may be written again.
func (l *Ledger) PutCells(ctx context.Context, run, file string, rows []byte) error {
	if _, err := l.c.Put(ctx, CellsPrefix(run)+file, rows, storage.PutOptions{ContentType: "text/plain"}); err != nil {
		return fmt.Errorf("writing the cells of file %s: %w", file, err)
	}
	return nil
}

// Cells reads the rows of a file's patients.
func (l *Ledger) Cells(ctx context.Context, run, file string) ([]byte, error) {
	rows, _, err := l.c.Get(ctx, CellsPrefix(run)+file)
	if err != nil {
		return nil, fmt.Errorf("reading the cells of file %s: %w", file, err)
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

// CellsPrefix is what the names of a run's rows begin with, in the ledger
// container.
func CellsPrefix(run string) string { return "runs/" + run + "/cells/" }

// SmallCellsName is the name of a run's small cells in the ledger container.
func SmallCellsName(run string) string { return "runs/" + run + "/small-cells.json" }
