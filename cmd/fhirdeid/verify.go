package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"fhirdeid/internal/settings"
	"fhirdeid/internal/verify"
)

func verifyCommand() *cobra.Command {
	var claim, asOf, version string
	cmd := &cobra.Command{
		Use:     "verify FILE|FOLDER...",
		Short:   "Look for leaks in de-identified NDJSON files, whoever has made them",
		Example: `  fhirdeid verify --claim safe-harbor released/20261122T010000Z`,
		Args:    usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			at := time.Now()
			if asOf != "" {
				var err error
				if at, err = settings.ParseTime(asOf); err != nil {
					return &codeError{exitUsage, fmt.Errorf("--as-of is %w", err)}
				}
			}
			c, err := verify.New(claim, verify.Options{FHIRVersion: version, AsOf: at})
			if err != nil {
				return &codeError{exitUsage, err}
			}
			return verifyAll(cmd.OutOrStdout(), c, args)
		},
	}
	cmd.Flags().StringVar(&claim, "claim", verify.SafeHarbor, "the claim to hold the data against")
	cmd.Flags().StringVar(&asOf, "as-of", "", "instant at which ages are counted; default: now")
	cmd.Flags().StringVar(&version, "fhir-version", "R4", "FHIR version of the data")
	return cmd
}

// verifyAll prints each kind of finding with where it is first seen.
func verifyAll(out io.Writer, c *verify.Checker, paths []string) error {
	type kind struct {
		severity    verify.Severity
		class, path string
	}
	counts := make(map[kind]int64)
	var lines, bad, files int64
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path != root && !isNDJSON(path) {
				return err
			}
			files++
			return eachLine(path, func(n int64, line []byte) {
				lines++
				hard := false
				for _, f := range c.Check(n, nil, line) {
					k := kind{f.Severity, f.Class, f.Path}
					if counts[k] == 0 {
						fmt.Fprintf(out, "%s  %-16s %s  (%s, line %d)\n", f.Severity, f.Class, f.Path, path, n)
					}
					counts[k]++
					hard = hard || f.Severity == verify.Hard
				}
				if hard {
					bad++
				}
			})
		})
		if err != nil {
			return err
		}
	}
	if files == 0 {
		return errors.New("there are no NDJSON files")
	}
	fmt.Fprintf(out, "%d files, %d lines, %d with a hard finding, %d kinds of findings\n", files, lines, bad, len(counts))
	if bad > 0 {
		return &codeError{exitBadLines, fmt.Errorf("%d of %d lines break the claim", bad, lines)}
	}
	return nil
}

func eachLine(path string, visit func(n int64, line []byte)) error {
	in, err := openInput(path)
	if err != nil {
		return err
	}
	defer in.Close()
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
