package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// azure is the Azure CLI.
type azure interface {
	// run calls it and returns what it prints. Arguments are seen by every process
	// of the machine, so no secret is among them.
	run(ctx context.Context, args ...string) ([]byte, error)
}

// cli is the program az on the PATH.
type cli struct{}

func (cli) run(ctx context.Context, args ...string) ([]byte, error) {
	// azd may work in another subscription than the CLI's own. An address names its.
	if id := os.Getenv("AZURE_SUBSCRIPTION_ID"); id != "" && args[0] != "rest" {
		args = append(args, "--subscription", id)
	}
	cmd := exec.CommandContext(ctx, "az", args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("the Azure CLI is not installed, or not on the PATH; see https://aka.ms/azure-cli")
	case err != nil:
		return nil, &azError{call: words(args), text: complaint.String()}
	}
	return out.Bytes(), nil
}

// azError is what the CLI complained of.
type azError struct{ call, text string }

func (e *azError) Error() string {
	text := strings.TrimSpace(e.text)
	switch {
	case strings.Contains(text, "az login"), strings.Contains(text, "AADSTS"):
		return "you are not logged in, or your login has expired: az login"
	case text == "":
		text = "it failed and said nothing"
	}
	return fmt.Sprintf("az %s: %s", e.call, strings.TrimPrefix(text, "ERROR: "))
}

// is reports whether the CLI complained of one of these.
func is(err error, what ...string) bool {
	var e *azError
	if !errors.As(err, &e) {
		return false
	}
	for _, w := range what {
		if strings.Contains(e.text, w) {
			return true
		}
	}
	return false
}

// words are the leading words of a call, which name it.
func words(args []string) string {
	for i, a := range args {
		if strings.HasPrefix(a, "-") {
			return strings.Join(args[:i], " ")
		}
	}
	return strings.Join(args, " ")
}

// query calls the CLI and reads the JSON that it prints.
func (s *setup) query(ctx context.Context, into any, args ...string) error {
	out, err := s.az.run(ctx, append(args, "--output", "json")...)
	if err != nil {
		return err
	}
	if json.Unmarshal(out, into) != nil { // its error quotes what was printed
		return fmt.Errorf("az %s printed what cannot be read", words(args))
	}
	return nil
}
