package pipeline

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/risk"
)

// maxSmallCells bounds the list of combinations that few patients have.
const maxSmallCells = 1000

// riskReader makes what reads a run's quasi-identifiers. A path that Patients of
// the FHIR version do not have would count nothing, and is refused.
func riskReader(run *ledger.Run, model *fhirmodel.Model) (*risk.Reader, error) {
	if run.Risk == nil {
		return nil, nil // a run that an earlier version began
	}
	for _, name := range run.Risk.QuasiIdentifiers {
		if err := checkPath(model, name); err != nil {
			return nil, err
		}
	}
	return risk.NewReader(run.Risk.QuasiIdentifiers)
}

// checkPath checks a quasi-identifier that is an element path.
func checkPath(model *fhirmodel.Model, path string) error {
	first, rest, isPath := strings.Cut(path, ".")
	typ := model.ResourceType([]byte(first))
	if !isPath || typ == nil {
		return nil
	}
	for step := range strings.SplitSeq(rest, ".") {
		elem := typ.Member([]byte(step))
		if elem == nil {
			return fmt.Errorf("the quasi-identifier %q: FHIR %s has no member %q there", path, model.Version, step)
		}
		typ = elem.Type
	}
	if !typ.Kind.Primitive() {
		return fmt.Errorf("the quasi-identifier %q has members of its own; name one of them", path)
	}
	return nil
}

// measureRisk counts the run's patients by combination, from the rows of all its
// files, and writes down which combinations are small.
func (b *beat) measureRisk(ctx context.Context, v *survey) (*risk.Summary, error) {
	type file struct {
		name string
		rows int64
	}
	var files []file
	var rows int64
	for index := range v.fetched[:b.run.Manifest.Outputs] {
		f := &v.fetched[index]
		for piece := range f.results {
			if n := f.results[piece].Patients; n > 0 {
				name := rawFile{Run: b.run.ID, Type: f.summary.Type, Output: index, Attempt: f.summary.Attempt, Piece: piece}
				files = append(files, file{detailsKey(name.String()), n})
				rows += n
			}
		}
	}
	if b.run.Risk == nil || rows == 0 {
		return nil, nil
	}
	tally := risk.NewTally(rows)
	parallel := max(b.CopyParallel, 1)
	for tally.Pass() {
		for start := 0; start < len(files); start += parallel {
			batch := files[start:min(start+parallel, len(files))]
			read := make([][]byte, len(batch))
			indices := make([]int, len(batch))
			for i := range indices {
				indices[i] = i
			}
			err := together(ctx, indices, func(ctx context.Context, i int) (err error) {
				read[i], err = b.ledger().Cells(ctx, b.run.ID, batch[i].name)
				return err
			})
			if err != nil {
				return nil, err
			}
			for i, data := range read {
				n, err := tally.Add(data)
				if err == nil && n != batch[i].rows {
					err = fmt.Errorf("they are %d rows, and %d were counted", n, batch[i].rows)
				}
				if err != nil {
					return nil, fmt.Errorf("counting the cells of file %s: %w", batch[i].name, err)
				}
			}
		}
	}
	s := tally.Summary(b.run.Risk.K, b.run.Risk.MinimumCell)
	below := max(s.K, s.Minimum)
	small := ledger.SmallCells{QuasiIdentifiers: b.run.Risk.QuasiIdentifiers, Below: below, Cells: tally.Small(below, maxSmallCells)}
	small.Count = max(s.CellsBelowK, s.CellsBelowMinimum)
	return &s, b.ledger().PutSmallCells(ctx, b.run.ID, small)
}

// smallCells is why a policy's minimum holds a run.
func smallCells(run *ledger.Run, s *risk.Summary) ledger.Reason {
	return reason("small-cells", "The policy's risk.minimumCell asks for at least %d patients for each combination of %s. The smallest has %d; %d of %d combinations are smaller, with %d of %d patients. They are listed in the ledger, %s. Make them coarser in the policy (or drop one of the elements), export more patients, or lower the minimum and order a new run.",
		s.Minimum, strings.Join(run.Risk.QuasiIdentifiers, ", "), s.Smallest, s.CellsBelowMinimum, s.Cells, s.PatientsBelowMinimum, s.Patients, ledger.SmallCellsName(run.ID))
}

// deleteCells deletes the rows of the run's patients.
func (b *beat) deleteCells(ctx context.Context, until time.Time) (done bool, err error) {
	return b.deletePrefix(ctx, until, b.Stores.Ledger, ledger.CellsPrefix(b.run.ID))
}
