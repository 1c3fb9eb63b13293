package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"fhirdeid/anonymize/fhirmodel"
	"fhirdeid/anonymize/lint"
)

func lintCommand() *cobra.Command {
	var version string
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "lint POLICY",
		Short: "Say what in a policy does nothing, or not what it seems to, and what no rule reaches",
		Long: `lint looks at a policy, a built-in profile or a rule file, without any data: paths
that can never match in the FHIR version, methods misspelt, rules that earlier ones
leave nothing, what Microsoft's tool takes otherwise or crashes on, keys, and which
elements no rule reaches, by how much they tell about a person.

Exit codes: 0 no errors, though perhaps warnings; 1 the policy cannot be read; 2 the
call's words are off; 3 errors were found.`,
		Example: `  fhirdeid lint rules.json
  fhirdeid lint --json safe-harbor`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, ok := fhirmodel.ParseVersion(version); !ok {
				return &codeError{exitUsage, fmt.Errorf("--fhir-version is %q; it is STU3, R4, R4B or R5", version)}
			}
			data, _, err := policySource(args[0])
			if err != nil {
				return err
			}
			report, err := lint.Check(data, lint.Options{FHIRVersion: version})
			if err != nil {
				return err
			}
			if err := writeReport(cmd, report, asJSON, all); err != nil {
				return fmt.Errorf("writing the report: %w", err)
			}
			if n := report.Errors(); n > 0 {
				return &codeError{exitBadLines, fmt.Errorf("the policy %s has %d error(s)", args[0], n)}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&version, "fhir-version", "R4", "FHIR version, where the policy names none")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&all, "all", false, "list codes and structure too, and resource types without patients")
	return cmd
}

func writeReport(cmd *cobra.Command, report *lint.Report, asJSON, all bool) error {
	if !asJSON {
		return report.WriteText(cmd.OutOrStdout(), lint.TextOptions{All: all})
	}
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(report)
}
