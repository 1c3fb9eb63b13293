package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/keys"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
)

// PreflightError lists the lasting faults that keep a run from starting, all of
// them at once.
type PreflightError struct{ Reasons []ledger.Reason }

func (e *PreflightError) Error() string {
	texts := make([]string, len(e.Reasons))
	for i, r := range e.Reasons {
		texts[i] = r.Text
	}
	return strings.Join(texts, "\n")
}

// groupLooker is an Exporter that can say how many members a group has.
type groupLooker interface {
	GroupSize(ctx context.Context, id string) (bulkdata.GroupSize, error)
}

// preflight looks, before anything is asked of the server, whether the run can
// be done: the policy compiles and fits its claim, its keys can be read and are
// strong, the containers can be written, the group has members. It fills the
// run's policy, keys and generation.
func (p *Pipeline) preflight(ctx context.Context, run *ledger.Run) error {
	var found PreflightError
	add := func(err error) error {
		var l *lastingError
		if errors.As(err, &l) {
			found.Reasons = append(found.Reasons, ledger.Reason{Code: l.code, Text: sentence(l.text)})
			return nil
		}
		return err
	}
	if err := add(p.preflightPolicy(ctx, run)); err != nil {
		return err
	}
	for _, c := range []storage.Container{p.Stores.Raw, p.Stores.Quarantine, p.Stores.Staging, p.Stores.Research, p.Stores.Catalog} {
		if err := add(probe(ctx, c)); err != nil {
			return err
		}
	}
	if err := add(p.preflightGroup(ctx, run)); err != nil {
		return err
	}
	if err := add(p.preflightServerPolicy(ctx, run)); err != nil {
		return err
	}
	run.Generation = generation(run)
	if len(found.Reasons) > 0 {
		return &found
	}
	return nil
}

func (p *Pipeline) preflightPolicy(ctx context.Context, run *ledger.Run) error {
	run.Policy.Name = p.Plan.Policy
	rules, err := p.policy(ctx, p.Plan.Policy)
	if err != nil {
		return err
	}
	run.Policy.Hash, run.Policy.Claim = rules.Hash(), string(rules.Claim)
	run.Policy.Extends, run.Policy.Loosened = rules.Extends(), nil
	for _, l := range rules.Loosenings() {
		run.Policy.Loosened = append(run.Policy.Loosened, ledger.Loosening{Path: l.Path, Method: string(l.Method), Reason: l.Reason})
	}
	run.Risk = &ledger.Risk{QuasiIdentifiers: rules.Risk.QuasiIdentifiers, K: rules.Risk.K, MinimumCell: rules.Risk.MinimumCell}
	run.FHIRVersion = rules.FHIRVersion
	if run.FHIRVersion == "" {
		run.FHIRVersion = p.Plan.FHIRVersion
	}
	if err := p.pinKeys(ctx, run, rules); err != nil {
		return err
	}
	_, err = p.engine(ctx, run)
	return err
}

// pinKeys writes down which version of each key the run uses.
func (p *Pipeline) pinKeys(ctx context.Context, run *ledger.Run, rules *policy.Policy) error {
	run.Keys = nil
	var bad []string
	for _, use := range rules.Keys() {
		if use.Inline {
			continue
		}
		name := keyNames[use.Purpose]
		secret, err := p.Keys.Get(ctx, name, "")
		switch {
		case errors.Is(err, keys.ErrNotFound), errors.Is(err, keys.ErrDenied):
			bad = append(bad, err.Error())
			continue
		case err != nil:
			return fmt.Errorf("reading the key %s: %w", name, err)
		}
		if err := keys.Check(secret); err != nil {
			bad = append(bad, err.Error())
			continue
		}
		run.Keys = append(run.Keys, ledger.Key{Purpose: string(use.Purpose), Name: secret.Name, Version: secret.Version, ID: keys.ID(secret.Value)})
	}
	if len(bad) > 0 {
		return lastingf(codeKeyBad, "%s", strings.Join(bad, "; "))
	}
	return nil
}

// keyNames are the names of the secrets in the key vault.
var keyNames = map[policy.KeyPurpose]string{
	policy.DateShiftKey:  "date-shift-key",
	policy.CryptoHashKey: "crypto-hash-key",
	policy.EncryptKey:    "encrypt-key",
	policy.PseudonymKey:  "pseudonym-key",
}

// KeyNames lists the names of the secrets that policies can ask for.
func KeyNames() []string {
	return []string{
		keyNames[policy.DateShiftKey], keyNames[policy.CryptoHashKey],
		keyNames[policy.EncryptKey], keyNames[policy.PseudonymKey],
	}
}

// probe writes a blob of no content and deletes it.
func probe(ctx context.Context, c storage.Container) error {
	const name = ".preflight"
	_, err := c.Put(ctx, name, nil, storage.PutOptions{})
	switch {
	case errors.Is(err, storage.ErrDenied), errors.Is(err, storage.ErrNotFound):
		return lastingf("container-unwritable", "the container %s cannot be written: %s", c.Name(), err)
	case err != nil:
		return fmt.Errorf("writing to the container %s: %w", c.Name(), err)
	}
	if err := c.Delete(ctx, name); err != nil {
		return fmt.Errorf("deleting from the container %s: %w", c.Name(), err)
	}
	return nil
}

// preflightGroup looks whether the group has members. Where this identity may
// not look, or the server cannot say, the export will tell.
func (p *Pipeline) preflightGroup(ctx context.Context, run *ledger.Run) error {
	looker, ok := p.Exporter.(groupLooker)
	if !ok || run.Request.Level != bulkdata.LevelGroup {
		return nil
	}
	size, err := looker.GroupSize(ctx, run.Request.GroupID)
	var e *bulkdata.Error
	switch {
	case errors.As(err, &e) && e.Status == 404:
		return lastingf("group-missing", "the server has no group with the id that EXPORT_GROUP names")
	case err != nil:
		run.Note(p.Now(), "group-unseen", "It could not be seen whether the group has members: "+err.Error())
	case size.Known && size.Members == 0:
		return lastingf("group-empty", "the group that EXPORT_GROUP names has no members")
	}
	return nil
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}
