package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/storage"
)

// Policy looks whether the policy compiles and its keys are there and strong.
func Policy(check func(ctx context.Context) (pipeline.PolicyState, error), vault string) Check {
	return Check{"policy and keys", func(ctx context.Context) Result {
		p, err := check(ctx)
		var bad *pipeline.PreflightError
		var login loginError
		switch {
		case errors.As(err, &login):
			return fault(err.Error(), "az login")
		case errors.As(err, &bad):
			return fault(bad.Error(), policyRemedy(bad.Reasons[0].Code, vault))
		case errors.Is(err, storage.ErrDenied), errors.Is(err, storage.ErrUnreachable):
			return of(err, "", "Give yourself the role \"Storage Blob Data Reader\" on the raw account")
		case err != nil:
			return fault(err.Error(), "Try again in some minutes; if it stays, look whether the vault and the raw account can be reached from here")
		}
		text := fmt.Sprintf("the policy %s compiles, and its keys can be read: %s", p.Name, strings.Join(p.Keys, ", "))
		if len(p.Keys) == 0 {
			text = fmt.Sprintf("the policy %s compiles, and needs no key", p.Name)
		}
		if p.Claim == "none" {
			return warning(text+"; it claims nothing, so its result is released unverified", "fhirdeid lint POLICY shows what a claim would need; safe-harbor is built in")
		}
		return ok(text + "; it claims " + p.Claim)
	}}
}

// policyRemedy is what mends a fault of the policy, by its code.
func policyRemedy(code, vault string) string {
	switch code {
	case "policy-missing":
		return "fhirdeid policy push FILE --app, or set POLICY to a built-in profile: safe-harbor"
	case "key-invalid", "key-unavailable":
		if vault == "" {
			return "Set KEY_VAULT_URL to the vault that has the keys; for local use FHIRDEID_KEY_… to what `fhirdeid keys new` prints"
		}
		return "az keyvault secret set --vault-name VAULT --name pseudonym-key --value \"$(fhirdeid keys new -q)\" --output none"
	}
	return "fhirdeid lint POLICY"
}

// releaseAge is how old the newest release may be: a night, and two hours.
const releaseAge = 26 * time.Hour

// Runs looks how the nights went: the newest run, its heartbeat, and the age of
// the newest release.
func Runs(l *ledger.Ledger, now time.Time) Check {
	return Check{"runs", func(ctx context.Context) Result {
		scopes, err := l.Scopes(ctx)
		if err != nil {
			return of(err, "Deploy the templates again: they make the container ledger", "Have the role \"Storage Blob Data Reader\" on the raw account given to you")
		}
		newest, brief := newestScope(scopes)
		if newest == nil {
			return warning("there are no runs yet", "fhirdeid runs start; or wait for EXPORT_SCHEDULE")
		}
		run, _, err := l.Run(ctx, brief.Run)
		if err != nil {
			return fault(fmt.Sprintf("the newest run, %s, cannot be read", brief.Run), "fhirdeid runs show "+brief.Run)
		}
		show := "fhirdeid runs show " + run.ID
		age := now.Sub(newest.TransactionTime)
		switch {
		case run.State == ledger.Held:
			return fault(fmt.Sprintf("run %s is held, and waits for a person: %s", run.ID, codes(run)), show+"; then fhirdeid runs retry, release or discard "+run.ID)
		case run.State == ledger.Failed:
			return fault(fmt.Sprintf("run %s has failed: %s", run.ID, codes(run)), show)
		case !run.State.Over() && now.Sub(run.TickAt) > time.Hour:
			return fault(fmt.Sprintf("run %s is %s, but its heartbeat has stopped since %s", run.ID, run.State, run.TickAt.UTC().Format(time.RFC3339)), "fhirdeid runs start, which revives it; look whether the function app runs: az functionapp show --name APP --resource-group GROUP --query state")
		case newest.LastReleased == "":
			return warning("nothing has been released yet; the newest run is "+run.ID+", "+string(run.State), show+" --watch")
		case age > releaseAge:
			return fault(fmt.Sprintf("the newest release, %s, is %s old", newest.LastReleased, age.Round(time.Hour)), "fhirdeid runs list; look whether the timer fires: az functionapp function show --name APP --resource-group GROUP --function-name StartExport")
		}
		return ok(fmt.Sprintf("the newest release is %s, %s old", newest.LastReleased, age.Round(time.Minute)))
	}}
}

// Events looks, in the record of the newest run, whether the events of blobs
// arrive: the run is right without them, but late.
func Events(l *ledger.Ledger, local bool) Check {
	return Check{"blob events", func(ctx context.Context) Result {
		scopes, err := l.Scopes(ctx)
		if err != nil {
			return of(err, "Deploy the templates again: they make the container ledger", "Have the role \"Storage Blob Data Reader\" on the raw account given to you")
		}
		_, brief := newestScope(scopes)
		if brief.Run == "" {
			return skipped("no run has needed them yet")
		}
		run, _, err := l.Run(ctx, brief.Run)
		if err != nil || run.Manifest == nil {
			return skipped("the newest run has not needed them yet")
		}
		if i := slices.IndexFunc(run.Notes, func(n ledger.Note) bool { return n.Code == "files-redriven" }); i >= 0 {
			remedy := "In an isolated installation this is how it works; else look whether the subscription is there and what it could not deliver: az eventgrid system-topic event-subscription list --resource-group GROUP --system-topic-name TOPIC; make it anew with the post-deploy step (azd hooks run postdeploy)"
			if local {
				remedy = "Look at .local/logs/host.log"
			}
			return warning(fmt.Sprintf("run %s had to ask again for files whose events did not come, up to %s", run.ID, run.Notes[i].At.UTC().Format(time.RFC3339)), remedy)
		}
		return ok("run " + run.ID + " needed no second asking")
	}}
}

// newestScope is the scope of the newest run that did not stand aside.
func newestScope(scopes []*ledger.Scope) (*ledger.Scope, ledger.Brief) {
	var newest *ledger.Scope
	var brief ledger.Brief
	for _, s := range scopes {
		for _, b := range s.Recent {
			if b.Why != "skipped" && b.Run > brief.Run {
				newest, brief = s, b
			}
		}
	}
	return newest, brief
}

func codes(r *ledger.Run) string {
	list := make([]string, len(r.Reasons))
	for i, why := range r.Reasons {
		list[i] = why.Code
	}
	return strings.Join(list, ", ")
}
