package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"fhirdeid/internal/keys"
	"fhirdeid/internal/pipeline"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Make keys"}
	cmd.AddCommand(&cobra.Command{
		Use:   "new",
		Short: "Print a new strong key, and nothing else",
		Long: fmt.Sprintf(`Print a new key of 256 random bits. It is kept nowhere: store it at once, for
example in the key vault of an installation:

  az keyvault secret set --vault-name VAULT --name NAME --value "$(fhirdeid keys new)" --output none

The names that policies ask for: %v. encrypt-key must have
16, 24 or 32 characters: cut the key, as in $(fhirdeid keys new | cut -c1-32).`, pipeline.KeyNames()),
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), keys.New())
			return err
		},
	})
	return cmd
}
