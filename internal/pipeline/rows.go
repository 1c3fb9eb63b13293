package pipeline

import (
	"context"
	"fmt"
	"iter"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/links"
)

// rows are what the ledger keeps of a file until it is counted over all files.
func (r *result) rows() map[ledger.Rows][]byte {
	rows := make(map[ledger.Rows][]byte)
	if r.Patients > 0 {
		rows[ledger.Cells] = r.Cells
	}
	if r.Links != nil {
		rows[ledger.Links] = r.Links
	}
	return rows
}

// fileRows is a file of the run with its result.
type fileRows struct {
	name   string
	result *result
}

// resultsOf goes through the results of the run's outputs.
func (b *beat) resultsOf(v *survey) iter.Seq[fileRows] {
	return func(yield func(fileRows) bool) {
		for index := range v.fetched[:b.run.Manifest.Outputs] {
			f := &v.fetched[index]
			for piece := range f.results {
				name := rawFile{Run: b.run.ID, Type: f.summary.Type, Output: index, Attempt: f.summary.Attempt, Piece: piece}
				if !yield(fileRows{detailsKey(name.String()), &f.results[piece]}) {
					return
				}
			}
		}
	}
}

// eachRows reads the rows of files, some at once, and hands them on in order.
func (b *beat) eachRows(ctx context.Context, kind ledger.Rows, files []fileRows, do func(f fileRows, rows []byte) error) error {
	parallel := max(b.CopyParallel, 1)
	for start := 0; start < len(files); start += parallel {
		batch := files[start:min(start+parallel, len(files))]
		read := make([][]byte, len(batch))
		places := make([]int, len(batch))
		for i := range places {
			places[i] = i
		}
		err := together(ctx, places, func(ctx context.Context, i int) (err error) {
			read[i], err = b.ledger().Rows(ctx, b.run.ID, kind, batch[i].name)
			return err
		})
		if err != nil {
			return err
		}
		for i, rows := range read {
			if err := do(batch[i], rows); err != nil {
				return fmt.Errorf("counting the %s of file %s: %w", kind, batch[i].name, err)
			}
		}
	}
	return nil
}

// A run is counted in one step of the heartbeat, in memory: beyond so many
// resources (128 MB) or files (some minutes) its references are not.
const (
	maxLinked      = 1 << 24
	maxLinkedFiles = 20_000
)

// countLinks counts the references that lead nowhere, over all files of the run.
// It is nil where the run is too large for that.
func (b *beat) countLinks(ctx context.Context, v *survey) (*links.Summary, error) {
	var files []fileRows
	var resources int64
	for f := range b.resultsOf(v) {
		if f.result.Linked >= 0 {
			files = append(files, f)
			resources += f.result.Linked
		}
	}
	if resources > maxLinked || len(files) > maxLinkedFiles {
		return nil, nil
	}
	tally := new(links.Tally)
	err := b.eachRows(ctx, ledger.Links, files, func(_ fileRows, rows []byte) error { return tally.Resources(rows) })
	if err != nil {
		return nil, err
	}
	err = b.eachRows(ctx, ledger.Links, files, func(_ fileRows, rows []byte) error { return tally.References(rows) })
	return &tally.Summary, err
}

// deleteRows deletes the rows of the run's files.
func (b *beat) deleteRows(ctx context.Context, until time.Time) (done bool, err error) {
	return b.deletePrefix(ctx, until, b.Stores.Ledger, ledger.RowsPrefix(b.run.ID))
}
