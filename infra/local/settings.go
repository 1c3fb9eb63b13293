package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"fhirdeid/internal/keys"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/synth"
)

// settings are the app settings of the local installation. What the user has
// set in the environment for an own FHIR server is passed on.
func (s *system) settings() (map[string]string, error) {
	secrets, err := s.localKeys()
	if err != nil {
		return nil, err
	}
	connection := s.azurite.ConnectionString()
	env := map[string]string{
		"FUNCTIONS_WORKER_RUNTIME": "custom",
		"AzureWebJobsStorage":      connection,
		"RawStorage":               connection,
		"LakeStorage":              connection,
		"FHIR_SERVER_URL":          s.fhirURL,
		"FHIR_SERVER_PROFILE":      s.o.profile,
		"EXPORT_LEVEL":             s.o.level,
		"EXPORT_SCHEDULE":          "0 0 1 * * *",
		// A laptop does not wait as a hospital's night does.
		"POLL_INTERVAL": "1s",
		"TICK_INTERVAL": "1s",
		"REDRIVE_AFTER": "1m",
		"DATA_SET":      "local",
	}
	if _, set := os.LookupEnv("FHIR_AUTH"); !set || s.o.fhirURL == "" {
		env["FHIR_AUTH"] = "none"
	}
	if s.o.level == "group" {
		env["EXPORT_GROUP"] = s.o.group
		if s.o.group == "" {
			env["EXPORT_GROUP"] = synth.GroupID
		}
	}
	env["POLICY"] = filepath.Base(s.o.policy)
	env["FHIR_VERSION"] = s.o.fhirVersion
	if s.o.asOf != "" {
		env["AS_OF"] = s.o.asOf
	}
	maps.Copy(env, s.o.env)
	for name, value := range secrets {
		env[keys.SettingName(name)] = value
	}
	return env, nil
}

// settingsFile is where the command line tool finds this installation, while it
// is up.
func (s *system) settingsFile() string { return filepath.Join(s.state, "settings.json") }

// writeSettings writes the settings in the form of local.settings.json.
func (s *system) writeSettings() error {
	data, err := json.MarshalIndent(map[string]any{"Values": s.env}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.settingsFile(), append(data, '\n'), 0o600); err != nil { // it has the local keys
		return fmt.Errorf("writing the settings: %w", err)
	}
	return nil
}

// localKeys are made once and kept, so that the pseudonyms of two runs agree.
func (s *system) localKeys() (map[string]string, error) {
	path := filepath.Join(s.state, "keys.json")
	secrets := make(map[string]string)
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, fmt.Errorf("reading the local keys: %w", err)
	case json.Unmarshal(data, &secrets) != nil:
		return nil, fmt.Errorf("the local keys in %s cannot be read; delete the file to have new ones", path)
	}
	made := false
	for _, name := range pipeline.KeyNames() {
		if secrets[name] == "" {
			secrets[name] = keys.New()
			if name == "encrypt-key" {
				secrets[name] = secrets[name][:32] // AES-256
			}
			made = true
		}
	}
	if !made {
		return secrets, nil
	}
	if data, err = json.MarshalIndent(secrets, "", "  "); err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return nil, fmt.Errorf("keeping the local keys: %w", err)
	}
	s.say("Made new local keys: %s", path)
	return secrets, nil
}
