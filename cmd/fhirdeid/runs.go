package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fhirdeid/internal/installation"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/settings"
)

func runsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "Look at the runs of an installation, and decide on them",
		Long: `Look at the runs of an installation, and decide on those that wait for a person.

The installation is the one that the settings in the environment name, as for the
function app (FHIR_SERVER_URL, AzureWebJobsStorage, RawStorage, LakeStorage …),
under your own credential: log in with "az login" first.`,
	}
	cmd.AddCommand(
		&cobra.Command{Use: "start", Short: "Start a run now", Args: usage(cobra.NoArgs), RunE: withInstallation(startRun)},
		&cobra.Command{Use: "list", Short: "List the newest runs", Args: usage(cobra.NoArgs), RunE: withInstallation(listRuns)},
		&cobra.Command{Use: "show RUN", Short: "Show a run as it is recorded", Args: usage(cobra.ExactArgs(1)), RunE: withInstallation(showRun)},
		order(ledger.OrderCancel, "End a run that is under way", false),
		order(ledger.OrderRetry, "Do again what was not clean in a held or failed run", false),
		order(ledger.OrderRelease, "Release a held run as it is", true),
		order(ledger.OrderDiscard, "Give a held or failed run up, and delete its data", true),
	)
	return cmd
}

type action func(ctx context.Context, out io.Writer, p *pipeline.Pipeline, args []string) error

// withInstallation opens the installation of the environment for an action.
func withInstallation(do action) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		s, err := settings.Read()
		if err != nil {
			return err
		}
		log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
		in, err := installation.Open(cmd.Context(), s, log, installation.Version())
		if err != nil {
			return err
		}
		return do(cmd.Context(), cmd.OutOrStdout(), in.Pipeline, args)
	}
}

func startRun(ctx context.Context, out io.Writer, p *pipeline.Pipeline, _ []string) error {
	run, outcome, err := p.Start(ctx, time.Time{})
	if err != nil {
		return err
	}
	switch outcome {
	case pipeline.Started:
		fmt.Fprintf(out, "Run %s is started. It goes on in the function app; see: fhirdeid runs show %s\n", run, run)
	case pipeline.Refused:
		return fmt.Errorf("run %s cannot be done; see: fhirdeid runs show %s", run, run)
	default:
		return fmt.Errorf("run %s is under way already", run)
	}
	return nil
}

func listRuns(ctx context.Context, out io.Writer, p *pipeline.Pipeline, _ []string) error {
	scopes, err := ledger.New(p.Stores.Ledger).Scopes(ctx)
	if err != nil {
		return err
	}
	if len(scopes) == 0 {
		fmt.Fprintln(out, "There are no runs yet.")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTATE\tSINCE\tWHY\tLEVEL")
	for _, s := range scopes {
		for _, b := range s.Recent {
			note := b.Why
			if b.Run == s.LastReleased {
				note = "newest release"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", b.Run, b.State, b.At.UTC().Format("2006-01-02 15:04:05"), note, s.Level)
		}
	}
	return w.Flush()
}

func showRun(ctx context.Context, out io.Writer, p *pipeline.Pipeline, args []string) error {
	r, _, err := ledger.New(p.Stores.Ledger).Run(ctx, args[0])
	if errors.Is(err, ledger.ErrNoRun) {
		return fmt.Errorf("there is no run %s; see: fhirdeid runs list", args[0])
	}
	if err != nil {
		return err
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// order makes the command of an order.
func order(kind ledger.OrderKind, short string, needsReason bool) *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: string(kind) + " RUN", Short: short, Args: usage(cobra.ExactArgs(1))}
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is recorded with the run")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if needsReason && reason == "" {
			return &codeError{exitUsage, errors.New("a reason is needed: --reason \"…\"; it is recorded with the run")}
		}
		return withInstallation(func(ctx context.Context, out io.Writer, p *pipeline.Pipeline, args []string) error {
			err := p.Order(ctx, args[0], ledger.Order{Kind: kind, By: operator(), Reason: reason})
			if errors.Is(err, ledger.ErrNoRun) {
				return fmt.Errorf("there is no run %s; see: fhirdeid runs list", args[0])
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "Run %s: %s is ordered.\n", args[0], kind)
			return nil
		})(cmd, args)
	}
	return cmd
}

// operator names who gives an order, as the system knows them.
func operator() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}
