package funchost

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestHostJSON(t *testing.T) {
	root := writeApp(t, map[string]any{
		"version": "2.0", "functionTimeout": "02:00:00",
		"extensions": map[string]any{"queues": map[string]any{"batchSize": 4, "visibilityTimeout": "00:00:30", "maxPollingInterval": "00:00:05"},
			"blobs": map[string]any{"maxDegreeOfParallelism": 4}},
		"customHandler": map[string]any{"description": map[string]any{"defaultExecutablePath": "handler", "arguments": []string{"a", "b"}}},
	}, nil)
	load := func(settings ...string) (*hostConfig, error) { return loadHostConfig(root, newSettings(settings, nil)) }
	c, err := load("AzureFunctionsJobHost__extensions__queues__maxDequeueCount=7", "AzureFunctionsJobHost__functionTimeout=-1",
		"AzureFunctionsJobHost__customHandler__description__arguments__1=c", "AzureFunctionsJobHost__extensions__queues__newBatchThreshold=0")
	if err != nil {
		t.Fatal(err)
	}
	want := queueConfig{batchSize: 4, maxDequeueCount: 7, visibilityTimeout: 30 * time.Second, maxPollingInterval: 5 * time.Second, base64: true}
	if c.queues != want {
		t.Errorf("queues %+v, want %+v", c.queues, want)
	}
	if c.functionTimeout != 0 || !cmp.Equal(c.handler.arguments, []string{"a", "c"}) || c.handler.initializationTimeout != 30*time.Second {
		t.Errorf("time-out %v, arguments %q", c.functionTimeout, c.handler.arguments)
	}
	if batch, threshold := c.blobs.queueBatch(); batch != 3 || threshold != 1 {
		t.Errorf("blobs: batch %d, threshold %d", batch, threshold)
	}
	_, err = load("AzureFunctionsJobHost__extensions__queues__batchSize=33", "AzureFunctionsJobHost__functionTimeout=soon")
	for _, name := range []string{"batchSize", "functionTimeout"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

// TestFaultsOfTheApp: everything that is wrong is said at once.
func TestFaultsOfTheApp(t *testing.T) {
	root := writeApp(t, map[string]any{}, map[string]any{
		"1st":   oneBinding("queueTrigger", "q", "queueName", "q"),
		"Cron":  oneBinding("timerTrigger", "t", "schedule", "every night"),
		"Other": oneBinding("httpTrigger", "r"),
		"Unset": oneBinding("queueTrigger", "q", "queueName", "%NO_SUCH%"),
		"None":  map[string]any{"bindings": []any{}},
	})
	_, err := New(Options{AppRoot: root, Env: []string{}})
	for _, part := range []string{"defaultExecutablePath", "1st", "Cron", "httpTrigger", "NO_SUCH", "None"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not speak of %s: %v", part, err)
		}
	}
}

func TestDisabled(t *testing.T) {
	f := oneBinding("queueTrigger", "q", "queueName", "q")
	for _, c := range []struct {
		attribute any
		settings  []string
		want      bool
	}{
		{nil, nil, false}, {true, nil, true}, {"OFF", []string{"OFF=1"}, true}, {"OFF", nil, false},
		{nil, []string{"AzureWebJobs.F.Disabled=true"}, true}, {nil, []string{"AzureWebJobs__F__Disabled=1"}, true}, {nil, []string{"AzureWebJobs.F.Disabled=false"}, false},
	} {
		f["disabled"] = c.attribute
		loaded, err := loadFunctions(writeApp(t, nil, map[string]any{"F": f}), newSettings(c.settings, nil))
		if err != nil || loaded[0].disabled != c.want {
			t.Errorf("%v %v: disabled %v (%v)", c.attribute, c.settings, loaded[0].disabled, err)
		}
	}
}

func TestConnections(t *testing.T) {
	for _, c := range []struct {
		name     string
		settings []string
		want     string // connection string or blob URL
	}{
		{"Raw", []string{"Raw=plain", "AzureWebJobsRaw=prefixed"}, "prefixed"},
		{"Raw", []string{"Raw=plain"}, "plain"},
		{"AzureWebJobsStorage", []string{"AzureWebJobsStorage=UseDevelopmentStorage=true"}, developmentStorage},
		{"Raw", []string{"Raw__blobServiceUri=https://a.blob.core.windows.net", "Raw__credential=managedidentity"}, "https://a.blob.core.windows.net"},
		{"Raw", []string{"RAW__ACCOUNTNAME=b"}, "https://b.blob.core.windows.net"},
		{"Raw", nil, ""},
	} {
		got, err := resolveConnection(c.name, newSettings(c.settings, nil))
		if (err != nil) != (c.want == "") || got.connectionString+got.blobURL != c.want {
			t.Errorf("%s in %v is %+v (%v)", c.name, c.settings, got, err)
		}
	}
}

// TestSettingsReplaceTheEnvironment: each name is there once.
func TestSettingsReplaceTheEnvironment(t *testing.T) {
	s := newSettings([]string{"A=1", "B=2"}, map[string]string{"A": "3"})
	if v, _ := s.lookup("a"); v != "3" || len(s.environ) != 2 {
		t.Errorf("A is %s, environment %q", v, s.environ)
	}
	if _, err := s.resolve("x%NONE%y"); err == nil || !strings.Contains(err.Error(), "NONE") {
		t.Errorf("a missing setting: %v", err)
	}
}

// TestTheAppOfThisProject: its functions are what the host takes them for.
func TestTheAppOfThisProject(t *testing.T) {
	root := filepath.Join("..", "..", "functions")
	if _, err := os.Stat(root); err != nil {
		t.Skip("the function folders are not here")
	}
	functions, err := loadFunctions(root, newSettings([]string{"EXPORT_SCHEDULE=0 0 1 * * *"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		if f.trigger.is("blobTrigger") && !f.deferred {
			t.Errorf("%s would be sent the content of every blob", f.name)
		}
		if f.trigger.is("queueTrigger") && !strings.EqualFold(f.trigger.DataType, "binary") {
			t.Errorf("%s would be sent text that has to be decoded three times", f.name)
		}
		if f.retry != nil && !f.trigger.is("timerTrigger") {
			t.Errorf("%s has a retry policy, which multiplies with that of its queue", f.name)
		}
	}
}
