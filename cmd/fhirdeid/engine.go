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
	"fhirdeid/internal/verify"
)

// engineOptions are the flags that make an engine.
type engineOptions struct {
	policy  string
	asOf    string
	version string
	dataSet string
}

// readPolicy reads a built-in profile by name, or a rule file.
func readPolicy(name string) (*policy.Policy, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		p, builtinErr := policy.Builtin(name)
		if builtinErr != nil {
			return nil, fmt.Errorf("there is no file %s, and %w", name, builtinErr)
		}
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	p, err := policy.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("the policy %s: %w", name, err)
	}
	return p, nil
}

// compile makes the engine, with keys from the environment, and the verifier of
// the policy's claim, nil where it claims nothing.
func (o *engineOptions) compile() (*anonymize.Engine, *verify.Checker, error) {
	p, err := readPolicy(o.policy)
	if err != nil {
		return nil, nil, err
	}
	asOf := time.Now()
	if o.asOf != "" {
		if asOf, err = settings.ParseTime(o.asOf); err != nil {
			return nil, nil, &codeError{exitUsage, fmt.Errorf("--as-of is %w", err)}
		}
	}
	material, err := o.keys(p)
	if err != nil {
		return nil, nil, err
	}
	e, err := anonymize.Compile(p, anonymize.Options{Keys: material, AsOf: asOf, FHIRVersion: o.version})
	if err != nil {
		return nil, nil, fmt.Errorf("the policy %s: %w", o.policy, err)
	}
	if p.Claim == policy.ClaimNone {
		return e, nil, nil
	}
	version := p.FHIRVersion
	if version == "" {
		version = o.version
	}
	c, err := verify.New(string(p.Claim), verify.Options{FHIRVersion: version, AsOf: asOf})
	return e, c, err
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
