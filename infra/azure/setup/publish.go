package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"fhirdeid/infra/package/staging"
)

// publish builds the app, packs it and hands it to Azure.
func (s *setup) publish(ctx context.Context, in installation) error {
	root, err := staging.Root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fhirdeid")
	if err != nil {
		return fmt.Errorf("making a folder for the package: %w", err)
	}
	defer os.RemoveAll(dir)
	app, file := filepath.Join(dir, "dist"), filepath.Join(dir, "dist.zip")
	if err := staging.Stage(ctx, root, app, staging.Azure); err != nil {
		return err
	}
	sum, err := staging.Zip(app, file)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		_, err = s.az.run(ctx, "functionapp", "deployment", "source", "config-zip", "--resource-group", s.group, "--name", in["APP_NAME"], "--src", file, "--output", "none")
		// The app's own role on the container of packages may not be known yet.
		if err == nil || try == 5 {
			break
		}
		s.say("Not yet: %v", err)
		if err := s.pause(ctx, time.Minute); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("publishing the app: %w", err)
	}
	s.say("The app is published: %s.", sum)
	return nil
}
