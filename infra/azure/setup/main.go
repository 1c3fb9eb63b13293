// Command setup does what a template cannot: it looks whether a deployment can
// succeed before it is begun, and afterwards publishes the app, makes the keys and
// the Event Grid subscription, and tries the whole thing with a small file.
//
//	go run ./infra/azure/setup check      before the deployment
//	go run ./infra/azure/setup after      after it: publish, keys, events, smoke
//	go run ./infra/azure/setup roles      print the roles, for whoever may give them
//	go run ./infra/azure/setup env        print the settings, for the tool fhirdeid
//
// It works by the Azure CLI and under its login (az login). Every step may be done
// again; no secret is typed, shown, or put on a command line.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(cli{}, pause).ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}

// pause waits a while, or until the context ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// setup is the program with what it works by.
type setup struct {
	az    azure
	out   io.Writer
	pause func(context.Context, time.Duration) error
	// group and deployment say which installation.
	group, deployment string
}

// command makes the command line.
func command(az azure, pause func(context.Context, time.Duration) error) *cobra.Command {
	s := &setup{az: az, pause: pause}
	root := &cobra.Command{
		Use:           "setup",
		Short:         "Do what a template cannot, before and after a deployment",
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			s.out = cmd.OutOrStdout()
			if s.group == "" {
				return fmt.Errorf("which resource group? Say --resource-group NAME, or for azd: azd env set AZURE_RESOURCE_GROUP NAME")
			}
			return nil
		},
	}
	root.PersistentFlags().StringVarP(&s.group, "resource-group", "g", os.Getenv("AZURE_RESOURCE_GROUP"), "the resource group of the installation")
	root.PersistentFlags().StringVarP(&s.deployment, "deployment", "n", "main", "the name of the deployment, where the environment does not have its outputs")

	step := func(use, short string, do func(context.Context, installation) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			in, err := s.installation(cmd.Context())
			if err != nil {
				return err
			}
			return do(cmd.Context(), in)
		}}
	}
	var shell string
	env := step("env", "Print the settings of the app, for fhirdeid under your own login", func(ctx context.Context, in installation) error {
		return s.env(ctx, in, shell)
	})
	env.Flags().StringVar(&shell, "shell", "sh", "sh or pwsh")
	var people people
	roles := step("roles", "Print the commands that give the roles, for whoever may", func(ctx context.Context, in installation) error {
		return s.roles(ctx, in, people)
	})
	people.flags(roles.Flags())
	root.AddCommand(
		&cobra.Command{Use: "check", Short: "Look whether a deployment can succeed", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			return s.check(cmd.Context())
		}},
		step("publish", "Build the app and publish it", s.publish),
		step("keys", "Make the keys that are not there yet", s.keys),
		step("events", "Let Event Grid tell the app of new files", s.events),
		step("smoke", "Send a small generated file from raw to staging", s.smoke),
		step("after", "publish, keys, events, smoke", s.after),
		roles, env,
	)
	return root
}

// after is everything that follows a deployment.
func (s *setup) after(ctx context.Context, in installation) error {
	for _, step := range []func(context.Context, installation) error{s.publish, s.keys, s.events, s.smoke} {
		if err := step(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// say tells the person who waits what was done.
func (s *setup) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }
