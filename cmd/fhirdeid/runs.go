package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fhirdeid/internal/installation"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/pipeline"
)

func runsCommand() *cobra.Command {
	o := new(installed)
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "Look at the runs of an installation, and decide on them",
		Long: `Look at the runs of an installation, and decide on those that wait for a person.

` + aboutSettings,
		Example: `  fhirdeid runs list                              # the newest runs
  fhirdeid runs show                              # how the newest went; exit code 0: released
  fhirdeid runs show 20261122T010000Z --watch     # follow it to its end
  fhirdeid runs release 20261122T010000Z --reason "two lines of the old lab system are known to be bad"`,
	}
	o.flags(cmd)
	cmd.AddCommand(
		startCommand(o), listCommand(o), showCommand(o),
		order(o, ledger.OrderCancel, "End a run that is under way", false),
		order(o, ledger.OrderRetry, "Do again what was not clean in a held or failed run", false),
		order(o, ledger.OrderRelease, "Release a held run as it is", true),
		order(o, ledger.OrderDiscard, "Give a held or failed run up, and delete its data", true),
	)
	return cmd
}

func startCommand(o *installed) *cobra.Command {
	return &cobra.Command{
		Use:   "start",
		Short: "Start a run now",
		Long: `Start a run now, beside the nightly ones. Its first steps are done here; the
function app goes on with it. A run that holds the scope is not disturbed.`,
		Example: `  fhirdeid runs start && fhirdeid runs show --watch`,
		Args:    usage(cobra.NoArgs),
		RunE:    o.with(startRun),
	}
}

func startRun(ctx context.Context, out io.Writer, in *installation.Installation, _ []string) error {
	run, outcome, err := in.Pipeline.Start(ctx, time.Time{})
	if err != nil {
		return err
	}
	switch outcome {
	case pipeline.Started:
		fmt.Fprintf(out, "Run %s is started. It goes on in the function app; see: fhirdeid runs show %s --watch\n", run, run)
	case pipeline.Refused:
		return fmt.Errorf("run %s cannot be done; see: fhirdeid runs show %s", run, run)
	default:
		return fmt.Errorf("run %s is under way already", run)
	}
	return nil
}

var orderHelp = map[ledger.OrderKind]struct{ long, example string }{
	ledger.OrderCancel: {`End a run that is under way. The server is told to cancel its export job; nothing
is released. A run that is being released already goes on.`,
		`  fhirdeid runs cancel 20261122T010000Z --reason "the server is needed for something else"`},
	ledger.OrderRetry: {`Do again what was not clean: outputs that could not be fetched, files with lines in
quarantine or with findings. Mend the cause first. What was clean is kept.`,
		`  fhirdeid runs retry 20261122T010000Z`},
	ledger.OrderRelease: {`Release a held run as it is. Who did it and why is recorded with the run and told
in its report. What breaks the policy's claim can be released by nobody.`,
		`  fhirdeid runs release 20261122T010000Z --reason "two lines of the old lab system are known to be bad"`},
	ledger.OrderDiscard: {`Give a held or failed run up. Its files in raw, staging and research are deleted;
its record and its report stay, and its quarantined lines until the storage
account's lifecycle rule deletes them.`,
		`  fhirdeid runs discard 20261122T010000Z --reason "the export was of the test system"`},
}

// order makes the command of an order.
func order(o *installed, kind ledger.OrderKind, short string, needsReason bool) *cobra.Command {
	var reason string
	help := orderHelp[kind]
	cmd := &cobra.Command{
		Use: string(kind) + " RUN", Short: short, Long: help.long, Example: help.example,
		Args: usage(cobra.ExactArgs(1)), ValidArgsFunction: o.completeRuns,
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; it is recorded with the run")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if needsReason && reason == "" {
			return &codeError{exitUsage, errors.New("a reason is needed: --reason \"…\"; it is recorded with the run")}
		}
		return o.with(func(ctx context.Context, out io.Writer, in *installation.Installation, args []string) error {
			err := in.Pipeline.Order(ctx, args[0], ledger.Order{Kind: kind, By: operator(ctx, in), Reason: reason})
			if errors.Is(err, ledger.ErrNoRun) {
				return noRun(args[0])
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "Run %s: %s is ordered. See: fhirdeid runs show %s --watch\n", args[0], kind, args[0])
			return nil
		})(cmd, args)
	}
	return cmd
}

func noRun(id string) error {
	return fmt.Errorf("there is no run %s; see: fhirdeid runs list", id)
}
