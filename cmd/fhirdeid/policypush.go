package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/installation"
	"fhirdeid/internal/storage"
)

func policyCommand() *cobra.Command {
	o := new(installed)
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Put rule files where an installation reads them",
		Long:  "Put rule files where an installation reads them.\n\n" + aboutSettings,
		Example: `  fhirdeid policy push rules.json --app      # for the app: then set POLICY=rules.json
  fhirdeid policy push deid.json             # for the server's own de-identification`,
	}
	o.flags(cmd)
	cmd.AddCommand(pushCommand(o))
	return cmd
}

// maxServerConfig is the largest configuration that the FHIR service takes.
const maxServerConfig = 1 << 20

// place is where a rule file goes.
type place struct {
	container storage.Container
	account   string
	// make makes the container; nil where that is left to the templates.
	make func(ctx context.Context) error
}

func pushCommand(o *installed) *cobra.Command {
	var name string
	var app bool
	cmd := &cobra.Command{
		Use:   "push FILE",
		Short: "Put a rule file where the FHIR server, or the app, reads it",
		Long: `Put a rule file where it is read, after checking that it can be: into the container
anonymization of the server's export account, so that the FHIR service of Azure itself
de-identifies what it exports; or with --app into the policy container of the
installation, for POLICY. It prints the settings that make it take effect. The server's
file is pinned by its ETag: changed by somebody else, it fails the next run's start.

What the server has de-identified is fetched, and then goes through POLICY as a second
pass; with POLICY=verify-safe-harbor or verify-limited-data-set it is verified alone.`,
		Example: `  fhirdeid policy push deid.json --settings settings.json
  fhirdeid policy push rules.json --app`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			data, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("reading the rule file: %w", err)
			}
			if name == "" {
				name = filepath.Base(args[0])
			}
			rules, err := pushable(name, data, app)
			if err != nil {
				return err
			}
			return o.with(func(ctx context.Context, out io.Writer, in *installation.Installation, _ []string) error {
				to, err := placeOf(in, app)
				if err != nil {
					return err
				}
				etag, err := push(ctx, to, name, data)
				if err != nil {
					return err
				}
				printPushed(out, to, name, etag, rules, app)
				return nil
			})(cmd, args)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the blob; default: the file's")
	cmd.Flags().BoolVar(&app, "app", false, "for the app, not for the server")
	return cmd
}

// pushable reads a rule file as its reader will.
func pushable(name string, data []byte, app bool) (*policy.Policy, error) {
	if strings.ContainsAny(name, ":\\") || strings.Contains(name, "..") {
		return nil, &codeError{exitUsage, errors.New("--name is the name of a blob, such as deid.json")}
	}
	options := policy.ParseOptions{Compat: policy.CompatMicrosoft}
	if app {
		options.Compat = ""
	} else if len(data) > maxServerConfig {
		return nil, fmt.Errorf("the rule file has %d bytes, and the FHIR service takes at most %d", len(data), maxServerConfig)
	}
	rules, err := policy.ParseWith(data, options)
	if err != nil {
		return nil, fmt.Errorf("the rule file was not pushed: %w; see: fhirdeid lint FILE", err)
	}
	return rules, nil
}

func placeOf(in *installation.Installation, app bool) (place, error) {
	if app {
		return place{container: in.Pipeline.Stores.Policy, account: "RawStorage"}, nil
	}
	if in.Export == nil {
		return place{}, errors.New("the server's export account is not known; set ExportStorage__blobServiceUri to its blob endpoint, or push for the app with --app")
	}
	return place{
		container: in.Export.Container(installation.AnonymizationContainer), account: "ExportStorage",
		make: func(ctx context.Context) error {
			return in.Export.EnsureContainers(ctx, installation.AnonymizationContainer)
		},
	}, nil
}

// push writes the file, and makes its container where that is missing.
func push(ctx context.Context, to place, name string, data []byte) (storage.ETag, error) {
	o := storage.PutOptions{ContentType: "application/json"}
	etag, err := to.container.Put(ctx, name, data, o)
	if !errors.Is(err, storage.ErrNotFound) || to.make == nil {
		return etag, err
	}
	if err := to.make(ctx); err != nil {
		return "", err
	}
	return to.container.Put(ctx, name, data, o)
}

func printPushed(out io.Writer, to place, name string, etag storage.ETag, rules *policy.Policy, app bool) {
	fmt.Fprintf(out, "%s is in the container %s of %s, with the ETag %s.\n", name, to.container.Name(), to.account, etag.Bare())
	for _, k := range rules.Keys() {
		if k.Inline {
			fmt.Fprintln(out, "The file has a key in it: whoever can read that container can find out who is behind a pseudonym.")
			break
		}
	}
	set := fmt.Sprintf("POLICY=%s", name)
	if !app {
		set = fmt.Sprintf("EXPORT_ANONYMIZATION_CONFIG=%s EXPORT_ANONYMIZATION_ETAG=%s", name, etag.Bare())
	}
	fmt.Fprintf(out, "From the next run on, with these settings:\n\n  az functionapp config appsettings set --resource-group GROUP --name APP --settings %s\n", set)
	if !app {
		fmt.Fprintln(out, "\nEXPORT_CONTAINER must be set too. POLICY is then a second pass; verify-safe-harbor verifies alone.")
	}
}
