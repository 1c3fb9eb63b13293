package pipeline

import (
	"fmt"
	"sync"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/links"
	"fhirdeid/internal/risk"
	"fhirdeid/internal/verify"
)

// watch collects what the verifier finds in one file. A line with a hard
// finding is kept out of the output: it goes to quarantine, and the run is held.
type watch struct {
	checker *verify.Checker // nil: the policy claims nothing
	alone   bool            // the line is its own input, which it cannot be compared with
	cells   *risk.Rows      // nil: nothing is counted of patients
	links   *links.File

	mu         sync.Mutex
	hard, soft int64
	findings   []ledger.Finding
}

// leakError is why a line was kept back. It names class and path, never a value.
type leakError struct{ class, path string }

func (e *leakError) Error() string {
	return fmt.Sprintf("the verifier found %s at %s", e.class, e.path)
}

// LineReason is the code under which the engine counts a line kept back.
func (e *leakError) LineReason() string { return "verifier" }

// check is called for every line, by several workers at once.
func (w *watch) check(line int64, in, out []byte) error {
	err := w.verify(line, in, out)
	if err != nil {
		return err
	}
	if w.cells != nil {
		w.cells.Add(out)
	}
	w.links.Add(out)
	return nil
}

func (w *watch) verify(line int64, in, out []byte) error {
	if w.checker == nil {
		return nil
	}
	if w.alone {
		in = nil
	}
	findings := w.checker.Check(line, in, out)
	if len(findings) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var leak error
	for _, f := range findings {
		severity := "soft"
		if f.Severity == verify.Hard {
			severity = "hard"
			w.hard++
			if leak == nil {
				leak = &leakError{class: f.Class, path: f.Path}
			}
		} else {
			w.soft++
		}
		w.findings = ledger.AddFinding(w.findings, ledger.Finding{Severity: severity, Class: f.Class, Path: f.Path, Count: 1})
	}
	return leak
}
