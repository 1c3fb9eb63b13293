// Package settings reads the settings of an installation from the environment,
// where the Functions host puts app settings. Each has a default or is demanded
// by name; all faults are reported at once, and none quotes a value.
package settings

import (
	"time"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/storage"
)

// Settings are all settings. The tags are the one place that names them: the
// README's table, local.settings.json.example and the functions are held
// against it by a test.
type Settings struct {
	// The FHIR server.
	FHIRServerURL     string           `envconfig:"FHIR_SERVER_URL" required:"true" desc:"FHIR base URL; https, but for this machine" example:"https://workspace-service.fhir.azurehealthcareapis.com"`
	FHIRServerProfile bulkdata.Profile `envconfig:"FHIR_SERVER_PROFILE" default:"azure" desc:"how the server wants to be asked: azure or standard"`
	FHIRAuth          string           `envconfig:"FHIR_AUTH" default:"identity" desc:"identity (Azure), smart (SMART Backend Services), client-secret or none"`
	FHIRAudience      string           `envconfig:"FHIR_AUDIENCE" desc:"scope of the identity's token; empty: the server URL with /.default"`
	FHIRFileOrigins   []string         `envconfig:"FHIR_FILE_ORIGINS" desc:"further origins that exported files may be at, comma-separated"`
	FHIRVersion       string           `envconfig:"FHIR_VERSION" default:"R4" desc:"FHIR version where the policy names none"`
	SMARTClientID     string           `envconfig:"SMART_CLIENT_ID" desc:"client id, for smart and client-secret"`
	SMARTTokenURL     string           `envconfig:"SMART_TOKEN_URL" desc:"token endpoint; empty: found by .well-known/smart-configuration"`
	SMARTScope        string           `envconfig:"SMART_SCOPE" default:"system/*.rs" desc:"scope of the token, for smart and client-secret"`
	SMARTKey          string           `envconfig:"SMART_KEY" desc:"private key (PEM or JWK): name of a secret in the key vault, or path of a file"`
	SMARTKeyID        string           `envconfig:"SMART_KEY_ID" desc:"the kid under which the server knows the key; empty: the JWK's own"`
	ClientSecret      string           `envconfig:"CLIENT_SECRET" desc:"for client-secret: name of the secret in the key vault, or path of a file"`

	// What is exported.
	ExportSchedule         string         `envconfig:"EXPORT_SCHEDULE" default:"0 0 1 * * *" desc:"when runs start: seconds minutes hours day month weekday, in UTC"`
	ExportLevel            bulkdata.Level `envconfig:"EXPORT_LEVEL" default:"system" desc:"system, patient or group"`
	ExportGroup            string         `envconfig:"EXPORT_GROUP" desc:"id of the group, for level group"`
	ExportTypes            []string       `envconfig:"EXPORT_TYPES" desc:"resource types, comma-separated; empty: all"`
	ExportTypeFilters      []string       `envconfig:"EXPORT_TYPE_FILTERS" desc:"search queries that limit types, separated by blanks, such as Observation?status=final" split:"blank"`
	ExportContainer        string         `envconfig:"EXPORT_CONTAINER" desc:"azure: container of the server's export account; empty: the server's own choice"`
	ExportAnonymizerConfig string         `envconfig:"EXPORT_ANONYMIZATION_CONFIG" desc:"azure: configuration by which the server itself de-identifies what it exports, in the container anonymization of its export account; POLICY is then a second pass, or verify-safe-harbor or verify-limited-data-set to verify alone"`
	ExportAnonymizerETag   string         `envconfig:"EXPORT_ANONYMIZATION_ETAG" desc:"azure: ETag of that configuration, as \"fhirdeid policy push\" prints it: the server refuses another"`

	// What becomes of it.
	DataSet    string    `envconfig:"DATA_SET" default:"default" desc:"name of the research data set; keys are derived for it"`
	Policy     string    `envconfig:"POLICY" default:"safe-harbor" desc:"a built-in profile, or a rule file in the policy container"`
	AsOf       Timestamp `envconfig:"AS_OF" desc:"fixed instant for ages, to repeat an old run; empty: the start of each run"`
	KeyVault   string    `envconfig:"KEY_VAULT_URL" desc:"key vault with the keys; empty: the settings FHIRDEID_KEY_… (local use)"`
	IdentityID string    `envconfig:"AZURE_CLIENT_ID" desc:"client id of the user-assigned identity; empty: whatever Azure identity there is"`

	// Limits and pauses; copied into each run at its start.
	PollInterval        time.Duration `envconfig:"POLL_INTERVAL" default:"10s" desc:"first pause between polls of the server, where it asks for none; doubles"`
	PollIntervalMax     time.Duration `envconfig:"POLL_INTERVAL_MAX" default:"5m" desc:"longest such pause"`
	TickInterval        time.Duration `envconfig:"TICK_INTERVAL" default:"15s" desc:"pause between two looks at a run that is fetching"`
	RedriveAfter        time.Duration `envconfig:"REDRIVE_AFTER" default:"15m" desc:"how long a file may be without a result, or a fetch stand still, before it is asked for again"`
	RunDeadline         time.Duration `envconfig:"RUN_DEADLINE" default:"20h" desc:"how long a run may take"`
	FirstRunDeadline    time.Duration `envconfig:"FIRST_RUN_DEADLINE" default:"720h" desc:"the same for the first run, which may be large"`
	StallDeadline       time.Duration `envconfig:"STALL_DEADLINE" default:"2h" desc:"how long nothing may move before the run is failed"`
	FileBytes           Bytes         `envconfig:"FILE_BYTES" default:"64MiB" desc:"most bytes of one file, 64KiB to 200MiB"`
	FetchParallel       int           `envconfig:"FETCH_PARALLEL" default:"8" desc:"outputs fetched at once, 1 to 64"`
	MaxQuarantinedLines int64         `envconfig:"MAX_QUARANTINED_LINES" default:"0" desc:"bad lines that a release may leave out"`

	// The program.
	AnonymizeWorkers int           `envconfig:"ANONYMIZE_WORKERS" default:"0" desc:"workers for one file; 0: one per CPU"`
	InvocationLimit  time.Duration `envconfig:"INVOCATION_LIMIT" default:"25m" desc:"how long one invocation may take; below functionTimeout of host.json"`
	LogLevel         LogLevel      `envconfig:"LOG_LEVEL" default:"info" desc:"debug, info, warn or error"`
	OTLPEndpoint     string        `envconfig:"OTEL_EXPORTER_OTLP_ENDPOINT" desc:"where traces and metrics go by OTLP over HTTP, such as https://collector.example.org:4318; empty: nowhere"`

	// Storage accounts, by the host's own setting names.
	Host, Raw, Lake storage.Connection `ignored:"true"`
	// Export is the server's own export account; its Name is "" where none is
	// set.
	Export storage.Connection `ignored:"true"`
}

// Connections are the storage connections by setting name. ExportStorage is
// optional.
var connectionNames = []string{"AzureWebJobsStorage", "RawStorage", "LakeStorage", "ExportStorage"}

// Request is what each run asks the server for.
func (s *Settings) Request() bulkdata.Request {
	return bulkdata.Request{
		Level: s.ExportLevel, GroupID: s.ExportGroup, Types: s.ExportTypes, TypeFilters: s.ExportTypeFilters,
		Container: s.ExportContainer, AnonymizationConfig: s.ExportAnonymizerConfig, AnonymizationConfigETag: s.ExportAnonymizerETag,
	}
}

// Setting describes one setting for the documentation.
type Setting struct {
	Name     string
	Default  string
	Required bool
	// Optional connections and settings may be left out.
	Doc string
}
