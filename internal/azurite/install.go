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

// Install installs the pinned emulator once and returns the path of its script.
func Install(ctx context.Context) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(packageLock)
	dir := filepath.Join(cache, "azurite-"+hex.EncodeToString(sum[:6]))
	script := filepath.Join(dir, "node_modules", "azurite", "dist", "src", "azurite.js")
	done := filepath.Join(dir, "installed")
	if exists(done) {
		return script, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("installing Azurite: %w", err)
	}
	lock := flock.New(filepath.Join(cache, "azurite.lock"))
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return "", fmt.Errorf("waiting for another installation of Azurite: %w", err)
	}
	defer lock.Unlock()
	if exists(done) {
		return script, nil
	}
	npm, err := find("npm")
	if err != nil {
		return "", err
	}
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, "package.json"), packageJSON, 0o644),
		os.WriteFile(filepath.Join(dir, "package-lock.json"), packageLock, 0o644),
	); err != nil {
		return "", fmt.Errorf("installing Azurite: %w", err)
	}
	cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = dir
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("installing Azurite with npm ci in %s: %w\n%s", dir, err, output.Bytes())
	}
	if !exists(script) {
		return "", fmt.Errorf("installing Azurite: npm ci ended well, yet there is no %s", script)
	}
	if err := os.WriteFile(done, nil, 0o644); err != nil {
		return "", fmt.Errorf("installing Azurite: %w", err)
	}
	return script, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
