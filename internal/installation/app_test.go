package installation

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/settings"
)

var update = flag.Bool("update", false, "write the README's table of settings")

func root(path ...string) string { return filepath.Join(append([]string{"..", ".."}, path...)...) }

func readJSON(t *testing.T, into any, path ...string) {
	t.Helper()
	data, err := os.ReadFile(root(path...))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

type binding struct {
	Type, Direction, QueueName, Connection, Schedule, Path, DataType, Source string
	Properties                                                               map[string]any
}

// TestAppAgrees holds the settings, the functions, host.json, the example of
// local settings and the README's table together, both ways.
func TestAppAgrees(t *testing.T) {
	table := settings.Table()
	known := make(map[string]settings.Setting)
	for _, s := range table {
		known[s.Name] = s
	}

	t.Run("functions", func(t *testing.T) {
		files, err := filepath.Glob(root("functions", "*", "function.json"))
		if err != nil {
			t.Fatal(err)
		}
		queues := make(map[string]string)
		blobs := 0
		for _, file := range files {
			var f struct {
				Bindings []binding
				Retry    map[string]any
			}
			readJSON(t, &f, "functions", filepath.Base(filepath.Dir(file)), "function.json")
			name := filepath.Base(filepath.Dir(file))
			if len(f.Bindings) != 1 {
				t.Fatalf("%s has %d bindings; a second one can turn references into content", name, len(f.Bindings))
			}
			b := f.Bindings[0]
			if b.Connection != "" {
				if _, ok := known[b.Connection]; !ok {
					t.Errorf("%s has the connection %s, which is no setting", name, b.Connection)
				}
			}
			if setting := strings.Trim(b.Schedule, "%"); b.Schedule != "" && known[setting].Name == "" {
				t.Errorf("%s has the schedule %s, which is no setting", name, b.Schedule)
			}
			switch b.Type {
			case "queueTrigger":
				queues[b.QueueName] = name
				if b.DataType != "binary" || b.Connection != "AzureWebJobsStorage" {
					t.Errorf("%s: a queue function is binary, on the host account", name)
				}
			case "blobTrigger":
				blobs++
				if !strings.HasPrefix(b.Path, "raw/") || b.Connection != "RawStorage" || b.Source != "EventGrid" || b.Properties["supportsDeferredBinding"] != true {
					t.Errorf("%s: a blob function is deferred, by Event Grid, on the raw account", name)
				}
			}
			if (f.Retry != nil) != (b.Type == "timerTrigger") {
				t.Errorf("%s: a retry policy is for the timer only", name)
			}
		}
		for _, q := range []string{CheckQueue, FetchQueue, RetryQueue} {
			if queues[q] == "" {
				t.Errorf("no function reads the queue %s", q)
			}
			delete(queues, q)
		}
		if len(queues) > 0 || blobs != 1 {
			t.Errorf("unknown queues %v, %d blob functions", queues, blobs)
		}
	})

	t.Run("host.json", func(t *testing.T) {
		var h struct {
			FunctionTimeout string
			CustomHandler   struct {
				Description struct{ DefaultExecutablePath string }
			}
			Extensions struct {
				Queues struct{ MessageEncoding string }
			}
		}
		readJSON(t, &h, "host.json")
		var hours, minutes, seconds int
		if _, err := fmt.Sscanf(h.FunctionTimeout, "%d:%d:%d", &hours, &minutes, &seconds); err != nil {
			t.Fatal(err)
		}
		limit, err := time.ParseDuration(known["INVOCATION_LIMIT"].Default)
		if err != nil {
			t.Fatal(err)
		}
		timeout := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second
		if limit >= timeout {
			t.Errorf("INVOCATION_LIMIT %s is not below functionTimeout %s, which ends the handler with everything it does", limit, timeout)
		}
		if h.CustomHandler.Description.DefaultExecutablePath != "handler" || h.Extensions.Queues.MessageEncoding != "base64" {
			t.Error("host.json does not name the staged handler, or another encoding of messages")
		}
	})

	t.Run("local.settings.json.example", func(t *testing.T) {
		var example struct{ Values map[string]string }
		readJSON(t, &example, "local.settings.json.example")
		hosts := []string{"FUNCTIONS_WORKER_RUNTIME"}
		for name := range example.Values {
			if _, ok := known[name]; !ok && !slices.Contains(hosts, name) && !strings.HasPrefix(name, "FHIRDEID_KEY_") {
				t.Errorf("%s is no setting", name)
			}
		}
		for _, s := range table {
			if _, there := example.Values[s.Name]; s.Required && !there {
				t.Errorf("%s is required and not in the example", s.Name)
			}
		}
	})

	t.Run("README", func(t *testing.T) {
		data, err := os.ReadFile(root("README.md"))
		if err != nil {
			t.Fatal(err)
		}
		before, rest, ok1 := strings.Cut(string(data), "<!-- settings -->\n")
		have, after, ok2 := strings.Cut(rest, "<!-- /settings -->")
		if !ok1 || !ok2 {
			t.Fatal("the README has no place for the table of settings")
		}
		want := "| setting | default | what it is |\n| --- | --- | --- |\n"
		for _, s := range table {
			def := ""
			if s.Default != "" {
				def = "`" + s.Default + "`"
			}
			if s.Required {
				def = "**required**"
			}
			want += fmt.Sprintf("| `%s` | %s | %s |\n", s.Name, def, s.Doc)
		}
		if have == want {
			return
		}
		if !*update {
			t.Fatal("the README's table of settings is not that of the program; write it by: go test ./internal/installation -run TestAppAgrees -update")
		}
		if err := os.WriteFile(root("README.md"), []byte(before+"<!-- settings -->\n"+want+"<!-- /settings -->"+after), 0o644); err != nil {
			t.Fatal(err)
		}
	})
}
