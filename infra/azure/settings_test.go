package azure

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/settings"
)

// hostSettings are those that the Functions host reads itself.
var hostSettings = []string{"APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"}

// connections are the suffixes of a storage connection by identity.
var connections = []string{"__blobServiceUri", "__queueServiceUri", "__credential", "__clientId"}

// binding is what is of interest here in a function.json.
type binding struct {
	Type, Path, QueueName, Connection, Schedule, Source string
}

// functions returns the bindings of the function app by function.
func functions(t *testing.T) map[string][]binding {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "functions", "*", "function.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no functions: %v", err)
	}
	all := make(map[string][]binding)
	for _, f := range files {
		var function struct{ Bindings []binding }
		if err := json.Unmarshal([]byte(read(t, f)), &function); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		all[filepath.Base(filepath.Dir(f))] = function.Bindings
	}
	return all
}

// TestSettings holds the app settings of the template against those that the app
// reads, both ways: none is missing, and none is set that nobody reads.
func TestSettings(t *testing.T) {
	app := read(t, "app.bicep")
	required := object(t, "app.bicep", app, "var required")
	free := object(t, "types.bicep", read(t, "types.bicep"), "type Settings")

	known := make(map[string]bool)
	for _, s := range settings.Table() {
		if strings.HasSuffix(s.Name, "Storage") {
			for _, suffix := range connections {
				known[s.Name+suffix] = true
				if _, ok := required[s.Name+suffix]; !ok {
					t.Errorf("app.bicep does not set %s", s.Name+suffix)
				}
			}
			continue
		}
		known[s.Name] = true
		_, fixed := required[s.Name]
		_, open := free[s.Name]
		if !fixed && !open {
			t.Errorf("the app reads %s, which neither app.bicep sets nor types.bicep lets anybody set", s.Name)
		}
		if s.Required && !fixed {
			t.Errorf("the app demands %s, which app.bicep does not set", s.Name)
		}
	}
	for _, name := range hostSettings {
		known[name] = true
	}
	known["AzureWebJobsStorage__tableServiceUri"] = true // the host's own
	for name := range required {
		if !known[name] {
			t.Errorf("app.bicep sets %s, which nobody reads", name)
		}
	}
	for name := range free {
		if !known[name] {
			t.Errorf("types.bicep has the setting %s, which nobody reads", name)
		}
	}
}

// TestSettingsOfTheHost holds what the functions' bindings refer to.
func TestSettingsOfTheHost(t *testing.T) {
	required := object(t, "app.bicep", read(t, "app.bicep"), "var required")
	reference := regexp.MustCompile(`^%(\w+)%$`)
	for name, bindings := range functions(t) {
		for _, b := range bindings {
			if m := reference.FindStringSubmatch(b.Schedule); m != nil && required[m[1]] == "" {
				t.Errorf("%s is fired by %s, which app.bicep does not set", name, m[1])
			}
			// A blob trigger needs both: it has a poison queue.
			for _, suffix := range []string{"__blobServiceUri", "__queueServiceUri"} {
				if b.Connection != "" && required[b.Connection+suffix] == "" {
					t.Errorf("%s is connected by %s, which app.bicep does not set", name, b.Connection+suffix)
				}
			}
			if b.Type == "blobTrigger" && b.Source != "EventGrid" {
				t.Errorf("%s looks for blobs itself, which Flex Consumption does not do", name)
			}
		}
	}
}

// TestSettingsAreAccepted starts the app, as far as its settings go, with what the
// template would set, and with every value that the template allows.
func TestSettingsAreAccepted(t *testing.T) {
	required := object(t, "app.bicep", read(t, "app.bicep"), "var required")
	endpoint := regexp.MustCompile(`^(endpoints|exportEndpoints)\.(\w+)$`)
	values := map[string]string{
		"clientId": "00000000-0000-0000-0000-000000000001", "vaultUrl": "https://kv-x.vault.azure.net",
		"fhirServerUrl": "https://ahdsx-fhir.fhir.azurehealthcareapis.com", "insightsConnection": "IngestionEndpoint=https://x",
	}
	for name, value := range required {
		switch m := endpoint.FindStringSubmatch(value); {
		case m != nil:
			value = "https://" + strings.ToLower(m[2]) + ".example.org"
		case values[value] != "":
			value = values[value]
		case strings.HasPrefix(value, "'"):
			value = strings.Trim(value, "'")
		default:
			t.Fatalf("app.bicep sets %s to %s, which this test does not know", name, value)
		}
		t.Setenv(name, value)
	}
	s, err := settings.Read()
	if err != nil {
		t.Fatalf("the app refuses what the template sets: %v", err)
	}
	if s.Export.Name == "" || s.Raw.QueueServiceURI == "" || s.Host.BlobServiceURI == s.Raw.BlobServiceURI {
		t.Error("the app does not see the accounts that the template sets")
	}

	// Without an export account the same settings are empty.
	t.Setenv("ExportStorage__blobServiceUri", "")
	t.Setenv("ExportStorage__queueServiceUri", "")
	if s, err := settings.Read(); err != nil || s.Export.Name != "" {
		t.Errorf("without an export account: %v", err)
	}

	free := object(t, "types.bicep", read(t, "types.bicep"), "type Settings")
	for _, name := range slices.Sorted(maps.Keys(free)) {
		for _, value := range texts(free[name]) {
			t.Setenv(name, value)
			if _, err := settings.Read(); err != nil && strings.Contains(err.Error(), name+" is none of") {
				t.Errorf("the template allows %s=%s: %v", name, value, err)
			}
			t.Setenv(name, "")
		}
	}
}

// TestIsolatedSettings: what main.bicep sets where there are no events is valid.
func TestIsolatedSettings(t *testing.T) {
	m := regexp.MustCompile(`REDRIVE_AFTER: '(\w+)'`).FindStringSubmatch(read(t, "main.bicep"))
	if m == nil {
		t.Fatal("without events nothing hands files on: main.bicep does not set REDRIVE_AFTER")
	}
	if d, err := time.ParseDuration(m[1]); err != nil || d > 5*time.Minute {
		t.Errorf("REDRIVE_AFTER is %s without events", m[1])
	}
}

// TestLifecycleIsTheBackStop: the rules delete nothing that a run still needs.
func TestLifecycleIsTheBackStop(t *testing.T) {
	m := regexp.MustCompile(`@minValue\((\d+)\)\n@maxValue\(\d+\)\nparam rawDays`).FindStringSubmatch(read(t, "main.bicep"))
	if m == nil {
		t.Fatal("main.bicep does not bound rawDays")
	}
	days, err := time.ParseDuration(m[1] + "h")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings.Table() {
		if s.Name != "FIRST_RUN_DEADLINE" {
			continue
		}
		longest, err := time.ParseDuration(s.Default)
		if err != nil {
			t.Fatal(err)
		}
		if days*24 <= longest {
			t.Errorf("raw files may be deleted after %s days, while a first run may take %s", m[1], longest)
		}
	}
}

// TestHostFile holds host.json against the settings and the alerts.
func TestHostFile(t *testing.T) {
	var host struct {
		FunctionTimeout string
		Logging         struct {
			ApplicationInsights struct {
				SamplingSettings struct{ ExcludedTypes string }
			}
		}
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(root, "host.json"))), &host); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(strings.Split(host.Logging.ApplicationInsights.SamplingSettings.ExcludedTypes, ";"), "Trace") {
		t.Error("the app's log lines may be sampled away, and with them the alerts")
	}
	limit, err := time.Parse("15:04:05", host.FunctionTimeout)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings.Table() {
		if s.Name == "INVOCATION_LIMIT" {
			if own, err := time.ParseDuration(s.Default); err != nil || own >= time.Duration(limit.Hour())*time.Hour+time.Duration(limit.Minute())*time.Minute {
				t.Errorf("an invocation may take %s, and the host stops it after %s", s.Default, host.FunctionTimeout)
			}
		}
	}
}
