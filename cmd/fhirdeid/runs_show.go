package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"fhirdeid/internal/installation"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/progress"
	"fhirdeid/internal/telemetry"
)

// Exit codes of `runs show`, beside those of all commands.
const (
	exitHeld   = 4
	exitFailed = 5 // or cancelled
	exitUnder  = 6 // under way
)

// listed is a run as `runs list --json` prints it.
type listed struct {
	ledger.Brief
	Scope  string `json:"scope"`
	Level  string `json:"level"`
	Newest bool   `json:"newestRelease,omitempty"`
}

func listCommand(o *installed) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the newest runs",
		Long: `List the newest runs of each scope, the newest first: state, since when, and why where
it was not released.`,
		Example: `  fhirdeid runs list
  fhirdeid runs list --json | jq -r '.[] | select(.state == "held") | .run'`,
		Args: usage(cobra.NoArgs),
		RunE: o.with(func(ctx context.Context, out io.Writer, in *installation.Installation, _ []string) error {
			return listRuns(ctx, out, ledger.New(in.Pipeline.Stores.Ledger), asJSON)
		}),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "for programs: an array of run, state, at, why, scope, level, newestRelease")
	return cmd
}

func allRuns(ctx context.Context, l *ledger.Ledger) ([]listed, error) {
	scopes, err := l.Scopes(ctx)
	if err != nil {
		return nil, err
	}
	runs := []listed{}
	for _, s := range scopes {
		for _, b := range s.Recent {
			runs = append(runs, listed{Brief: b, Scope: s.Scope, Level: s.Level, Newest: b.Run == s.LastReleased})
		}
	}
	slices.SortStableFunc(runs, func(a, b listed) int { return cmp.Compare(b.Run, a.Run) })
	return runs, nil
}

func listRuns(ctx context.Context, out io.Writer, l *ledger.Ledger, asJSON bool) error {
	runs, err := allRuns(ctx, l)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(out, runs)
	}
	if len(runs) == 0 {
		fmt.Fprintln(out, "There are no runs yet. The first begins with the schedule, or by: fhirdeid runs start")
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RUN\tSTATE\tSINCE\tWHY\tLEVEL")
	for _, r := range runs {
		note := r.Why
		if r.Newest {
			note = "newest release"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Run, r.State, r.At.UTC().Format("2006-01-02 15:04:05"), note, r.Level)
	}
	return w.Flush()
}

func showCommand(o *installed) *cobra.Command {
	var watch, asJSON bool
	var every time.Duration
	cmd := &cobra.Command{
		Use:   "show [RUN]",
		Short: "Show how a run goes or went; without RUN, the newest",
		Long: `Show how a run goes or went: its state and why, what was read, written and left out,
by type, what the verifier found, and how long it took. Without RUN, the newest.

Exit codes: 0 released; 4 held; 5 failed or cancelled; 6 under way.`,
		Example: `  fhirdeid runs show                             # at breakfast
  fhirdeid runs show 20261122T010000Z --watch    # follow it to its end
  fhirdeid runs show --json | jq .totals         # as it is recorded; internal/ledger describes it
  fhirdeid runs show || mail -s "the night's run" team@example.org </dev/null`,
		Args: usage(cobra.MaximumNArgs(1)), ValidArgsFunction: o.completeRuns,
		RunE: o.with(func(ctx context.Context, out io.Writer, in *installation.Installation, args []string) error {
			l := ledger.New(in.Pipeline.Stores.Ledger)
			id, err := runArgument(ctx, l, args)
			if err != nil {
				return err
			}
			return showRun(ctx, out, l, id, showOptions{watch: watch, json: asJSON, every: every})
		}),
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "follow the run to its end")
	cmd.Flags().BoolVar(&asJSON, "json", false, "for programs: the run as it is recorded; with --watch a line at each change")
	cmd.Flags().DurationVar(&every, "every", 2*time.Second, "with --watch: how often to look")
	return cmd
}

// runArgument is the run that is named, or the newest that did not stand aside.
func runArgument(ctx context.Context, l *ledger.Ledger, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	runs, err := allRuns(ctx, l)
	if err != nil {
		return "", err
	}
	for _, r := range runs {
		if r.Why != "skipped" {
			return r.Run, nil
		}
	}
	return "", errors.New("there are no runs yet; the first begins with the schedule, or by: fhirdeid runs start")
}

type showOptions struct {
	watch, json bool
	every       time.Duration
}

func showRun(ctx context.Context, out io.Writer, l *ledger.Ledger, id string, o showOptions) error {
	var last string
	view := progress.New(out)
	for {
		r, _, err := l.Run(ctx, id)
		if errors.Is(err, ledger.ErrNoRun) {
			return noRun(id)
		}
		if err != nil {
			return err
		}
		over := r.State.Over() || !o.watch
		switch {
		case o.json && o.watch:
			r.Tick, r.TickAt = 0, time.Time{} // a heartbeat alone is no change
			line, err := json.Marshal(r)
			if err != nil {
				return err
			}
			if string(line) != last {
				fmt.Fprintf(out, "%s\n", line)
				last = string(line)
			}
		case o.json:
			if err := printJSON(out, r); err != nil {
				return err
			}
		case !over:
			view.Show(r)
		}
		if over {
			view.End()
			if !o.json {
				printRun(out, r)
			}
			return stateCode(r)
		}
		select {
		case <-ctx.Done():
			view.End()
			return errors.New("interrupted; the run goes on")
		case <-time.After(o.every):
		}
	}
}

// printRun prints what a person wants to know of a run.
func printRun(out io.Writer, r *ledger.Run) {
	if !r.State.Over() {
		fmt.Fprintln(out, progress.Line(r))
		for _, n := range r.Notes {
			fmt.Fprintf(out, "  %s  %s: %s%s\n", n.At.UTC().Format("15:04:05"), n.Code, n.Text, repeated(n.Times))
		}
	} else {
		_, _ = out.Write(pipeline.Report(r).Text())
	}
	fmt.Fprintf(out, "trace   %s\n", telemetry.TraceID(r))
	if r.State == ledger.Released {
		fmt.Fprintf(out, "\nHand it to researchers outside: fhirdeid share %s --for 7d\n", r.ID)
	}
}

func repeated(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" (%d times)", n)
}

// stateCode is nil for a released run, else an error with the exit code of its
// state.
func stateCode(r *ledger.Run) error {
	code, ok := map[ledger.State]int{ledger.Released: exitOK, ledger.Held: exitHeld, ledger.Failed: exitFailed, ledger.Cancelled: exitFailed}[r.State]
	if !ok {
		code = exitUnder
	}
	if code == exitOK {
		return nil
	}
	return &codeError{code, fmt.Errorf("run %s is %s", r.ID, r.State)}
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// completeRuns offers the runs of the installation to the shell.
func (o *installed) completeRuns(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), 5*time.Second)
	defer cancel()
	cmd.SetContext(ctx)
	in, err := o.open(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	runs, err := allRuns(ctx, ledger.New(in.Pipeline.Stores.Ledger))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, r := range runs {
		if strings.HasPrefix(r.Run, prefix) {
			names = append(names, r.Run+"\t"+string(r.State))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
