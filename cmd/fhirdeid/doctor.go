package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"fhirdeid/internal/arm"
	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/doctor"
	"fhirdeid/internal/installation"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/settings"
	"fhirdeid/internal/storage"
)

func doctorCommand() *cobra.Command {
	o := new(installed)
	var asJSON, write bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether an installation can do its work, and say what mends it",
		Long: `Look whether an installation can do its work: settings, identity, storage accounts
with their containers and queues, policy and keys, the FHIR server and its export,
blob events, and how the nights went. Each fault comes with what mends it. Nothing is
changed; with --write an empty blob is written to each container and deleted again.

It tries with your identity, which need not have all the rights of the app: what the
app itself could not do is in the record of its runs, since each run looks before it
begins.

` + aboutSettings + `

Exit codes: 0 nothing is at fault; 1 something is.`,
		Example: `  fhirdeid doctor
  fhirdeid doctor --settings settings.json --write
  fhirdeid doctor --json | jq -r '.[] | select(.status == "fault") | .remedy'
  fhirdeid doctor --settings .local/settings.json     # beside: go run ./infra/local --keep`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			results, err := diagnose(cmd, o, write)
			if err != nil {
				return err
			}
			if err := printResults(cmd.OutOrStdout(), results, asJSON); err != nil {
				return err
			}
			if doctor.Faulty(results) {
				return errors.New("the installation has faults")
			}
			return nil
		},
	}
	o.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "for programs: an array of check, status (ok, warning, fault, skipped), text, remedy")
	cmd.Flags().BoolVar(&write, "write", false, "try to write to the containers that the app writes")
	return cmd
}

// diagnose does all checks. Settings that cannot be read are a result too.
func diagnose(cmd *cobra.Command, o *installed, write bool) ([]doctor.Result, error) {
	in, err := o.open(cmd)
	var faults settings.Faults
	switch {
	case errors.As(err, &faults):
		results := make([]doctor.Result, len(faults))
		for i, f := range faults {
			results[i] = doctor.Result{Check: "settings", Status: doctor.Fault, Text: f, Remedy: "az functionapp config appsettings set --name APP --resource-group GROUP --settings NAME=VALUE"}
		}
		return results, nil
	case err != nil:
		return nil, err
	}
	all := []doctor.Result{{Check: "settings", Status: doctor.OK, Text: "are complete and fit together"}}
	return append(all, doctor.Run(cmd.Context(), checks(in, write))...), nil
}

// checks are the checks of an installation, in the order in which they are shown.
func checks(in *installation.Installation, write bool) []doctor.Check {
	s := in.Settings
	account := func(a *storage.Account) doctor.Account {
		return doctor.Account{Endpoint: a.BlobServiceURL(), Local: a.Local()}
	}
	raw, lake, host := account(in.Raw), account(in.Lake), account(in.Host)
	identified := s.KeyVault != "" || s.FHIRAuth == "identity"
	for _, c := range []storage.Connection{s.Host, s.Raw, s.Lake} {
		identified = identified || c.ConnectionString == ""
	}
	list := []doctor.Check{doctor.Identity(identified, in.Identity)}
	for _, name := range installation.RawContainers {
		list = append(list, doctor.Container(raw, in.Raw.Container(name), write && name != "policy"))
	}
	for _, name := range installation.LakeContainers {
		list = append(list, doctor.Container(lake, in.Lake.Container(name), write))
	}
	list = append(list, doctor.Folders(lake, in.Lake))
	for _, name := range []string{installation.CheckQueue, installation.FetchQueue, installation.RetryQueue} {
		list = append(list, doctor.Queue(host, in.Host, name))
	}
	list = append(list,
		doctor.Policy(in.Pipeline.CheckPolicy, s.KeyVault),
		doctor.Metadata(s.FHIRServerURL, expectedVersion(in), nil),
		doctor.ExportRight(s.FHIRServerURL, s.FHIRServerProfile, in.Client))
	list = append(list, exportChecks(in, account)...)
	l := ledger.New(in.Pipeline.Stores.Ledger)
	return append(list, doctor.Events(l, in.Raw.Local()), doctor.Runs(l, time.Now()))
}

// expectedVersion is the FHIR version of the policy, or that of the settings.
func expectedVersion(in *installation.Installation) func(context.Context) string {
	return func(ctx context.Context) string {
		if p, err := in.Pipeline.CheckPolicy(ctx); err == nil && p.FHIRVersion != "" {
			return p.FHIRVersion
		}
		return in.Settings.FHIRVersion
	}
}

// exportChecks are those of the server's own export account, which not every
// server has.
func exportChecks(in *installation.Installation, account func(*storage.Account) doctor.Account) []doctor.Check {
	s := in.Settings
	var export *doctor.Account
	var container storage.Container
	var at doctor.Account
	if in.Export != nil {
		at = account(in.Export)
		export = &at
		if s.ExportContainer != "" {
			container = in.Export.Container(s.ExportContainer)
		}
	}
	list := []doctor.Check{doctor.ExportAccount(at, container)}
	if s.FHIRServerProfile != bulkdata.Azure || s.FHIRAuth != "identity" {
		return list
	}
	return append(list, doctor.Check{Name: "FHIR export configuration", Look: func(ctx context.Context) doctor.Result {
		credential, err := in.Identity()
		if err != nil {
			return doctor.Result{Status: doctor.Fault, Text: err.Error(), Remedy: "az login"}
		}
		graph := &arm.Client{Endpoint: arm.PublicCloud, Credential: credential}
		return doctor.ExportConfiguration(s.FHIRServerURL, s.FHIRServerProfile, export, graph).Look(ctx)
	}})
}

func printResults(out io.Writer, results []doctor.Result, asJSON bool) error {
	if asJSON {
		return printJSON(out, results)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	color := colored(out)
	counts := make(map[doctor.Status]int)
	for _, r := range results {
		counts[r.Status]++
		fmt.Fprintf(w, "%s\t%s\t%s\n", paint(color, r.Status), r.Check, strings.ReplaceAll(r.Text, "\n", " "))
		if r.Remedy != "" {
			fmt.Fprintf(w, "%s\t\t→ %s\n", paint(color, ""), r.Remedy)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%d looked at: %d ok, %d warnings, %d faults, %d skipped\n", len(results), counts[doctor.OK], counts[doctor.Warning], counts[doctor.Fault], counts[doctor.Skipped])
	return err
}

// paint colors a status; all have the same width, so that a table stays one.
func paint(color bool, s doctor.Status) string {
	if !color {
		return string(s)
	}
	code, known := map[doctor.Status]string{doctor.OK: "32", doctor.Warning: "33", doctor.Fault: "31"}[s]
	if !known {
		code = "00"
	}
	return "\x1b[" + code + "m" + string(s) + "\x1b[0m"
}

// colored reports whether colors may be written: to a terminal that knows them,
// unless NO_COLOR is set (https://no-color.org).
func colored(out io.Writer) bool {
	f, ok := out.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
