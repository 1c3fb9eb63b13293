package main

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/keys"
	"fhirdeid/internal/verify"
)

// previewSample are made-up resources of a person there never was.
//
//go:embed preview_sample.ndjson
var previewSample []byte

// previewOptions are the flags of preview.
type previewOptions struct {
	engineOptions
	html      string
	resources int
}

func previewCommand() *cobra.Command {
	var o previewOptions
	cmd := &cobra.Command{
		Use:   "preview POLICY [FILE]",
		Short: "Show what a policy makes of a resource, before and after side by side",
		Long: `preview shows each element of a resource before and after de-identification, and
the rule that decided it: of made-up resources, or of the first ones of a file (.json,
or .ndjson with one resource a line, perhaps compressed). Of a file it shows the
VALUES: what it prints is to be kept as the file is.

  =  kept    ~  changed    -  dropped    +  put in

Keys are those of the environment, as for anonymize; where they are not set, keys are
made up for this call, and pseudonyms and shifts are other ones than in a run.`,
		Example: `  fhirdeid preview safe-harbor
  fhirdeid preview rules.json export/Patient.ndjson -n 1
  fhirdeid preview safe-harbor --html preview.html`,
		Args: usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.policy = args[0]
			file := ""
			if len(args) == 2 {
				file = args[1]
			}
			return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr(), file)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.html, "html", "", "write a page of HTML to this file instead")
	f.IntVarP(&o.resources, "resources", "n", 3, "how many resources to show; 0: all")
	f.StringVar(&o.version, "fhir-version", "R4", "FHIR version, where the policy names none")
	f.StringVar(&o.asOf, "as-of", "", "instant at which ages are counted; default: now")
	f.StringVar(&o.compat, "compat", "", "microsoft: read the rule file just as Microsoft's tool does")
	f.StringVar(&o.dataSet, "data-set", "default", "data set that keys are derived for")
	return cmd
}

func (o *previewOptions) run(out, messages io.Writer, file string) error {
	if o.resources < 0 {
		return usageError("-n is a number of resources, or 0 for all")
	}
	p, madeUp, err := o.prepare()
	if err != nil {
		return err
	}
	page := previewPage{Policy: o.policy, Claim: string(p.Claim), Hash: p.Hash(), File: file, MadeUpKeys: madeUp}
	in, lines := io.NopCloser(bytes.NewReader(previewSample)), true
	if file != "" {
		if in, err = openInput(file); err != nil {
			return err
		}
		lines = isNDJSON(file)
		fmt.Fprintln(messages, "This shows values of the file: keep what is printed as you keep the file.")
	}
	defer in.Close()
	if madeUp {
		fmt.Fprintln(messages, "The keys are made up for this preview: pseudonyms and shifts of a run are others.")
	}
	bad, err := o.read(p, madeUp, in, lines, &page)
	if err != nil {
		return fmt.Errorf("previewing: %w", err)
	}
	if err := o.write(out, messages, &page); err != nil {
		return fmt.Errorf("writing the preview: %w", err)
	}
	if bad > 0 {
		return &codeError{exitBadLines, fmt.Errorf("%d resource(s) could not be processed", bad)}
	}
	return nil
}

// prepare reads the policy; madeUp says that a key it needs is not there.
func (o *previewOptions) prepare() (p *policy.Policy, madeUp bool, err error) {
	if o.at, err = o.instant(); err != nil {
		return nil, false, err
	}
	if p, err = readPolicy(o.policy, policy.Compat(o.compat)); err != nil {
		return nil, false, err
	}
	if p.FHIRVersion != "" {
		o.version = p.FHIRVersion
	}
	for _, use := range p.Keys() {
		if !use.Inline && os.Getenv(keys.SettingName(string(use.Purpose)+"-key")) == "" {
			madeUp = true
		}
	}
	return p, madeUp, nil
}

// errEnough ends the reading of resources.
var errEnough = errors.New("there are enough")

// read previews resource by resource. bad counts those that the engine refuses.
func (o *previewOptions) read(p *policy.Policy, madeUp bool, in io.Reader, lines bool, page *previewPage) (bad int, err error) {
	var material anonymize.Keys
	if madeUp {
		for _, k := range []*[]byte{&material.DateShift, &material.CryptoHash, &material.Encrypt, &material.Pseudonym} {
			*k = make([]byte, 32)
			_, _ = rand.Read(*k) // never fails since Go 1.24
		}
	} else if material, err = o.keys(p); err != nil {
		return 0, err
	}
	engine, err := anonymize.Compile(p, anonymize.Options{Keys: material, AsOf: o.at, FHIRVersion: o.version})
	if err != nil {
		return 0, fmt.Errorf("the policy %s: %w", o.policy, err)
	}
	var checker *verify.Checker
	if p.Claim != policy.ClaimNone {
		if checker, err = verify.New(string(p.Claim), verify.Options{FHIRVersion: o.version, AsOf: o.at}); err != nil {
			return 0, err
		}
	}
	bad, err = eachResource(in, lines, func(number int, resource []byte) error {
		if o.resources > 0 && len(page.Resources) == o.resources {
			return errEnough
		}
		shown, err := previewOf(engine, resource)
		shown.Number = number
		if err != nil {
			shown.Fault = err.Error()
		} else if checker != nil && len(shown.out) > 0 {
			shown.Verified = true
			for _, f := range checker.Check(int64(number), resource, shown.out) {
				shown.Findings = append(shown.Findings, fmt.Sprintf("%s: %s at %s", f.Severity, f.Class, f.Path))
			}
		}
		page.Resources = append(page.Resources, shown)
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return bad, err
}

func (o *previewOptions) write(out, messages io.Writer, page *previewPage) error {
	if o.html == "" {
		width, color := 200, false
		if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
			color = os.Getenv("NO_COLOR") == ""
			if w, _, err := term.GetSize(int(f.Fd())); err == nil {
				width = w
			}
		}
		return page.text(out, width, color)
	}
	text, err := page.page()
	if err != nil {
		return err
	}
	// It has values: it is nobody else's to read.
	if err := os.WriteFile(o.html, text, 0o600); err != nil {
		return err
	}
	_, err = fmt.Fprintln(messages, "Written to "+strings.TrimSpace(o.html)+".")
	return err
}
