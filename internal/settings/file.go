package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// LoadFile puts the settings of a file into the environment, where they are not
// set there already. The file has one of the forms in which settings are at hand:
// local.settings.json; what `az functionapp config appsettings list` prints; or
// lines NAME=value, with or without quotes.
func LoadFile(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the settings: %w", err)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var local struct{ IsEncrypted bool }
	if json.Unmarshal(data, &local) == nil && local.IsEncrypted {
		return fmt.Errorf("the settings in %s are encrypted; decrypt them with \"func settings decrypt\"", path)
	}
	values, ok := parseFile(data)
	if !ok {
		return fmt.Errorf("the settings in %s cannot be read; the file is a local.settings.json, lines NAME=value, or what `az functionapp config appsettings list --name APP --resource-group GROUP` prints", path)
	}
	for name, value := range values {
		if _, set := os.LookupEnv(name); set {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return fmt.Errorf("the settings in %s have a name that none can have", path)
		}
	}
	return nil
}

func parseFile(data []byte) (map[string]string, bool) {
	var local struct{ Values map[string]string }
	if json.Unmarshal(data, &local) == nil && local.Values != nil {
		return local.Values, true
	}
	var listed []struct{ Name, Value string }
	if json.Unmarshal(data, &listed) == nil {
		values := make(map[string]string, len(listed))
		for _, s := range listed {
			values[s.Name] = s.Value
		}
		return values, len(values) > 0
	}
	return parseLines(string(data))
}

// parseLines reads lines NAME=value, with or without quotes; blank lines and
// comments are passed over.
func parseLines(data string) (map[string]string, bool) {
	values := make(map[string]string)
	for line := range strings.Lines(data) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !ok || strings.ContainsAny(name, " \"{[") {
			return nil, false
		}
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		values[name] = value
	}
	return values, len(values) > 0
}
