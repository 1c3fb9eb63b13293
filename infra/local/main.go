// Command local runs the whole system on one machine, and shows a night's work:
//
//	go run ./infra/local
//
// It installs the pinned Azurite, builds and stages the function app, starts
// Azurite, a FHIR server with generated patients and the Functions host, fires
// the timer, shows how the run goes, and brings the released data set and its
// report to a local folder. It exits with 0 when the run was released, with 2
// when it ended otherwise, and with 1 when something could not be started.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"fhirdeid/anonymize/policy"
	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/fhirserver"
	"fhirdeid/internal/funchost"
	"fhirdeid/internal/settings"
)

// options are the command's flags.
type options struct {
	patients int
	seed     uint64
	data     string
	fhirURL  string
	profile  string
	policy   string
	// fhirVersion is that of the data, where the policy names none.
	fhirVersion string
	level       string
	group       string
	host        string
	asOf        string
	out         string
	disk        string
	keep        bool

	// state is the local state folder; "" is .local in the project.
	state string
	// what tests do wrong on purpose, and settings of theirs
	faults     fhirserver.Faults
	hostFaults funchost.Faults
	env        map[string]string
}

func parse(args []string) (options, error) {
	o := options{faults: fhirserver.NoFaults()}
	f := flag.NewFlagSet("local", flag.ContinueOnError)
	f.IntVar(&o.patients, "patients", 100, "how many patients to generate")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the generated patients: the same seed, the same patients")
	f.StringVar(&o.data, "data", "", "folder with NDJSON files, plain or gzip, to export instead of generated patients")
	f.StringVar(&o.fhirURL, "fhir-url", "", "your own FHIR server, instead of the one that is started here; see FHIR_AUTH and the other settings")
	f.StringVar(&o.profile, "profile", "standard", "how the FHIR server behaves: standard or azure")
	f.StringVar(&o.policy, "policy", "safe-harbor", "a rule file, or a built-in profile: "+strings.Join(policy.BuiltinNames(), ", "))
	f.StringVar(&o.fhirVersion, "fhir-version", "R4", "FHIR version of the data, where the policy names none: STU3, R4, R4B or R5")
	f.StringVar(&o.level, "level", "system", "what is exported: system, patient or group")
	f.StringVar(&o.group, "group", "", "id of the group, for level group; default: the generated cohort")
	f.StringVar(&o.host, "host", "auto", "the Functions host: func (Azure Functions Core Tools), standin, or auto")
	f.StringVar(&o.asOf, "as-of", "", "instant at which ages are counted, such as 2026-11-22; default: now")
	f.StringVar(&o.out, "out", "", "folder for the released data; default: .local/released")
	f.StringVar(&o.disk, "storage-dir", "", "keep Azurite's data in this folder; default: in memory")
	f.BoolVar(&o.keep, "keep", false, "stay up, with the nightly schedule, until Ctrl-C")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case o.data != "" && o.fhirURL != "":
		return o, errors.New("--data and --fhir-url exclude each other")
	case o.patients < 1:
		return o, errors.New("--patients must be at least 1")
	case o.host != "auto" && o.host != "func" && o.host != "standin":
		return o, errors.New("--host is auto, func or standin")
	case o.level != string(bulkdata.LevelSystem) && o.level != string(bulkdata.LevelPatient) && o.level != string(bulkdata.LevelGroup):
		return o, errors.New("--level is system, patient or group")
	}
	if o.asOf != "" {
		if _, err := settings.ParseTime(o.asOf); err != nil {
			return o, fmt.Errorf("--as-of is %w", err)
		}
	}
	return o, nil
}

// Exit codes.
const (
	exitReleased = 0
	exitFault    = 1
	exitOther    = 2
)

func main() {
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(exitReleased)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(exitFault)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := exitFault
	if code, err = run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
	}
	stop()
	os.Exit(code)
}
