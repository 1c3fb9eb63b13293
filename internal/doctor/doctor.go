// Package doctor looks whether an installation can do its work: whether its parts
// are there, can be reached and let this identity in, and whether its nights go
// well. Each check is a function of its own that says what it has seen, and for a
// fault what mends it. None of them changes anything, but for those that a caller
// asks to try writing.
package doctor

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"fhirdeid/internal/storage"
)

// Status says what a check has found.
type Status string

// What a check can find.
const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, and a person should look
	Fault   Status = "fault"   // it does not work
	Skipped Status = "skipped" // it could not be looked at, and need not be
)

// Result is what a check has found: a sentence, and what mends it.
type Result struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Text   string `json:"text"`
	// Remedy is a command, or a sentence with one; "" where all is well.
	Remedy string `json:"remedy,omitempty"`
}

// Check looks at one thing. The name of its result is set by Run.
type Check struct {
	Name string
	Look func(ctx context.Context) Result
}

func ok(text string) Result               { return Result{Status: OK, Text: text} }
func skipped(text string) Result          { return Result{Status: Skipped, Text: text} }
func fault(text, remedy string) Result    { return Result{Status: Fault, Text: text, Remedy: remedy} }
func warning(text, remedy string) Result  { return Result{Status: Warning, Text: text, Remedy: remedy} }
func (r Result) named(name string) Result { r.Check = name; return r }

// checkTime bounds one check.
const checkTime = time.Minute

// atOnce is how many checks look at the same time.
const atOnce = 8

// Run does the checks, some at a time, and returns their results in order.
func Run(ctx context.Context, checks []Check) []Result {
	results := make([]Result, len(checks))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, c := range checks {
		g.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, checkTime)
			defer cancel()
			results[i] = c.Look(ctx).named(c.Name)
			return nil
		})
	}
	_ = g.Wait() // no check returns an error
	return results
}

// Faulty reports whether one of the results is a fault.
func Faulty(results []Result) bool {
	for _, r := range results {
		if r.Status == Fault {
			return true
		}
	}
	return false
}

// loginError is an identity that got no token: its text has the remedy.
type loginError interface{ NonRetriable() }

// of makes a result of an error, the same for all checks of storage: what is
// missing, what is not allowed, what cannot be reached.
func of(err error, missing, denied string) Result {
	var login loginError
	switch {
	case errors.As(err, &login):
		return fault("There is no Azure identity to use: "+err.Error(), "az login")
	case errors.Is(err, storage.ErrNotFound):
		return fault(err.Error(), missing)
	case errors.Is(err, storage.ErrDenied):
		return fault(err.Error(), denied)
	case errors.Is(err, storage.ErrUnreachable):
		return fault(err.Error(), "Look at the endpoint in the settings; then at the account's network: az storage account show --name ACCOUNT --query \"{access: publicNetworkAccess, rules: networkRuleSet}\"")
	}
	return fault(err.Error(), "Try again in some minutes; if it stays, look at the state of Azure: https://status.azure.com")
}
