package settings

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func minimal(t *testing.T) {
	t.Helper()
	for _, s := range Table() {
		t.Setenv(s.Name, "")
	}
	t.Setenv("FHIR_SERVER_URL", "https://fhir.example.org/r4/")
	t.Setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
	t.Setenv("RawStorage", "UseDevelopmentStorage=true")
	t.Setenv("LakeStorage__accountName", "lake")
}

func TestDefaults(t *testing.T) {
	minimal(t)
	s, err := Read()
	if err != nil {
		t.Fatal(err)
	}
	if s.FHIRServerURL != "https://fhir.example.org/r4" || s.ExportSchedule != "0 0 1 * * *" || s.PollInterval != 10*time.Second ||
		s.FileBytes != 64<<20 || s.FetchParallel != 8 || s.Policy != "safe-harbor" || s.RunDeadline != 20*time.Hour ||
		s.FirstRunDeadline != 30*24*time.Hour || s.Export.Name != "" || s.Lake.BlobServiceURI != "https://lake.blob.core.windows.net" {
		t.Errorf("defaults are %+v", s)
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	minimal(t)
	secret := "a-value-that-must-not-be-shown"
	for k, v := range map[string]string{
		"FHIR_SERVER_URL": "", "POLL_INTERVAL": secret, "FETCH_PARALLEL": secret, "FILE_BYTES": secret, "AS_OF": secret, "RawStorage": "",
	} {
		t.Setenv(k, v)
	}
	_, err := Read()
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 6 {
		t.Fatalf("want 6 faults, got %v", err)
	}
	for _, name := range []string{"FHIR_SERVER_URL", "POLL_INTERVAL", "FETCH_PARALLEL", "FILE_BYTES", "AS_OF", "RawStorage"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named", name)
		}
	}
	if strings.Contains(err.Error(), secret) {
		t.Error("a value is quoted")
	}
}

func TestChecks(t *testing.T) {
	for name, c := range map[string]struct {
		set   map[string]string
		fault string // "" is none
	}{
		"group without id":         {map[string]string{"EXPORT_LEVEL": "group"}, "id of the group"},
		"group":                    {map[string]string{"EXPORT_LEVEL": "group", "EXPORT_GROUP": "g1"}, ""},
		"id without group":         {map[string]string{"EXPORT_GROUP": "g1"}, "EXPORT_GROUP"},
		"smart without key":        {map[string]string{"FHIR_AUTH": "smart"}, "SMART_KEY"},
		"unknown profile":          {map[string]string{"FHIR_SERVER_PROFILE": "hapi"}, "FHIR_SERVER_PROFILE"},
		"container on another":     {map[string]string{"FHIR_SERVER_PROFILE": "standard", "EXPORT_CONTAINER": "x"}, "azure profile"},
		"http to elsewhere":        {map[string]string{"FHIR_SERVER_URL": "http://fhir.example.org"}, "must be https"},
		"http on this machine":     {map[string]string{"FHIR_SERVER_URL": "http://127.0.0.1:8080/fhir"}, ""},
		"token over http":          {map[string]string{"SMART_TOKEN_URL": "http://login.example.org"}, "SMART_TOKEN_URL"},
		"no origin":                {map[string]string{"FHIR_FILE_ORIGINS": "https://a.example.org,b"}, "FHIR_FILE_ORIGINS"},
		"time zone":                {map[string]string{"EXPORT_SCHEDULE": "CRON_TZ=UTC 0 0 1 * * *"}, "EXPORT_SCHEDULE"},
		"under a second":           {map[string]string{"TICK_INTERVAL": "100ms"}, "TICK_INTERVAL"},
		"stalls too soon":          {map[string]string{"REDRIVE_AFTER": "3h"}, "STALL_DEADLINE"},
		"five fields":              {map[string]string{"EXPORT_SCHEDULE": "0 1 * * *"}, "EXPORT_SCHEDULE"},
		"small files":              {map[string]string{"FILE_BYTES": "1KiB"}, "FILE_BYTES"},
		"plain bytes":              {map[string]string{"FILE_BYTES": "1048576"}, ""},
		"no time":                  {map[string]string{"TICK_INTERVAL": "0s"}, "TICK_INTERVAL"},
		"as of a date":             {map[string]string{"AS_OF": "2026-11-22"}, ""},
		"odd data set":             {map[string]string{"DATA_SET": "Onkologie Süd"}, "DATA_SET"},
		"vault over http":          {map[string]string{"KEY_VAULT_URL": "http://v"}, "KEY_VAULT_URL"},
		"filters":                  {map[string]string{"EXPORT_TYPES": "Observation,Patient", "EXPORT_TYPE_FILTERS": "Observation?code=a,b Patient?active=true"}, ""},
		"filter without type":      {map[string]string{"EXPORT_TYPE_FILTERS": "Observation?code=a"}, "add Observation"},
		"a server's configuration": {map[string]string{"EXPORT_ANONYMIZATION_CONFIG": "deid.json", "EXPORT_ANONYMIZATION_ETAG": "0x8D1", "EXPORT_CONTAINER": "out"}, ""},
		"it is not pinned":         {map[string]string{"EXPORT_ANONYMIZATION_CONFIG": "deid.json", "EXPORT_CONTAINER": "out"}, "EXPORT_ANONYMIZATION_ETAG"},
		"it has no container":      {map[string]string{"EXPORT_ANONYMIZATION_CONFIG": "deid.json", "EXPORT_ANONYMIZATION_ETAG": "0x8D1"}, "export container"},
		"it is no blob":            {map[string]string{"EXPORT_ANONYMIZATION_CONFIG": "deid.json:0x8D1", "EXPORT_ANONYMIZATION_ETAG": "0x8D1", "EXPORT_CONTAINER": "out"}, "name of a blob"},
		"it is of patients":        {map[string]string{"EXPORT_ANONYMIZATION_CONFIG": "deid.json", "EXPORT_ANONYMIZATION_ETAG": "0x8D1", "EXPORT_CONTAINER": "out", "EXPORT_LEVEL": "patient"}, "EXPORT_LEVEL system"},
		"telemetry in the clear":   {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example.org:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT"},
		"telemetry beside it":      {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			minimal(t)
			for k, v := range c.set {
				t.Setenv(k, v)
			}
			_, err := Read()
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("got %v, want a fault about %q", err, c.fault)
			}
		})
	}
}
