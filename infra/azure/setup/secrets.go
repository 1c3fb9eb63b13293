package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fhirdeid/internal/keys"
	"fhirdeid/internal/pipeline"
)

// roleTries and rolePause bound how long a role that was just given is waited for:
// it takes minutes until all of Azure knows it.
const (
	roleTries = 20
	rolePause = 30 * time.Second
)

// encryptKey is the one key whose length is fixed: that of an AES key.
const encryptKey = "encrypt-key"

// keys makes the keys that are not there. One that is there is never changed: data
// of another key does not fit together.
func (s *setup) keys(ctx context.Context, in installation) error {
	for _, name := range pipeline.KeyNames() {
		made, err := s.key(ctx, in["VAULT_NAME"], name)
		if err != nil {
			return err
		}
		if made {
			s.say("The key %s is made. Nobody has seen it.", name)
		} else {
			s.say("The key %s is there.", name)
		}
	}
	return nil
}

// key makes a key if it is not there.
func (s *setup) key(ctx context.Context, vault, name string) (made bool, err error) {
	for try := 1; ; try++ {
		_, err = s.az.run(ctx, "keyvault", "secret", "show", "--vault-name", vault, "--name", name, "--query", "id", "--output", "tsv")
		if !is(err, "Forbidden", "ForbiddenByRbac") || try == roleTries {
			break
		}
		if try == 1 {
			s.say("Waiting for your role on the key vault to be known everywhere …")
		}
		if err := s.pause(ctx, rolePause); err != nil {
			return false, err
		}
	}
	switch {
	case err == nil:
		return false, nil
	case is(err, "Forbidden", "ForbiddenByRbac"):
		return false, fmt.Errorf("you may not see the keys of %s: you need the role \"Key Vault Secrets Officer\" on it, and its network has to let you in", vault)
	case !is(err, "SecretNotFound"):
		return false, err
	}
	value := keys.New()
	if name == encryptKey {
		value = value[:32]
	}
	file, remove, err := privateFile("key", []byte(value))
	if err != nil {
		return false, err
	}
	defer remove()
	_, err = s.az.run(ctx, "keyvault", "secret", "set", "--vault-name", vault, "--name", name, "--file", file, "--encoding", "utf-8", "--output", "none")
	if is(err, "deleted but recoverable") {
		return false, fmt.Errorf("the key %s was deleted and can still be had back: az keyvault secret recover --vault-name %s --name %s", name, vault, name)
	}
	return err == nil, err
}

// privateFile writes a file that nobody else can read, which remove deletes. It is
// how a secret is handed to the CLI, since arguments are seen by everybody.
func privateFile(name string, data []byte) (path string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "fhirdeid") // made with mode 0700
	if err != nil {
		return "", nil, fmt.Errorf("making a private folder: %w", err)
	}
	remove = func() { _ = os.RemoveAll(dir) }
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		remove()
		return "", nil, fmt.Errorf("writing a private file: %w", err)
	}
	return path, remove, nil
}
