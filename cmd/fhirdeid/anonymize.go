package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"fhirdeid/anonymize"
	"fhirdeid/internal/verify"
)

// anonymizeOptions are the flags of `fhirdeid anonymize`. The short ones are
// those of Microsoft's tool.
type anonymizeOptions struct {
	engineOptions
	in, out    string
	quarantine string
	recursive  bool
	skip       bool
	jobs       int
	quiet      bool
}

func anonymizeCommand() *cobra.Command {
	var o anonymizeOptions
	cmd := &cobra.Command{
		Use:   "anonymize",
		Short: "De-identify NDJSON files, or standard input",
		Long: `De-identify FHIR resources, one a line (NDJSON). Without --input it works from
standard input to standard output. Names that end in .gz are compressed by gzip,
in .zst by zstd; a result has the name and compression of its input.

A line that cannot be processed is left out: it goes to the quarantine file, if
one is named, and ends the command with exit code 3. Where the policy makes a
claim, each line is verified, and one with a finding is left out as well.`,
		Example: `  fhirdeid anonymize -c safe-harbor <Patient.ndjson >Patient.deid.ndjson
  fhirdeid anonymize -c rules.json -i export -o deid --quarantine bad.ndjson`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVarP(&o.policy, "config", "c", "safe-harbor", "policy: a built-in profile, or a rule file")
	f.StringVarP(&o.in, "input", "i", "", "file or folder with NDJSON; default: standard input")
	f.StringVarP(&o.out, "output", "o", "", "file or folder for the results; default: standard output")
	f.BoolVarP(&o.recursive, "recursive", "r", false, "sub-folders too")
	f.BoolVarP(&o.skip, "skip", "s", false, "leave out files whose result is there already")
	f.StringVar(&o.quarantine, "quarantine", "", "file for the lines that could not be processed, as they came")
	f.StringVar(&o.asOf, "as-of", "", "instant at which ages are counted, such as 2026-11-22; default: now")
	f.StringVar(&o.version, "fhir-version", "R4", "FHIR version where the policy names none")
	f.StringVar(&o.dataSet, "data-set", "default", "research data set that strict policies derive keys for")
	f.IntVar(&o.jobs, "jobs", 0, "workers; 0: one per CPU")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no summary")
	return cmd
}

func (o *anonymizeOptions) run(cmd *cobra.Command) error {
	e, checker, err := o.compile()
	if err != nil {
		return err
	}
	for _, w := range e.Policy().Warnings() {
		fmt.Fprintln(cmd.ErrOrStderr(), "warning:", w)
	}
	q := &quarantine{path: o.quarantine}
	total, err := o.all(cmd.Context(), cmd, e, checker, q)
	if err = errors.Join(err, q.close()); err != nil {
		return err
	}
	if !o.quiet {
		summarise(cmd.ErrOrStderr(), total)
	}
	if total.Rejected > 0 {
		return &codeError{exitBadLines, fmt.Errorf("%d of %d lines were left out", total.Rejected, total.Lines)}
	}
	return nil
}

// all works on standard input, a file or a folder.
func (o *anonymizeOptions) all(ctx context.Context, cmd *cobra.Command, e *anonymize.Engine, checker *verify.Checker, q *quarantine) (anonymize.Stats, error) {
	if o.in == "" {
		if o.out != "" {
			return o.toFile(ctx, e, checker, q, "", cmd.InOrStdin(), o.out)
		}
		return o.stream(ctx, e, checker, q, "", cmd.OutOrStdout(), cmd.InOrStdin())
	}
	info, err := os.Stat(o.in)
	if err != nil {
		return anonymize.Stats{}, fmt.Errorf("looking at the input: %w", err)
	}
	if !info.IsDir() {
		if o.out == "" {
			in, err := openInput(o.in)
			if err != nil {
				return anonymize.Stats{}, err
			}
			defer in.Close()
			return o.stream(ctx, e, checker, q, o.in, cmd.OutOrStdout(), in)
		}
		return o.file(ctx, e, checker, q, o.in, o.out)
	}
	if o.out == "" {
		return anonymize.Stats{}, &codeError{exitUsage, errors.New("a folder needs --output")}
	}
	if same, err := samePath(o.in, o.out); err != nil || same {
		return anonymize.Stats{}, errors.Join(err, &codeError{exitUsage, errors.New("input and output are the same folder")})
	}
	return o.folder(ctx, cmd, e, checker, q)
}

func samePath(a, b string) (bool, error) {
	x, err1 := filepath.Abs(a)
	y, err2 := filepath.Abs(b)
	return x == y, errors.Join(err1, err2)
}

// folder works on all NDJSON files of a folder, in the order of their names.
func (o *anonymizeOptions) folder(ctx context.Context, cmd *cobra.Command, e *anonymize.Engine, checker *verify.Checker, q *quarantine) (total anonymize.Stats, err error) {
	found := 0
	err = filepath.WalkDir(o.in, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != o.in && !o.recursive {
				return fs.SkipDir
			}
			return nil
		}
		if !isNDJSON(path) {
			return nil
		}
		found++
		rel, err := filepath.Rel(o.in, path)
		if err != nil {
			return err
		}
		out := filepath.Join(o.out, rel)
		if _, err := os.Stat(out); err == nil && o.skip {
			return nil
		}
		stats, err := o.file(ctx, e, checker, q, path, out)
		if err != nil {
			return err
		}
		if !o.quiet {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d lines, %d left out\n", rel, stats.Lines, stats.Rejected)
		}
		total.Add(stats)
		return nil
	})
	if err == nil && found == 0 {
		err = fmt.Errorf("there are no NDJSON files in %s", o.in)
	}
	return total, err
}

func isNDJSON(path string) bool {
	name := strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".zst")
	return strings.HasSuffix(name, ".ndjson")
}

func (o *anonymizeOptions) file(ctx context.Context, e *anonymize.Engine, checker *verify.Checker, q *quarantine, from, to string) (anonymize.Stats, error) {
	in, err := openInput(from)
	if err != nil {
		return anonymize.Stats{}, err
	}
	defer in.Close()
	return o.toFile(ctx, e, checker, q, from, in, to)
}

// toFile writes a result beside its place and moves it there when it is whole:
// a half-written file is never seen.
func (o *anonymizeOptions) toFile(ctx context.Context, e *anonymize.Engine, checker *verify.Checker, q *quarantine, from string, in io.Reader, to string) (anonymize.Stats, error) {
	out, err := createOutput(to)
	if err != nil {
		return anonymize.Stats{}, err
	}
	stats, err := o.stream(ctx, e, checker, q, from, out, in)
	if err != nil {
		out.abort()
		return stats, err
	}
	return stats, out.commit()
}

func (o *anonymizeOptions) stream(ctx context.Context, e *anonymize.Engine, checker *verify.Checker, q *quarantine, from string, out io.Writer, in io.Reader) (anonymize.Stats, error) {
	options := anonymize.StreamOptions{Workers: o.jobs, Reject: q.add}
	if from != "" {
		options.FileName = strings.TrimSuffix(strings.TrimSuffix(filepath.Base(from), ".gz"), ".zst")
		options.FolderName = filepath.Base(filepath.Dir(from))
	}
	if checker != nil {
		options.Check = func(line int64, in, out []byte) error {
			for _, f := range checker.Check(line, in, out) {
				if f.Severity == verify.Hard {
					return &findingError{f}
				}
			}
			return nil
		}
	}
	stats, err := e.Stream(ctx, out, in, options)
	if err != nil && from != "" {
		err = fmt.Errorf("%s: %w", from, err)
	}
	return stats, err
}

// findingError keeps a line out of the result.
type findingError struct{ verify.Finding }

func (e *findingError) Error() string {
	return fmt.Sprintf("line %d: the verifier found %s at %s", e.Line, e.Class, e.Path)
}

// LineReason is the code under which the line is counted.
func (e *findingError) LineReason() string { return "verifier" }

// summarise prints counts per type and method.
func summarise(out io.Writer, s anonymize.Stats) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "type\tin\tout\tdropped\tleft out\t")
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		t := s.Types[name]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t\n", name, t.Lines, t.Written, t.Dropped, t.Rejected)
	}
	fmt.Fprintf(w, "all\t%d\t%d\t%d\t%d\t\n", s.Lines, s.Written, s.Dropped, s.Rejected)
	w.Flush()
	for _, counts := range []struct {
		title string
		of    map[string]int64
	}{{"values by method", s.Methods}, {"lines left out by reason", s.Reasons}} {
		if len(counts.of) == 0 {
			continue
		}
		fmt.Fprintf(out, "%s:", counts.title)
		for _, name := range slices.Sorted(maps.Keys(counts.of)) {
			fmt.Fprintf(out, "  %s %d", name, counts.of[name])
		}
		fmt.Fprintln(out)
	}
}
