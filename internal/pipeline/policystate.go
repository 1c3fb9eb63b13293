package pipeline

import (
	"context"
	"errors"

	"fhirdeid/internal/ledger"
)

// PolicyState is what the policy of the next run is.
type PolicyState struct {
	Name, Hash, Claim string
	// FHIRVersion is that of the policy, or of the settings where it names none.
	FHIRVersion string
	// Keys are the names of the keys it needs.
	Keys []string
}

// CheckPolicy looks whether the next run's policy compiles, fits its claim and has
// its keys. The error is a *PreflightError where a person has to mend it.
func (p *Pipeline) CheckPolicy(ctx context.Context) (PolicyState, error) {
	now := p.Now()
	run := &ledger.Run{AsOf: now, DataSet: p.Plan.DataSet, Server: p.Plan.Server, Request: p.Plan.Request}
	err := p.preflightPolicy(ctx, run)
	var l *lastingError
	if errors.As(err, &l) {
		return PolicyState{}, &PreflightError{Reasons: []ledger.Reason{{Code: l.code, Text: sentence(l.text)}}}
	}
	if err != nil {
		return PolicyState{}, err
	}
	state := PolicyState{Name: run.Policy.Name, Hash: run.Policy.Hash, Claim: run.Policy.Claim, FHIRVersion: run.FHIRVersion}
	for _, k := range run.Keys {
		state.Keys = append(state.Keys, k.Name)
	}
	return state, nil
}
