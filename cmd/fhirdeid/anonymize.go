package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// anonymizeOptions are the flags of `fhirdeid anonymize`. The short ones are
// those of Microsoft's tool.
type anonymizeOptions struct {
	engineOptions
	in, out        string
	bulk           bool
	recursive      bool
	skip           bool
	validateInput  bool
	validateOutput bool
	quarantine     string
	summary        string
	compress       string
	jobs           int
	verbose        bool
	quiet          bool
}

const anonymizeHelp = `De-identify FHIR resources: files of lines (*.ndjson, one resource a line), files
of one resource (*.json), or standard input to standard output.

Input and output
  Without --input it reads lines from standard input, without --output it writes
  to standard output. Of a folder it takes all *.ndjson and *.json files, with
  --recursive those in sub-folders too; the results have the same names. With
  --bulk it takes *.ndjson only, and any file named is read as lines. Results of
  *.json are indented, those of *.ndjson have one line a resource, in the order of
  the input.
  Compressed input (gzip, zstd) is recognized. A result is compressed as its name
  says: .gz or .zst; standard output by --compress.
  A result appears when it is whole. Interrupted (Ctrl-C, SIGTERM), the command
  leaves nothing half-written; the same call with --skip goes on where it was.

What cannot be processed
  A resource that cannot be processed is left out, and costs no other. With
  --quarantine bad.ndjson it is kept in that file as it came, and line by line
  bad.errors.ndjson says why: file, line, reason and element path, never a value. --validate-input and --validate-output leave out what is not valid
  by the definitions: required elements, cardinality, formats, required bindings,
  references, narratives, nothing empty. Where the policy makes a claim, each
  result is verified, and one with a finding is left out as well.
  A file that cannot be read is reported, and the others are done.

FHIR version
  The policy's own, else --fhir-version; auto tells it from the first lines if
  only one version can be meant, and takes R4 with a notice if R4 is possible.

Coming from Microsoft's tool
  Its options work: -i -o -c -b -r -s -v, and the long names --inputFolder,
  --outputFolder, --configFile, --bulkData, --validateInput, --validateOutput.
  Without -c the policy is safe-harbor, not configuration-sample.json; without -b
  *.ndjson files are done as well as *.json.

Exit codes
  0    all was done
  1    it could not be done, or a file could not be read
  2    the call's words are off
  3    done, but resources were left out
  130  interrupted`

func anonymizeCommand() *cobra.Command {
	var o anonymizeOptions
	cmd := &cobra.Command{
		Use:   "anonymize",
		Short: "De-identify FHIR files, or standard input",
		Long:  anonymizeHelp,
		Example: `  fhirdeid anonymize -c safe-harbor <Patient.ndjson >Patient.deid.ndjson
  fhirdeid anonymize -c rules.json -i export -o deid -r --quarantine bad.ndjson
  curl … | fhirdeid anonymize -c rules.json --compress gzip >deid.ndjson.gz`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	f.SetNormalizeFunc(microsoftNames)
	f.StringVarP(&o.policy, "config", "c", "safe-harbor", "policy: a built-in profile, or a rule file")
	f.StringVarP(&o.in, "input", "i", "", "file or folder; default: standard input")
	f.StringVarP(&o.out, "output", "o", "", "file or folder for the results; default: standard output")
	f.BoolVarP(&o.bulk, "bulk", "b", false, "lines only: *.ndjson of a folder, and any file named")
	f.BoolVarP(&o.recursive, "recursive", "r", false, "sub-folders too")
	f.BoolVarP(&o.skip, "skip", "s", false, "leave out files whose result is there already")
	f.BoolVar(&o.validateInput, "validate-input", false, "leave out resources that are not valid")
	f.BoolVar(&o.validateOutput, "validate-output", false, "leave out results that are not valid")
	f.StringVar(&o.quarantine, "quarantine", "", "file for what could not be processed, as it came")
	f.StringVar(&o.summary, "summary-json", "", "file for the summary as JSON")
	f.StringVar(&o.compress, "compress", "", "compress standard output: gzip or zstd")
	f.StringVar(&o.compat, "compat", "", "microsoft: do as Microsoft's tool does also where it leaks or breaks")
	f.StringVar(&o.asOf, "as-of", "", "instant at which ages are counted, such as 2026-11-22; default: now")
	f.StringVar(&o.version, "fhir-version", "auto", "FHIR version where the policy names none: auto, stu3, r4, r4b or r5")
	f.StringVar(&o.dataSet, "data-set", "default", "research data set that strict policies derive keys for")
	f.BoolVar(&o.syntheticIV, "synthetic-iv", false, "encrypt the same value at the same path to the same bytes, so that a run can be repeated")
	f.IntVar(&o.jobs, "jobs", 0, "workers; 0: one per CPU")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "a line for each file and for each resource left out")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress and no summary")
	return cmd
}

// microsoftNames makes the long names of Microsoft's options known.
func microsoftNames(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	own := map[string]string{
		"inputFolder": "input", "outputFolder": "output", "configFile": "config", "bulkData": "bulk",
		"validateInput": "validate-input", "validateOutput": "validate-output",
	}
	if n, ok := own[name]; ok {
		name = n
	}
	return pflag.NormalizedName(name)
}

// check looks at the words of the call.
func (o *anonymizeOptions) check() error {
	switch {
	case o.jobs < 0:
		return usageError("--jobs is a number of workers, or 0")
	case o.compress != "" && o.compress != string(byGzip) && o.compress != string(byZstd):
		return usageError("--compress is gzip or zstd")
	case o.compress != "" && o.out != "":
		return usageError("--compress is for standard output; a file is compressed if its name ends in .gz or .zst")
	case o.skip && o.out == "":
		return usageError("--skip needs --output: standard output has no earlier results")
	}
	return nil
}

// packed is the compression of standard output.
func (o *anonymizeOptions) packed() compression { return compression(o.compress) }

func (o *anonymizeOptions) run(cmd *cobra.Command) error {
	boundMemory(workers(o.jobs))
	if err := o.check(); err != nil {
		return err
	}
	p, err := o.read()
	if err != nil {
		return err
	}
	tasks, err := o.plan()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	w := &work{o: o, stdin: cmd.InOrStdin(), stdout: cmd.OutOrStdout(), alone: len(tasks) == 1}
	if tasks[0].in == "" {
		if o.in != "" {
			pipe, err := os.Open(o.in)
			if err != nil {
				return fmt.Errorf("opening the input: %w", err)
			}
			defer pipe.Close()
			w.stdin = pipe
		}
		w.stdin = interruptible(ctx, w.stdin)
	}
	w.quarantine = &quarantine{path: o.quarantine, append: o.skip}
	w.screen = newScreen(cmd.ErrOrStderr(), o, o.out == "")
	for _, text := range p.Warnings() {
		w.screen.say("%s %s", w.screen.paint(33, "warning:"), text)
	}
	if err := w.settleVersion(ctx, p, tasks); err != nil {
		return interrupted(ctx, err)
	}
	if err := w.compile(p); err != nil {
		return err
	}
	return w.run(ctx, cmd, tasks)
}

// run does the work and tells what came of it.
func (w *work) run(ctx context.Context, cmd *cobra.Command, tasks []task) error {
	begin := time.Now()
	w.screen.start(&w.times, tasks)
	err := w.all(ctx, tasks)
	err = errors.Join(err, w.quarantine.close())
	w.screen.stop()
	s := w.summarise(time.Since(begin))
	err = w.outcome(ctx, err, s)
	if !w.o.quiet {
		s.show(cmd.ErrOrStderr(), w, tasks)
	}
	if w.o.summary != "" {
		if failed := s.write(w.o.summary); failed != nil {
			return errors.Join(failed, err)
		}
	}
	return err
}

// outcome judges the work, and gives the error that the command ends with.
func (w *work) outcome(ctx context.Context, err error, s *summary) error {
	switch {
	case ctx.Err() != nil:
		s.Outcome = "interrupted"
		err = interrupted(ctx, err)
	case err != nil:
		s.Outcome = "failed"
	case len(w.total.failed) > 0:
		s.Outcome = "failed"
		err = fmt.Errorf("%s could not be processed; the first: %s", plural(int64(len(w.total.failed)), "file"), w.total.failed[0])
	case w.total.Rejected > 0:
		s.Outcome = "left-out"
		err = &codeError{exitBadLines, fmt.Errorf("%d of %d lines were left out", w.total.Rejected, w.total.Lines)}
	default:
		s.Outcome = "done"
		return nil
	}
	s.Error = err.Error()
	return err
}

// exitInterrupted is what a shell shows of a program that SIGINT has ended.
const exitInterrupted = 130

// interrupted makes a clear word of what a signal leaves behind.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return &codeError{exitInterrupted, errors.New("interrupted; results that are there are whole, and --skip goes on with the others")}
}

// boundMemory aims to stay below 64 MiB with two jobs, the program's code included,
// unless the environment says how. It is an aim for the garbage collector and no
// limit: larger resources and more jobs take what they need.
func boundMemory(jobs int) {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(200)
		debug.SetMemoryLimit(int64(36+4*jobs) << 20)
	}
}
