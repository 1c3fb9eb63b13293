package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoadFile(t *testing.T) {
	for name, content := range map[string]string{
		"local.settings.json":    `{"IsEncrypted":false,"Values":{"DATA_SET":"one","POLICY":"mine"}}`,
		"with a byte order mark": "\xef\xbb\xbf" + `{"IsEncrypted":false,"Values":{"DATA_SET":"one","POLICY":"mine"}}`,
		"appsettings list":       `[{"name":"DATA_SET","slotSetting":false,"value":"one"},{"name":"POLICY","value":"mine"}]`,
		"lines":                  "DATA_SET=\"one\"\n\n# a comment\nexport POLICY=mine\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "settings")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("POLICY", "from the environment")
			t.Setenv("DATA_SET", "") // restored at the end
			os.Unsetenv("DATA_SET")
			if err := LoadFile(path); err != nil {
				t.Fatal(err)
			}
			if os.Getenv("DATA_SET") != "one" || os.Getenv("POLICY") != "from the environment" {
				t.Errorf("DATA_SET is %q, POLICY %q", os.Getenv("DATA_SET"), os.Getenv("POLICY"))
			}
		})
	}
}

func TestLoadFileRefuses(t *testing.T) {
	for _, content := range []string{"", "{}", "[]", `{"Values":1}`, "DATA_SET", `"x"`, "SECRET=a\nnothing here"} {
		path := filepath.Join(t.TempDir(), "settings")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := LoadFile(path); err == nil || strings.Contains(err.Error(), "nothing here") {
			t.Errorf("%q gives %v", content, err)
		}
	}
}

// TestLoadFileEncrypted: what is encrypted is not taken for settings.
func TestLoadFileEncrypted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings")
	if err := os.WriteFile(path, []byte(`{"IsEncrypted":true,"Values":{"FHIRDEID_TEST_SETTING":"CfDJ8"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := LoadFile(path); err == nil || !strings.Contains(err.Error(), "func settings decrypt") {
		t.Errorf("it gives %v", err)
	}
	if _, set := os.LookupEnv("FHIRDEID_TEST_SETTING"); set {
		t.Error("it was put into the environment")
	}
}
