package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelp: every command says in a line what it is for, in some more how, and
// shows an example of itself; every flag is described.
func TestHelp(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
		if !cmd.HasParent() {
			return
		}
		path := cmd.CommandPath()
		if cmd.Short == "" || len(cmd.Short) > 90 || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: the line on it is %q", path, cmd.Short)
		}
		if cmd.Long == "" && cmd.Example == "" {
			t.Errorf("%s has no description", path)
		}
		if !strings.Contains(cmd.Example, path) {
			t.Errorf("%s has no example of itself", path)
		}
		for line := range strings.Lines(cmd.Long + "\n" + cmd.Example) {
			if len([]rune(line)) > 160 {
				t.Errorf("%s: a line of its help is too long: %q", path, line)
			}
		}
	}
	visit(rootCommand())
}

// TestCompletion: scripts for the shells can be had, and complete commands.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		root := rootCommand()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetArgs([]string{"completion", shell})
		if err := root.Execute(); err != nil || !strings.Contains(out.String(), "fhirdeid") {
			t.Errorf("%s: %v", shell, err)
		}
	}
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetArgs([]string{"__complete", "runs", "s"})
	if err := root.Execute(); err != nil || !strings.Contains(out.String(), "show") || !strings.Contains(out.String(), "start") {
		t.Errorf("completed is %q, %v", out.String(), err)
	}
}

// TestNoColor: nothing is colored that is no terminal, nor where NO_COLOR is set.
func TestNoColor(t *testing.T) {
	if colored(new(bytes.Buffer)) {
		t.Error("a buffer is colored")
	}
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if colored(f) {
		t.Error("a file is colored")
	}
}
