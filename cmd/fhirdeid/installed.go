package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"fhirdeid/internal/installation"
	"fhirdeid/internal/settings"
)

// aboutSettings says, in the help of the commands that work on an installation,
// which one that is.
const aboutSettings = `The installation is the one that the settings in the environment name, as for the
function app (FHIR_SERVER_URL, AzureWebJobsStorage, RawStorage, LakeStorage …), or
those of --settings FILE: a local.settings.json, lines NAME=value, or what this prints:

  az functionapp config appsettings list --name APP --resource-group GROUP >settings.json

You work under your own identity: log in with "az login" first.`

// installed is the part of commands that work on an installation.
type installed struct{ file string }

func (o *installed) flags(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&o.file, "settings", "", "file with the installation's settings; default: the environment")
	_ = cmd.MarkPersistentFlagFilename("settings", "json", "env") // for completion only
}

// read reads the settings.
func (o *installed) read() (*settings.Settings, error) {
	if o.file != "" {
		if err := settings.LoadFile(o.file); err != nil {
			return nil, err
		}
	}
	return settings.Read()
}

// open opens the installation.
func (o *installed) open(cmd *cobra.Command) (*installation.Installation, error) {
	s, err := o.read()
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelError + 1}))
	return installation.Open(cmd.Context(), s, log, installation.Version())
}

// action is what a command does with an installation.
type action func(ctx context.Context, out io.Writer, in *installation.Installation, args []string) error

// with opens the installation for an action.
func (o *installed) with(do action) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		in, err := o.open(cmd)
		if err != nil {
			return err
		}
		return do(cmd.Context(), cmd.OutOrStdout(), in, args)
	}
}
