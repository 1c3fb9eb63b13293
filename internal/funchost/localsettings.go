package funchost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// LocalSettings reads the Values of a local.settings.json, for
// Options.Settings. Encrypted files are refused.
func LocalSettings(path string) (map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading local settings: %w", err)
	}
	var file struct {
		IsEncrypted bool
		Values      map[string]string
	}
	if json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &file) != nil {
		return nil, errors.New("local settings: an object with Values is expected, each of them a string")
	}
	if file.IsEncrypted {
		return nil, errors.New("local settings: the file is encrypted; decrypt it with \"func settings decrypt\"")
	}
	return file.Values, nil
}
