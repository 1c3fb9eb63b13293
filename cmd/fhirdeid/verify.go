package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fhirdeid/internal/settings"
	"fhirdeid/internal/verify"
)

func verifyCommand() *cobra.Command {
	var claim, asOf, version, policyName string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify FILE|FOLDER...",
		Short: "Look for leaks in de-identified NDJSON files, whoever has made them",
		Long: `verify holds de-identified FHIR data against a claim, whoever has made it: each
element must be of a kind that the claim allows there. It looks at the result
alone, so it cannot tell that an identifier of the input has come through where a
code may be; a run does that too.

With --policy the claim is that policy's, and what it lets pass with a reason does
not break it.

Files are NDJSON, plain or compressed by gzip or zstd; of a folder all of them are
read. Findings are told by class and element path; no value is shown.

Exit codes: 0 the data holds the claim; 3 it does not; 1 it could not be read; 2
the call's words are off.`,
		Example: `  fhirdeid verify --claim safe-harbor released/20261122T010000Z
  fhirdeid verify --policy ours.json deid
  fhirdeid verify --claim limited-data-set --fhir-version R5 --json Patient.ndjson.gz`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			at := time.Now()
			if asOf != "" {
				var err error
				if at, err = settings.ParseTime(asOf); err != nil {
					return &codeError{exitUsage, fmt.Errorf("--as-of is %w", err)}
				}
			}
			options := verify.Options{FHIRVersion: version, AsOf: at}
			if policyName != "" {
				p, err := readPolicy(policyName, "")
				if err != nil {
					return err
				}
				claim = string(p.Claim)
				options.Loosened, options.CodeSystems, options.Extensions = p.Loosened()
			}
			c, err := verify.New(claim, options)
			if err != nil {
				return &codeError{exitUsage, err}
			}
			v := &verification{Claim: claim, FHIRVersion: strings.ToUpper(version), AsOf: at.UTC().Format(time.DateOnly), checker: c}
			for _, path := range args {
				if err := v.walk(path); err != nil {
					return err
				}
			}
			if v.Files == 0 {
				return errors.New("there are no NDJSON files")
			}
			return v.tell(cmd.OutOrStdout(), asJSON)
		},
	}
	cmd.Flags().StringVar(&claim, "claim", verify.SafeHarbor, "the claim to hold the data against: safe-harbor or limited-data-set")
	cmd.Flags().StringVar(&policyName, "policy", "", "the policy that the data was made by, instead of a claim")
	cmd.MarkFlagsMutuallyExclusive("claim", "policy")
	cmd.Flags().StringVar(&asOf, "as-of", "", "instant at which ages are counted; default: now")
	cmd.Flags().StringVar(&version, "fhir-version", "R4", "FHIR version of the data: STU3, R4, R4B or R5")
	cmd.Flags().BoolVar(&asJSON, "json", false, "tell the findings as JSON")
	return cmd
}

// verification is what has been found so far, and how it is told as JSON.
type verification struct {
	Claim       string `json:"claim"`
	FHIRVersion string `json:"fhirVersion"`
	AsOf        string `json:"asOf"`
	// Holds says that no line breaks the claim.
	Holds    bool           `json:"holds"`
	Files    int64          `json:"files"`
	Lines    int64          `json:"lines"`
	Bad      int64          `json:"linesWithHardFinding"`
	Findings []*findingKind `json:"findings"`

	checker *verify.Checker
	kinds   map[findingKey]*findingKind
}

type findingKey struct {
	severity    verify.Severity
	class, path string
}

// findingKind is all findings of a class at a path, and where the first is.
type findingKind struct {
	Severity string `json:"severity"`
	Class    string `json:"class"`
	Path     string `json:"path"`
	Count    int64  `json:"count"`
	// File and Line are where it is first seen.
	File string `json:"file"`
	Line int64  `json:"line"`
}

// walk verifies a file, or the NDJSON files of a folder.
func (v *verification) walk(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path != root && !isNDJSON(path) {
			return err
		}
		v.Files++
		return eachLine(path, func(n int64, line []byte) { v.line(path, n, line) })
	})
}

func (v *verification) line(path string, n int64, line []byte) {
	v.Lines++
	hard := false
	for _, f := range v.checker.Check(n, nil, line) {
		hard = hard || f.Severity == verify.Hard
		key := findingKey{f.Severity, f.Class, f.Path}
		kind := v.kinds[key]
		if kind == nil {
			kind = &findingKind{Severity: f.Severity.String(), Class: f.Class, Path: f.Path, File: path, Line: n}
			if v.kinds == nil {
				v.kinds = make(map[findingKey]*findingKind)
			}
			v.kinds[key] = kind
			v.Findings = append(v.Findings, kind)
		}
		kind.Count++
	}
	if hard {
		v.Bad++
	}
}

// eachLine goes through the lines of a file. A file whose name says that it is
// JSON is one line.
func eachLine(path string, visit func(n int64, line []byte)) error {
	in, err := openInput(path)
	if err != nil {
		return err
	}
	defer in.Close()
	if isJSON(path) {
		whole, err := io.ReadAll(in)
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		visit(1, bytes.TrimSpace(whole))
		return nil
	}
	r := bufio.NewReaderSize(in, 1<<20)
	for n := int64(1); ; n++ {
		line, err := r.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			visit(n, line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
	}
}

// tell writes what was found; the error is that the claim does not hold.
func (v *verification) tell(out io.Writer, asJSON bool) error {
	v.Holds = v.Bad == 0
	if asJSON {
		if v.Findings == nil {
			v.Findings = []*findingKind{}
		}
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		if err := e.Encode(v); err != nil {
			return fmt.Errorf("writing the findings: %w", err)
		}
	} else {
		v.text(out)
	}
	if !v.Holds {
		return &codeError{exitBadLines, fmt.Errorf("%d of %d lines break the claim %s", v.Bad, v.Lines, v.Claim)}
	}
	return nil
}
