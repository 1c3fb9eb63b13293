package keys

import (
	"context"
	"fmt"
	"strings"
)

// environment reads secrets from settings, for local use.
type environment struct{ lookup func(string) (string, bool) }

// Environment returns secrets that are settings: the key "crypto-hash-key" is
// FHIRDEID_KEY_CRYPTO_HASH_KEY. Its versions are IDs of the value, so that a
// setting changed during a run is noticed.
func Environment(lookup func(string) (string, bool)) Source { return environment{lookup} }

// SettingName is the name of the setting that holds a key.
func SettingName(key string) string {
	return "FHIRDEID_KEY_" + strings.ToUpper(strings.ReplaceAll(key, "-", "_"))
}

func (e environment) Get(_ context.Context, name, version string) (Secret, error) {
	setting := SettingName(name)
	value, ok := e.lookup(setting)
	if !ok {
		return Secret{}, fmt.Errorf("%w: %q; set KEY_VAULT_URL to the vault that has it, or for local use %s to what `fhirdeid keys new` prints", ErrNotFound, name, setting)
	}
	s := Secret{Name: name, Version: ID(trim(value)), Value: trim(value)}
	if version != "" && version != s.Version {
		return Secret{}, fmt.Errorf("%w: the setting %s was changed since the run began", ErrNotFound, setting)
	}
	return s, nil
}
