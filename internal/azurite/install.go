package azurite

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// The pinned version and everything it needs, by hash. The lock file names no
// download addresses, so that a user's own registry settings hold.
var (
	//go:embed npm/package.json
	packageJSON []byte
	//go:embed npm/package-lock.json
	packageLock []byte
)

// Look says what is missing for Start before anything is done. It is a
// *MissingError.
func Look() error {
	if _, err := find("node"); err != nil {
		return err
	}
	if p, err := findPlace(); err == nil && exists(p.done) {
		return nil
	}
	_, err := find("npm")
	return err
}

// place is where the pinned emulator is installed.
type place struct {
	cache, dir, script string
	done               string // there once the installation is whole
}

func findPlace() (place, error) {
	cache, err := cacheDir()
	if err != nil {
		return place{}, err
	}
	sum := sha256.Sum256(packageLock)
	dir := filepath.Join(cache, "azurite-"+hex.EncodeToString(sum[:6]))
	return place{cache, dir, filepath.Join(dir, "node_modules", "azurite", "dist", "src", "azurite.js"), filepath.Join(dir, "installed")}, nil
}

// Install installs the pinned emulator once and returns the path of its script.
func Install(ctx context.Context) (string, error) {
	p, err := findPlace()
	if err != nil {
		return "", err
	}
	if exists(p.done) {
		return p.script, nil
	}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return "", fmt.Errorf("installing Azurite: %w", err)
	}
	lock := flock.New(filepath.Join(p.cache, "azurite.lock"))
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return "", fmt.Errorf("waiting for another installation of Azurite: %w", err)
	}
	defer lock.Unlock()
	if exists(p.done) {
		return p.script, nil
	}
	npm, err := find("npm")
	if err != nil {
		return "", err
	}
	if err := errors.Join(
		os.WriteFile(filepath.Join(p.dir, "package.json"), packageJSON, 0o644),
		os.WriteFile(filepath.Join(p.dir, "package-lock.json"), packageLock, 0o644),
	); err != nil {
		return "", fmt.Errorf("installing Azurite: %w", err)
	}
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = p.dir
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("installing Azurite with npm ci in %s: %w\n%s", p.dir, err, output.Bytes())
	}
	if !exists(p.script) {
		return "", fmt.Errorf("installing Azurite: npm ci ended well, yet there is no %s", p.script)
	}
	if err := os.WriteFile(p.done, nil, 0o644); err != nil {
		return "", fmt.Errorf("installing Azurite: %w", err)
	}
	return p.script, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
