package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/installation"
	"fhirdeid/internal/seed"
	"fhirdeid/internal/settings"
	"fhirdeid/internal/synth"
)

// seedOptions are what the command is told.
type seedOptions struct {
	installed
	patients, size   int
	seed             uint64
	url, auth, scope string
	yes              bool
}

func seedCommand() *cobra.Command {
	o := new(seedOptions)
	cmd := &cobra.Command{
		Use:   "seed [FILE|FOLDER...]",
		Short: "Load generated patients into a FHIR server, to try the whole thing",
		Long: `Load generated patients into a FHIR server, with all that a hospital writes about
them: made-up people, whose identifiers are in all the places where real data has them.
The same --seed gives the same patients. With FILE or FOLDER, NDJSON files are loaded
instead, plain or compressed.

Resources keep their ids, so loading twice is loading once. A server that has patients
already is not touched without --yes: a trial does not belong beside real ones.

Only the settings of the FHIR server are needed (FHIR_SERVER_URL, FHIR_AUTH …), or
--fhir-url and --auth. On a FHIR service of Azure you need the role "FHIR Data
Contributor".`,
		Example: `  fhirdeid seed --patients 50 --settings settings.json
  fhirdeid seed --fhir-url http://127.0.0.1:8080/fhir --auth none
  fhirdeid seed --fhir-url https://ws-fhir.fhir.azurehealthcareapis.com ./synthea/output/fhir`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runSeed(cmd.Context(), cmd.OutOrStdout(), o, args)
		},
	}
	o.flags(cmd)
	cmd.Flags().IntVar(&o.patients, "patients", 100, "how many patients to generate")
	cmd.Flags().Uint64Var(&o.seed, "seed", 1, "seed of the generated patients")
	cmd.Flags().StringVar(&o.url, "fhir-url", "", "the server's base URL; default: FHIR_SERVER_URL")
	cmd.Flags().StringVar(&o.auth, "auth", "", "identity, smart, client-secret or none; default: FHIR_AUTH, and none on this machine")
	cmd.Flags().StringVar(&o.scope, "scope", "system/*.cruds", "scope of the token, for smart and client-secret")
	cmd.Flags().IntVar(&o.size, "batch", 100, "resources in one transaction, 1 to 500")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "load into a server that has patients already")
	return cmd
}

func runSeed(ctx context.Context, out io.Writer, o *seedOptions, paths []string) error {
	if o.patients < 1 || o.size < 1 || o.size > 500 {
		return &codeError{exitUsage, errors.New("--patients is 1 or more, --batch 1 to 500")}
	}
	s, err := o.server()
	if err != nil {
		return err
	}
	auth, err := installation.Authorizer(ctx, s)
	if err != nil {
		return err
	}
	l := &seed.Loader{Base: s.FHIRServerURL, Auth: auth, Size: o.size, Azure: s.FHIRServerProfile == bulkdata.Azure}
	has, known, err := l.Patients(ctx)
	if err != nil {
		return err
	}
	if (has > 0 || !known) && !o.yes {
		what := fmt.Sprintf("has %d patients already", has)
		if !known {
			what = "does not tell how many patients it has"
		}
		return fmt.Errorf("the server %s, and made-up ones do not belong beside real ones; give --yes if it is for trials", what)
	}
	resources, err := o.resources(paths)
	if err != nil {
		return err
	}
	n, err := l.Load(ctx, resources, func(n int64) {
		if colored(out) {
			fmt.Fprintf(out, "\r%d resources", n)
		}
	})
	if colored(out) {
		fmt.Fprint(out, "\r\x1b[K")
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d resources are in %s. Now: fhirdeid runs start\n", n, s.FHIRServerURL)
	return nil
}

// server reads the settings of the FHIR server, with what the flags say over them.
func (o *seedOptions) server() (*settings.Settings, error) {
	if o.file != "" {
		if err := settings.LoadFile(o.file); err != nil {
			return nil, err
		}
	}
	if o.url != "" {
		os.Setenv("FHIR_SERVER_URL", o.url)
	}
	if _, set := os.LookupEnv("FHIR_AUTH"); !set && o.auth == "" && onThisMachine(os.Getenv("FHIR_SERVER_URL")) {
		o.auth = "none"
	}
	if o.auth != "" {
		os.Setenv("FHIR_AUTH", o.auth)
	}
	os.Setenv("SMART_SCOPE", o.scope)
	return settings.ReadServer()
}

func onThisMachine(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// resources are those of the files, or generated ones.
func (o *seedOptions) resources(paths []string) (iter.Seq2[[]byte, error], error) {
	if len(paths) > 0 {
		return filesOf(paths)
	}
	h := synth.New(synth.Config{Seed: o.seed, Patients: o.patients})
	return func(yield func([]byte, error) bool) {
		for _, typ := range h.Types() {
			for line := range h.Resources(typ, nil) {
				if !yield(line, nil) {
					return
				}
			}
		}
	}, nil
}

// first are the types that others refer to: a server that checks references wants
// them before.
var first = []string{"Organization", "Location", "Practitioner", "PractitionerRole", "Medication", "Device", "Patient", "RelatedPerson", "Coverage", "Encounter", "EpisodeOfCare", "CareTeam", "Condition"}

// filesOf goes through the lines of NDJSON files, those of often referred types
// first.
func filesOf(paths []string) (iter.Seq2[[]byte, error], error) {
	var files []string
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (path == root || isNDJSON(path)) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("looking for NDJSON files: %w", err)
		}
	}
	if len(files) == 0 {
		return nil, errors.New("there are no NDJSON files (*.ndjson, *.ndjson.gz, *.ndjson.zst)")
	}
	rank := func(path string) int {
		typ, _, _ := strings.Cut(filepath.Base(path), ".")
		if i := slices.Index(first, typ); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(files, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	return func(yield func([]byte, error) bool) {
		for _, path := range files {
			if !linesOf(path, yield) {
				return
			}
		}
	}, nil
}

func linesOf(path string, yield func([]byte, error) bool) bool {
	in, err := openInput(path)
	if err != nil {
		return yield(nil, err)
	}
	defer in.Close()
	r := bufio.NewReaderSize(in, 1<<20)
	for {
		line, err := r.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 && !yield(line, nil) {
			return false
		}
		if errors.Is(err, io.EOF) {
			return true
		}
		if err != nil {
			return yield(nil, fmt.Errorf("reading %s: %w", path, err))
		}
	}
}
