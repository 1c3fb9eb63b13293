package pipeline

import (
	"context"
	"io"
	"log/slog"
	"time"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/keys"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/storage"
	"fhirdeid/internal/telemetry"
)

// Exporter is a FHIR server as the pipeline needs it: its Bulk Data export.
// Errors are *bulkdata.Error where the caller can decide on them.
type Exporter interface {
	KickOff(ctx context.Context, r bulkdata.Request) (bulkdata.Accepted, error)
	Status(ctx context.Context, statusURL string) (bulkdata.Status, error)
	// Open streams an output. It resumes a broken transfer only while the
	// server's file is unchanged; otherwise reading ends with
	// bulkdata.ErrChanged.
	Open(ctx context.Context, f bulkdata.File) (io.ReadCloser, error)
	Cancel(ctx context.Context, statusURL string) error
}

// Stores are the containers, named as in the settings of an installation.
type Stores struct {
	Raw, Quarantine, Ledger, Policy storage.Container // the raw account: PHI
	Staging, Research, Catalog      storage.Container // the lake account: none
}

// Queues carry the messages of the run.
type Queues struct{ Check, Fetch, Retry storage.Queue }

// Plan is what each new run is given: it comes from the settings of the
// installation and is copied into the run.
type Plan struct {
	// Server is the FHIR base URL.
	Server  string
	Request bulkdata.Request
	// DataSet names the research data set; keys are derived for it.
	DataSet string
	// Policy is the name of a built-in profile or of a blob in the policy
	// container.
	Policy string
	// FHIRVersion is used where the policy names none.
	FHIRVersion string
	// AsOf fixes the run's "now"; zero means the instant of the start.
	AsOf     time.Time
	Settings ledger.Settings
	// RunDeadline is how long a run may take, FirstRunDeadline the same for the
	// first run of a scope.
	RunDeadline, FirstRunDeadline time.Duration
}

// Pipeline runs the steps of runs. It holds no state of a run and is safe for
// concurrent use.
type Pipeline struct {
	Stores   Stores
	Queues   Queues
	Exporter Exporter
	Keys     keys.Source
	Engines  *Engines
	Plan     Plan
	// Now is the clock.
	Now func() time.Time
	// Random fills p with random bytes that name attempts.
	Random func(p []byte)
	Log    *slog.Logger
	// Telemetry takes traces and metrics; nil takes none.
	Telemetry *telemetry.Recorder
	// Version names this build in runs and releases.
	Version string
	// Workers is how many workers one file is given; 0 means one per CPU.
	Workers int
	// CopyParallel is how many files are copied to research, or deleted, at once;
	// 0 means one.
	CopyParallel int
}

func (p *Pipeline) ledger() *ledger.Ledger { return ledger.New(p.Stores.Ledger) }
