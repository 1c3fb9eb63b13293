// Command package writes the function app to dist/, as it is deployed or run by
// the Functions host:
//
//	go run ./infra/package                   for this machine: cd dist && func start
//	go run ./infra/package --target azure    for Azure: cd dist && func azure functionapp publish <app> --custom
//
// For Azure it also packs dist.zip, and says its SHA-256: the same commit, built
// with the same version of Go, gives the same bytes on every machine.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"

	"fhirdeid/infra/package/staging"
)

func main() {
	target := flag.String("target", "local", "where the app is to run: local or azure")
	out := flag.String("out", "dist", "the folder to write")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *out, staging.Target(*target)); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, target staging.Target) error {
	root, err := staging.Root()
	if err != nil {
		return err
	}
	if !filepath.IsAbs(out) {
		out = filepath.Join(root, out)
	}
	if err := staging.Stage(ctx, root, out, target); err != nil {
		return err
	}
	fmt.Printf("The function app is in %s.\n", out)
	if target != staging.Azure {
		return nil
	}
	sum, err := staging.Zip(out, out+".zip")
	if err != nil {
		return err
	}
	fmt.Printf("%s.zip  %s  %s\n", out, sum, runtime.Version())
	return nil
}
