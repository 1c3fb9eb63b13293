package settings

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"fhirdeid/internal/bulkdata"
)

// schedule reads the six fields of the timer trigger.
var schedule = cron.NewParser(cron.Second | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

var dataSetPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// check looks at what settings say together.
func (s *Settings) check() Faults {
	var faults Faults
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	oneOf := func(name, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			wrong("%s is none of %s", name, strings.Join(allowed, ", "))
		}
	}
	s.FHIRServerURL = strings.TrimRight(s.FHIRServerURL, "/")
	if u, err := url.Parse(s.FHIRServerURL); err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		wrong("FHIR_SERVER_URL is no FHIR base URL; for example https://workspace-service.fhir.azurehealthcareapis.com")
	} else if !secure(u) {
		wrong("FHIR_SERVER_URL must be https; http is for this machine only (127.0.0.1, localhost)")
	}
	if u, err := url.Parse(s.SMARTTokenURL); s.SMARTTokenURL != "" && (err != nil || u.Host == "" || !secure(u)) {
		wrong("SMART_TOKEN_URL is no https URL; for example https://login.example.org/oauth2/token")
	}
	if u, err := url.Parse(s.OTLPEndpoint); s.OTLPEndpoint != "" && (err != nil || u.Host == "" || !secure(u)) {
		wrong("OTEL_EXPORTER_OTLP_ENDPOINT is no https URL; for example https://collector.example.org:4318")
	}
	for _, origin := range s.FHIRFileOrigins {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || !secure(u) {
			wrong("FHIR_FILE_ORIGINS must be https origins, comma-separated; for example https://files.example.org")
			break
		}
	}
	oneOf("FHIR_SERVER_PROFILE", string(s.FHIRServerProfile), string(bulkdata.Azure), string(bulkdata.Standard))
	oneOf("FHIR_AUTH", s.FHIRAuth, "identity", "smart", "client-secret", "none")
	oneOf("EXPORT_LEVEL", string(s.ExportLevel), string(bulkdata.LevelSystem), string(bulkdata.LevelPatient), string(bulkdata.LevelGroup))
	oneOf("FHIR_VERSION", strings.ToUpper(s.FHIRVersion), "STU3", "R4", "R4B", "R5")
	if len(faults) == 0 {
		if err := s.Request().Check(s.FHIRServerProfile); err != nil {
			wrong("EXPORT_…: %s", err)
		}
	}
	if s.ExportAnonymizerConfig != "" {
		switch {
		case strings.ContainsAny(s.ExportAnonymizerConfig, ":\\") || strings.Contains(s.ExportAnonymizerConfig, ".."):
			wrong("EXPORT_ANONYMIZATION_CONFIG is the name of a blob in the container anonymization, such as deid.json")
		case s.ExportAnonymizerETag == "":
			wrong("EXPORT_ANONYMIZATION_CONFIG is set without EXPORT_ANONYMIZATION_ETAG, so a changed configuration would go unnoticed; `fhirdeid policy push` prints it")
		case s.ExportLevel != bulkdata.LevelSystem:
			wrong("EXPORT_ANONYMIZATION_CONFIG is for EXPORT_LEVEL system only")
		}
	}
	if s.ExportGroup != "" && s.ExportLevel != bulkdata.LevelGroup {
		wrong("EXPORT_GROUP is set, but EXPORT_LEVEL is not group")
	}
	switch s.FHIRAuth {
	case "smart":
		if s.SMARTClientID == "" || s.SMARTKey == "" {
			wrong("FHIR_AUTH is smart, which needs SMART_CLIENT_ID and SMART_KEY")
		}
	case "client-secret":
		if s.SMARTClientID == "" || s.ClientSecret == "" {
			wrong("FHIR_AUTH is client-secret, which needs SMART_CLIENT_ID and CLIENT_SECRET")
		}
	}
	if _, err := schedule.Parse(s.ExportSchedule); err != nil || strings.Contains(s.ExportSchedule, "=") { // no time zone: the host takes none
		wrong("EXPORT_SCHEDULE is no schedule of six fields; for example 0 0 1 * * * for 01:00 UTC each night")
	}
	if !dataSetPattern.MatchString(s.DataSet) {
		wrong("DATA_SET is of lower-case letters, digits and '-', at most 63")
	}
	if s.Policy == "" || strings.Contains(s.Policy, "..") || filepath.IsAbs(s.Policy) {
		wrong("POLICY is the name of a built-in profile or of a blob in the policy container")
	}
	if s.KeyVault != "" {
		if u, err := url.Parse(s.KeyVault); err != nil || u.Scheme != "https" || u.Host == "" {
			wrong("KEY_VAULT_URL is no https URL; for example https://my-vault.vault.azure.net")
		}
	}
	for name, d := range map[string]time.Duration{
		"POLL_INTERVAL": s.PollInterval, "POLL_INTERVAL_MAX": s.PollIntervalMax, "TICK_INTERVAL": s.TickInterval, "REDRIVE_AFTER": s.RedriveAfter,
		"RUN_DEADLINE": s.RunDeadline, "FIRST_RUN_DEADLINE": s.FirstRunDeadline, "STALL_DEADLINE": s.StallDeadline, "INVOCATION_LIMIT": s.InvocationLimit,
	} {
		if d < time.Second {
			wrong("%s must be a second or more; for example 10m", name)
		}
	}
	if s.PollIntervalMax < s.PollInterval {
		wrong("POLL_INTERVAL_MAX is shorter than POLL_INTERVAL")
	}
	if s.StallDeadline <= s.RedriveAfter {
		wrong("STALL_DEADLINE must be longer than REDRIVE_AFTER, or a run fails before a lost file is asked for again")
	}
	if s.FileBytes < 64<<10 || s.FileBytes > 200<<20 {
		wrong("FILE_BYTES must be from 64KiB to 200MiB")
	}
	if s.FetchParallel < 1 || s.FetchParallel > 64 {
		wrong("FETCH_PARALLEL must be from 1 to 64")
	}
	if s.MaxQuarantinedLines < 0 {
		wrong("MAX_QUARANTINED_LINES must not be negative")
	}
	if s.AnonymizeWorkers < 0 {
		wrong("ANONYMIZE_WORKERS must not be negative")
	}
	slices.Sort(faults)
	return faults
}

// secure reports whether data may be sent there: by https, or on this machine.
func secure(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

// IsFile reports whether a setting that may be a secret's name or a file's path
// is a path.
func IsFile(value string) bool {
	if !strings.ContainsAny(value, `/\`) {
		return false
	}
	_, err := os.Stat(value)
	return err == nil
}
