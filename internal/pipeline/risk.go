package pipeline

import (
	"context"
	"fmt"
	"strings"

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
	var files []fileRows
	var rows int64
	for f := range b.resultsOf(v) {
		if n := f.result.Patients; n > 0 {
			files = append(files, f)
			rows += n
		}
	}
	if b.run.Risk == nil || rows == 0 {
		return nil, nil
	}
	tally := risk.NewTally(rows)
	for tally.Pass() {
		err := b.eachRows(ctx, ledger.Cells, files, func(f fileRows, data []byte) error {
			n, err := tally.Add(data)
			if err == nil && n != f.result.Patients {
				err = fmt.Errorf("they are %d rows, and %d were counted", n, f.result.Patients)
			}
			return err
		})
		if err != nil {
			return nil, err
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
