package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/fhirpath"
	"fhirdeid/internal/settings"
)

func fhirpathCommand() *cobra.Command {
	var expression, version, dialect, asOf string
	cmd := &cobra.Command{
		Use:   "fhirpath --expression EXPRESSION FILE|-",
		Short: "Evaluate a FHIRPath expression on a resource",
		Long: `fhirpath evaluates a FHIRPath expression on a resource in JSON and prints the
items of the result, one a line, as {"type":…,"value":…}. An empty result prints
nothing. Types are System.… for values and FHIR.… for elements of the resource.

An expression is read as HL7's specification has it. To see what a path of a rule
file selects, choose the dialect of rule files: rules, or microsoft to get just
what Microsoft's tool gets.

A member that the FHIR version does not have is read as a System type. resolve,
memberOf and other functions that need more than the resource are refused.

The exit code is 1 for an error, 2 where the expression or the call is off.`,
		Example: `  fhirdeid fhirpath --expression "Patient.name.given.first()" patient.json
  fhirdeid fhirpath --fhir-version r5 --expression "name.where(use = 'official').family" - < patient.json
  fhirdeid fhirpath --dialect rules --expression "Patient.nodesByType('HumanName').given" patient.json`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, ok := fhirmodel.ParseVersion(version)
			if !ok {
				return &codeError{exitUsage, errors.New("--fhir-version is STU3, R4, R4B or R5")}
			}
			d, ok := fhirpath.ParseDialect(dialect)
			if !ok {
				return &codeError{exitUsage, errors.New("--dialect is specification, rules or microsoft")}
			}
			now := time.Now()
			if asOf != "" {
				var err error
				if now, err = settings.ParseTime(asOf); err != nil {
					return &codeError{exitUsage, fmt.Errorf("--as-of is %w", err)}
				}
			}
			if expression == "" {
				return &codeError{exitUsage, errors.New("--expression is missing")}
			}
			x, err := fhirpath.Parse(expression, d)
			if err != nil {
				return &codeError{exitUsage, fmt.Errorf("the expression cannot be read: %w", err)}
			}
			model, err := fhirmodel.Load(v)
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if args[0] != "-" {
				f, err := openInput(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				in = f
			}
			e := fhirpath.NewEvaluator(fhirpath.Options{Model: model, Now: now})
			return evaluate(cmd.OutOrStdout(), cmd.ErrOrStderr(), e, x, model, in)
		},
	}
	cmd.Flags().StringVarP(&expression, "expression", "e", "", "the FHIRPath expression")
	cmd.Flags().StringVar(&version, "fhir-version", "R4", "FHIR version of the resource: STU3, R4, R4B or R5")
	cmd.Flags().StringVar(&dialect, "dialect", "specification", "how the expression is read: specification, rules or microsoft")
	cmd.Flags().StringVar(&asOf, "as-of", "", "instant that now() and today() give; default: now")
	return cmd
}

// evaluate prints the items that an expression gives for a resource.
func evaluate(out, warnings io.Writer, e *fhirpath.Evaluator, x *fhirpath.Expression, model *fhirmodel.Model, in io.Reader) error {
	data, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("reading the resource: %w", err)
	}
	tree, err := fhirpath.ReadTree(model, data)
	if err != nil {
		return fmt.Errorf("reading the resource: %w", err)
	}
	if tree.Unknown > 0 {
		fmt.Fprintf(warnings, "fhirdeid: members or resources that FHIR %s does not have: %d; they have System types\n", model.Version, tree.Unknown)
	}
	items, err := e.Eval(x, tree, 0)
	if err != nil {
		return fmt.Errorf("evaluating the expression: %w", err)
	}
	w := bufio.NewWriter(out)
	lines := json.NewEncoder(w)
	lines.SetEscapeHTML(false)
	for _, i := range items {
		err := lines.Encode(struct {
			Type  string          `json:"type"`
			Value json.RawMessage `json:"value"`
		}{fhirpath.TypeOf(tree, i).String(), tree.JSON(i)})
		if err != nil {
			return fmt.Errorf("printing the result: %w", err)
		}
	}
	return w.Flush()
}
