package main

import (
	"fmt"
	"sync"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/verify"
)

// makeChecks gathers what is checked of each line with its result: validity, as
// far as it is asked for, and the policy's claim, where it makes one.
func (w *work) makeChecks(p *policy.Policy) error {
	var checks []func(line int64, in, out []byte) error
	if w.o.validateInput || w.o.validateOutput {
		version, _ := fhirmodel.ParseVersion(w.o.version)
		model, err := fhirmodel.Load(version)
		if err != nil {
			return err
		}
		// A validator is used by one worker at a time.
		pool := &sync.Pool{New: func() any { return anonymize.NewValidator(model) }}
		if w.o.validateInput {
			checks = append(checks, func(line int64, in, _ []byte) error { return invalid(pool, "input", line, in) })
		}
		if w.o.validateOutput {
			checks = append(checks, func(line int64, _, out []byte) error { return invalid(pool, "output", line, out) })
		}
	}
	if p.Claim != policy.ClaimNone {
		paths, systems, extensions := p.Loosened()
		checker, err := verify.New(string(p.Claim), verify.Options{
			FHIRVersion: w.o.version, AsOf: w.o.at, Loosened: paths, CodeSystems: systems, Extensions: extensions,
		})
		if err != nil {
			return err
		}
		checks = append(checks, func(line int64, in, out []byte) error {
			for _, f := range checker.Check(line, in, out) {
				if f.Severity == verify.Hard {
					return &findingError{f}
				}
			}
			return nil
		})
	}
	if len(checks) == 0 {
		return nil
	}
	w.check = func(line int64, in, out []byte) error {
		begin := time.Now()
		defer func() { w.times.check.Add(int64(time.Since(begin))) }()
		for _, check := range checks {
			if err := check(line, in, out); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

// invalid is what is wrong with a resource, or nil.
func invalid(pool *sync.Pool, stage string, line int64, data []byte) error {
	v := pool.Get().(*anonymize.Validator)
	defer pool.Put(v)
	if issues := v.Validate(data); len(issues) > 0 {
		return &anonymize.InvalidError{Line: line, Stage: stage, Issues: issues}
	}
	return nil
}

// findingError keeps a line out of the result.
type findingError struct{ verify.Finding }

func (e *findingError) Error() string {
	return fmt.Sprintf("line %d: the verifier found %s at %s", e.Line, e.Class, e.Path)
}

// LineReason is the code under which the line is counted.
func (e *findingError) LineReason() string { return "verifier" }
