// Command fhirdeid de-identifies FHIR files by a policy, verifies the result, and
// operates the nightly runs of an installation. `fhirdeid help` says how.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"fhirdeid/internal/installation"
)

// Exit codes, for scripts.
const (
	exitOK       = 0
	exitFault    = 1 // it could not be done
	exitUsage    = 2 // the call's words are off
	exitBadLines = 3 // done, but lines were left out, or findings were found
)

// codeError ends the program with a code of its own.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	root := rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(os.Stderr, "fhirdeid:", err)
	var coded *codeError
	if errors.As(err, &coded) {
		return coded.code
	}
	return exitFault
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "fhirdeid",
		Short: "De-identify FHIR data, prove it, and operate the nightly runs",
		Long: `fhirdeid de-identifies FHIR resources by a policy: a built-in profile such as
safe-harbor, or a rule file in the language of Microsoft's "Tools for Health Data
Anonymization". It verifies results by an independent checker, and operates the
runs of an installation.

Exit codes: 0 done; 1 it could not be done; 2 the call's words are off; 3 done,
but lines were left out or the verifier has found something.`,
		Version:       installation.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &codeError{exitUsage, err} })
	root.AddCommand(anonymizeCommand(), lintCommand(), explainCommand(), previewCommand(), verifyCommand(), fhirpathCommand(), keysCommand(), runsCommand(), shareCommand(), doctorCommand(), policyCommand(), seedCommand())
	return root
}

// usage wraps the check of arguments, so that it has its exit code.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &codeError{exitUsage, err}
		}
		return nil
	}
}
