package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fhirdeid/internal/keys"
	"fhirdeid/internal/pipeline"
)

func keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "keys", Short: "Make keys, and tell them apart",
		Long: "Make the keys that pseudonyms, date shifts and encryption are made with, and tell them apart by their public ids, without showing them.",
		Example: `  fhirdeid keys new pseudonym-key
  fhirdeid keys id pseudonym-key`,
	}
	cmd.AddCommand(newKeyCommand(), keyIDCommand())
	return cmd
}

func newKeyCommand() *cobra.Command {
	var quiet bool
	cmd := &cobra.Command{
		Use:   "new [NAME]",
		Short: "Print a new strong key, and how to store it",
		Long: fmt.Sprintf(`Print a new key of 256 random bits on standard output, and nothing else there; on
standard error how to store it. The key is kept nowhere: store it at once.

NAME is the key that it is to be: %s.
encrypt-key is made 32 characters long, as AES asks for; without a name it is
%s.`, strings.Join(pipeline.KeyNames(), ", "), pseudonymKey),
		Example: `  az keyvault secret set --vault-name VAULT --name pseudonym-key --value "$(fhirdeid keys new -q)" --output none
  export FHIRDEID_KEY_PSEUDONYM_KEY="$(fhirdeid keys new -q)"`,
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := keyName(args)
			if err != nil {
				return err
			}
			key := keys.New()
			if name == encryptKey {
				key = key[:32]
			}
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), key); err != nil || quiet {
				return err
			}
			return howToStore(cmd.ErrOrStderr(), name, keys.ID([]byte(key)))
		},
	}
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "the key only")
	return cmd
}

// Names of keys; pipeline.KeyNames lists them all.
const (
	pseudonymKey = "pseudonym-key"
	encryptKey   = "encrypt-key"
)

// keyName is the name that a call has, or that of the key that most policies need.
func keyName(args []string) (string, error) {
	if len(args) == 0 {
		return pseudonymKey, nil
	}
	if !slices.Contains(pipeline.KeyNames(), args[0]) {
		return "", usageError(fmt.Sprintf("there is no key called %q; there are: %s", args[0], strings.Join(pipeline.KeyNames(), ", ")))
	}
	return args[0], nil
}

// howToStore never has the key in it: what is printed here may end up in a log.
func howToStore(w io.Writer, name, id string) error {
	quiet := "-q"
	if name != pseudonymKey {
		quiet += " " + name
	}
	_, err := fmt.Fprintf(w, `
This is a key for %[1]s, with the id %[2]s. It is kept nowhere. Store it now, or
make and store one in a single step, so that it is on no screen and in no history:

  in the key vault of an installation (you need the role "Key Vault Secrets Officer"):
    az keyvault secret set --vault-name VAULT --name %[1]s --value "$(fhirdeid keys new %[4]s)" --output none

  for local use, in the environment:
    export %[3]s="$(fhirdeid keys new %[4]s)"

Keep every version: whoever has it can tell which pseudonym is whose, and without it
later results do not join with earlier ones. Another key begins a new generation.
`, name, id, keys.SettingName(name), quiet)
	return err
}

func keyIDCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "id [NAME|-]",
		Short: "Print the public id of a key, as releases and reports name it",
		Long: `Print the public id of the key that the environment has under that name, or of one
read from standard input with -. The id tells two keys apart and nothing else of
them. Releases and reports name the keys that they were made with by it.`,
		Example: `  fhirdeid keys id pseudonym-key
  az keyvault secret show --vault-name VAULT --name pseudonym-key --query value -o tsv | fhirdeid keys id -`,
		Args: usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			value, err := keyValue(cmd.InOrStdin(), args)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), keys.ID(value))
			return err
		},
	}
}

// maxKey bounds what is read as a key.
const maxKey = 64 << 10

func keyValue(in io.Reader, args []string) ([]byte, error) {
	if len(args) == 1 && args[0] == "-" {
		data, err := io.ReadAll(io.LimitReader(in, maxKey))
		if err != nil {
			return nil, fmt.Errorf("reading the key: %w", err)
		}
		value := strings.TrimSpace(string(data))
		return []byte(value), keys.Check(keys.Secret{Name: "standard input", Value: []byte(value)})
	}
	name, err := keyName(args)
	if err != nil {
		return nil, err
	}
	secret, err := keys.Environment(os.LookupEnv).Get(context.Background(), name, "")
	if errors.Is(err, keys.ErrNotFound) {
		return nil, fmt.Errorf("the environment has no key %s: its setting is %s", name, keys.SettingName(name))
	}
	if err != nil {
		return nil, err
	}
	return secret.Value, keys.Check(secret)
}
