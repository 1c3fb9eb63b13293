package installation

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/keys"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/settings"
	"fhirdeid/internal/storage"
)

// Queues are the queues of the host account, by the names in function.json.
const (
	CheckQueue = "check-export"
	FetchQueue = "fetch-file"
	RetryQueue = "anonymize-retry"
)

// Containers of the two accounts with data.
var (
	RawContainers  = []string{"raw", "quarantine", "ledger", "policy"}
	LakeContainers = []string{"staging", "research", "catalog"}
)

// Installation is a pipeline with what it works on.
type Installation struct {
	Pipeline *pipeline.Pipeline
	// RawContainer is the URL of the container with raw files.
	RawContainer *url.URL
	Host         *storage.Account
	Raw          *storage.Account
	Lake         *storage.Account
	// Export is the account that the FHIR server exports to, or nil.
	Export *storage.Account
	// Settings are what it was opened by.
	Settings *settings.Settings
	// Client talks to the FHIR server.
	Client *bulkdata.Client
	// Identity returns the Azure identity, made when it is first asked for.
	Identity func() (azcore.TokenCredential, error)
}

// Open makes the pipeline of an installation. It makes clients and does no I/O
// beyond reading a key file; whatever cannot be reached is found by the first
// call that needs it.
func Open(ctx context.Context, s *settings.Settings, log *slog.Logger, version string) (*Installation, error) {
	credential := identity(s)
	in := &Installation{Settings: s, Identity: credential}
	for _, account := range []struct {
		connection storage.Connection
		into       **storage.Account
	}{{s.Host, &in.Host}, {s.Raw, &in.Raw}, {s.Lake, &in.Lake}} {
		opened, err := openAccount(account.connection, credential)
		if err != nil {
			return nil, err
		}
		*account.into = opened
	}
	queues, err := openQueues(in.Host)
	if err != nil {
		return nil, err
	}
	source, err := keySource(s, credential)
	if err != nil {
		return nil, err
	}
	exporter, err := openExporter(ctx, s, credential, source)
	if err != nil {
		return nil, err
	}
	in.Client = exporter.Client
	if exporter.account != nil {
		in.Export = exporter.account.account
	}
	in.RawContainer, err = url.Parse(in.Raw.BlobServiceURL() + "/raw")
	if err != nil {
		return nil, errors.New("the raw account's endpoint is no URL")
	}
	in.Pipeline = &pipeline.Pipeline{
		Stores: pipeline.Stores{
			Raw: in.Raw.Container("raw"), Quarantine: in.Raw.Container("quarantine"), Ledger: in.Raw.Container("ledger"), Policy: in.Raw.Container("policy"),
			Staging: in.Lake.Container("staging"), Research: in.Lake.Container("research"), Catalog: in.Lake.Container("catalog"),
		},
		Queues:   queues,
		Exporter: exporter,
		Keys:     source,
		Engines:  new(pipeline.Engines),
		Plan: pipeline.Plan{
			Server: s.FHIRServerURL, Request: s.Request(), DataSet: s.DataSet, Policy: s.Policy, FHIRVersion: s.FHIRVersion,
			AsOf: s.AsOf.Time, RunDeadline: s.RunDeadline, FirstRunDeadline: s.FirstRunDeadline,
			Settings: ledger.Settings{
				PollInterval: s.PollInterval, PollIntervalMax: s.PollIntervalMax, TickInterval: s.TickInterval,
				RedriveAfter: s.RedriveAfter, StallDeadline: s.StallDeadline, FileBytes: int64(s.FileBytes),
				FetchParallel: s.FetchParallel, MaxQuarantinedLines: s.MaxQuarantinedLines,
			},
		},
		Now:          time.Now,
		Random:       func(p []byte) { _, _ = rand.Read(p) }, // never fails since Go 1.24
		Log:          log,
		Version:      version,
		Workers:      s.AnonymizeWorkers,
		CopyParallel: copyParallel,
	}
	return in, nil
}

// copyParallel is how many files are copied to research at once.
const copyParallel = 8

// PrepareLocal makes the containers and queues that are not there, where all
// accounts are emulators on this machine. In Azure the templates make them, and
// the identity may not.
func (in *Installation) PrepareLocal(ctx context.Context) error {
	for _, account := range []*storage.Account{in.Host, in.Raw, in.Lake} {
		if !account.Local() {
			return nil
		}
	}
	return errors.Join(
		in.Raw.EnsureContainers(ctx, RawContainers...),
		in.Lake.EnsureContainers(ctx, LakeContainers...),
		in.Host.EnsureQueues(ctx, CheckQueue, FetchQueue, RetryQueue),
	)
}

func openAccount(c storage.Connection, credential func() (azcore.TokenCredential, error)) (*storage.Account, error) {
	if c.ConnectionString == "" {
		var err error
		if c.Credential, err = accountIdentity(c, credential); err != nil {
			return nil, err
		}
	}
	return storage.OpenAccount(c)
}

// accountIdentity is the identity that a connection names, or the app's.
func accountIdentity(c storage.Connection, credential func() (azcore.TokenCredential, error)) (azcore.TokenCredential, error) {
	if c.ClientID != "" && os.Getenv("IDENTITY_ENDPOINT") != "" {
		sdk, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: azidentity.ClientID(c.ClientID)})
		return explained{sdk}, err
	}
	return credential()
}

func openQueues(host *storage.Account) (q pipeline.Queues, err error) {
	for _, queue := range []struct {
		name string
		into *storage.Queue
	}{{CheckQueue, &q.Check}, {FetchQueue, &q.Fetch}, {RetryQueue, &q.Retry}} {
		if *queue.into, err = host.Queue(queue.name); err != nil {
			return q, err
		}
	}
	return q, nil
}

func keySource(s *settings.Settings, credential func() (azcore.TokenCredential, error)) (keys.Source, error) {
	if s.KeyVault == "" {
		return keys.Environment(os.LookupEnv), nil
	}
	c, err := credential()
	if err != nil {
		return nil, err
	}
	return keys.Vault(s.KeyVault, c, nil)
}
