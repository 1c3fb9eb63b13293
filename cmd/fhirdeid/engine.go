package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"fhirdeid/anonymize"
	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/keys"
	"fhirdeid/internal/settings"
)

// engineOptions are the flags that make an engine.
type engineOptions struct {
	policy  string
	compat  string // a policy.Compat
	asOf    string
	at      time.Time // what asOf says, or now
	version string    // the FHIR version, once it is settled
	dataSet string
	// syntheticIV makes encryption repeatable.
	syntheticIV bool
}

// readPolicy reads a built-in profile by name, or a rule file.
func readPolicy(name string, compat policy.Compat) (*policy.Policy, error) {
	data, profile, err := policySource(name)
	switch {
	case err != nil:
		return nil, err
	case profile != nil && compat != "":
		return nil, usageError("--compat is for rule files, not for built-in profiles")
	case profile != nil:
		return profile, nil
	}
	p, err := policy.ParseWith(data, policy.ParseOptions{Compat: compat})
	if err != nil {
		return nil, fmt.Errorf("the policy %s: %w", name, err)
	}
	return p, nil
}

// policySource reads the text of a rule file, or of a built-in profile by name;
// profile is nil where it is a file.
func policySource(name string) (data []byte, profile *policy.Policy, err error) {
	data, err = os.ReadFile(name)
	switch {
	case err == nil:
		return data, nil, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, nil, fmt.Errorf("reading the policy: %w", err)
	}
	if profile, err = policy.Builtin(name); err != nil {
		return nil, nil, fmt.Errorf("there is no file %s, and %w", name, err)
	}
	return profile.Source(), profile, nil
}

// read reads what the flags name: the policy, and the instant.
func (o *engineOptions) read() (*policy.Policy, error) {
	compat := policy.Compat(o.compat)
	if compat != "" && compat != policy.CompatMicrosoft {
		return nil, usageError("--compat is microsoft, or is left out")
	}
	var err error
	if o.at, err = o.instant(); err != nil {
		return nil, err
	}
	p, err := readPolicy(o.policy, compat)
	if err != nil {
		return nil, err
	}
	_, err = o.keys(p) // before anything is read that may take long
	return p, err
}

// instant is what --as-of says, or now.
func (o *engineOptions) instant() (time.Time, error) {
	if o.asOf == "" {
		return time.Now(), nil
	}
	at, err := settings.ParseTime(o.asOf)
	if err != nil {
		return at, &codeError{exitUsage, fmt.Errorf("--as-of is %w", err)}
	}
	return at, nil
}

// compile makes the engine, with keys from the environment, and what is checked
// of each line.
func (w *work) compile(p *policy.Policy) error {
	o := &w.o.engineOptions
	material, err := o.keys(p)
	if err != nil {
		return err
	}
	w.engine, err = anonymize.Compile(p, anonymize.Options{Keys: material, AsOf: o.at, FHIRVersion: o.version, SyntheticIV: o.syntheticIV})
	if err != nil {
		return fmt.Errorf("the policy %s: %w", o.policy, err)
	}
	return w.makeChecks(p)
}

// keys reads the keys that the policy needs and does not have itself.
func (o *engineOptions) keys(p *policy.Policy) (m anonymize.Keys, err error) {
	names := map[policy.KeyPurpose]struct {
		name string
		into *[]byte
	}{
		policy.DateShiftKey: {"date-shift-key", &m.DateShift}, policy.CryptoHashKey: {"crypto-hash-key", &m.CryptoHash},
		policy.EncryptKey: {"encrypt-key", &m.Encrypt}, policy.PseudonymKey: {"pseudonym-key", &m.Pseudonym},
	}
	for _, use := range p.Keys() {
		if use.Inline {
			continue
		}
		k := names[use.Purpose]
		value, ok := os.LookupEnv(keys.SettingName(k.name))
		if !ok {
			return m, fmt.Errorf("the policy needs the key %s: set %s=\"$(fhirdeid keys new)\", and keep it if results have to agree with later ones", k.name, keys.SettingName(k.name))
		}
		if err := keys.Check(keys.Secret{Name: k.name, Value: []byte(value)}); err != nil {
			return m, err
		}
		*k.into = []byte(value)
		if p.Mode == policy.Strict {
			*k.into = keys.Derive([]byte(value), o.dataSet, string(use.Purpose))
		}
	}
	return m, nil
}
