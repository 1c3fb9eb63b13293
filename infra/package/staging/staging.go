// Package staging lays the function app out as the Functions host wants it: the
// host finds function.json only in direct subfolders of the app's root, while
// the source keeps them under functions/.
//
//	dist/
//	  host.json
//	  handler                     the program, from ./functions
//	  StartExport/function.json   and the other functions
//	  local.settings.json         target local only, if there is none yet
package staging

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
)

// Target says where the app is to run.
type Target string

// The targets.
const (
	// Local is this machine. Blob events come by polling, since no Event Grid
	// is there to send them.
	Local Target = "local"
	// Azure is Linux on amd64.
	Azure Target = "azure"
)

// Stage builds the handler and writes the app to out. root is the module's
// root. The same source gives the same bytes.
func Stage(ctx context.Context, root, out string, target Target) error {
	if target != Local && target != Azure {
		return fmt.Errorf("there is no target %q; it is local or azure", target)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("making the folder of the app: %w", err)
	}
	if err := build(ctx, root, filepath.Join(out, "handler"), target); err != nil {
		return err
	}
	if err := copyFile(filepath.Join(root, "host.json"), filepath.Join(out, "host.json")); err != nil {
		return err
	}
	functions, err := filepath.Glob(filepath.Join(root, "functions", "*", "function.json"))
	if err != nil || len(functions) == 0 {
		return fmt.Errorf("there are no functions under %s", filepath.Join(root, "functions"))
	}
	if err := removeOthers(out, functions); err != nil {
		return err
	}
	for _, from := range functions {
		if err := stageFunction(from, filepath.Join(out, filepath.Base(filepath.Dir(from))), target); err != nil {
			return err
		}
	}
	settings := filepath.Join(out, "local.settings.json")
	if _, err := os.Stat(settings); target == Local && os.IsNotExist(err) {
		return copyFile(filepath.Join(root, "local.settings.json.example"), settings)
	}
	return nil
}

// removeOthers takes away functions of an earlier version, which the host would
// load as well.
func removeOthers(out string, functions []string) error {
	old, err := filepath.Glob(filepath.Join(out, "*", "function.json"))
	if err != nil {
		return fmt.Errorf("looking for older functions: %w", err)
	}
	for _, file := range old {
		name := filepath.Base(filepath.Dir(file))
		ours := func(f string) bool { return filepath.Base(filepath.Dir(f)) == name }
		if slices.ContainsFunc(functions, ours) {
			continue
		}
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("removing an older function: %w", err)
		}
	}
	return nil
}

// build compiles the handler without anything of this machine in it, be it a path
// or a setting of the Go command.
func build(ctx context.Context, root, out string, target Target) error {
	flags := "-s -w -buildid="
	if commit := revision(ctx, root); commit != "" {
		flags += " -X fhirdeid/internal/installation.revision=" + commit
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags="+flags, "-o", out, "./functions")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off")
	if target == Azure {
		cmd.Env = append(cmd.Env, "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1")
	} else {
		cmd.Env = append(cmd.Env, "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building the handler: %w\n%s", err, output.Bytes())
	}
	return nil
}

func stageFunction(from, dir string, target Target) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of a function: %w", err)
	}
	to := filepath.Join(dir, "function.json")
	if target == Azure {
		return copyFile(from, to)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading a function: %w", err)
	}
	data, err = withoutEventGrid(data)
	if err != nil {
		return fmt.Errorf("changing %s: %w", from, err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		return fmt.Errorf("writing a function: %w", err)
	}
	return nil
}

// withoutEventGrid takes "source": "EventGrid" out of a function's bindings.
func withoutEventGrid(data []byte) ([]byte, error) {
	var function map[string]json.RawMessage
	if err := json.Unmarshal(data, &function); err != nil {
		return nil, err
	}
	var bindings []map[string]any
	if err := json.Unmarshal(function["bindings"], &bindings); err != nil {
		return nil, err
	}
	for _, b := range bindings {
		delete(b, "source")
	}
	var err error
	if function["bindings"], err = json.Marshal(bindings); err != nil {
		return nil, err
	}
	return json.MarshalIndent(function, "", "  ")
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("staging the app: %w", err)
	}
	if err := os.WriteFile(to, data, 0o644); err != nil {
		return fmt.Errorf("staging the app: %w", err)
	}
	return nil
}

// Root finds the module's root from the folder one stands in.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "host.json")); err == nil {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				return dir, nil
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("this is not the project's folder: there is no host.json beside a go.mod here or above")
		}
		dir = parent
	}
}
