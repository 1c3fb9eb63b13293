package funchost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// hostConfig is what the host obeys of host.json.
type hostConfig struct {
	functionTimeout time.Duration // 0 = none
	handler         handlerConfig
	queues          queueConfig
	blobs           blobConfig
}

type handlerConfig struct {
	executable            string
	arguments             []string
	workingDirectory      string
	initializationTimeout time.Duration
}

type queueConfig struct {
	batchSize          int
	newBatchThreshold  int
	maxDequeueCount    int64
	visibilityTimeout  time.Duration
	maxPollingInterval time.Duration
	base64             bool
}

type blobConfig struct {
	maxDegreeOfParallelism int
	poisonBlobThreshold    int64
}

// queueBatch is how the internal queue of blob events is read: the degree of
// parallelism split into a batch and a threshold.
func (b blobConfig) queueBatch() (batch, threshold int) {
	batch = min(32, b.maxDegreeOfParallelism/2+1)
	return batch, b.maxDegreeOfParallelism - batch
}

const jobHostPrefix = "azurefunctionsjobhost:"

// loadHostConfig reads host.json and lays the AzureFunctionsJobHost__ settings
// over it.
func loadHostConfig(root string, s *settings) (*hostConfig, error) {
	data, err := os.ReadFile(filepath.Join(root, "host.json"))
	if err != nil {
		return nil, fmt.Errorf("reading host.json: %w", err)
	}
	var tree any
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, errors.New("host.json is not valid JSON")
	}
	flat := make(map[string]string)
	flatten(flat, "", tree)
	for key, value := range s.values {
		if rest, ok := strings.CutPrefix(key, jobHostPrefix); ok {
			flat[rest] = value
		}
	}
	return readHostConfig(flat)
}

// flatten turns a JSON tree into colon-separated lower-case keys, the way .NET
// configuration sees a file, so that settings can override any leaf.
func flatten(into map[string]string, prefix string, node any) {
	child := func(name string) string {
		if prefix == "" {
			return strings.ToLower(name)
		}
		return prefix + ":" + strings.ToLower(name)
	}
	switch v := node.(type) {
	case map[string]any:
		for name, value := range v {
			flatten(into, child(name), value)
		}
	case []any:
		for i, value := range v {
			flatten(into, child(strconv.Itoa(i)), value)
		}
	case string:
		into[prefix] = v
	case json.Number:
		into[prefix] = v.String()
	case bool:
		into[prefix] = strconv.FormatBool(v)
	}
}

func readHostConfig(flat map[string]string) (*hostConfig, error) {
	r := configReader{flat: flat}
	cores := runtime.NumCPU()
	batch := r.number("extensions:queues:batchSize", 16, 1, 32)
	cfg := &hostConfig{
		functionTimeout: 30 * time.Minute,
		handler: handlerConfig{
			executable:            flat["customhandler:description:defaultexecutablepath"],
			workingDirectory:      flat["customhandler:description:workingdirectory"],
			arguments:             r.list("customHandler:description:arguments"),
			initializationTimeout: r.span("customHandler:initializationTimeout", 30*time.Second),
		},
		queues: queueConfig{
			batchSize:          batch,
			newBatchThreshold:  r.number("extensions:queues:newBatchThreshold", batch/2*cores, 0, 1<<20),
			maxDequeueCount:    int64(r.number("extensions:queues:maxDequeueCount", 5, 1, 1<<20)),
			visibilityTimeout:  r.span("extensions:queues:visibilityTimeout", 0),
			maxPollingInterval: max(r.span("extensions:queues:maxPollingInterval", time.Minute), 100*time.Millisecond),
			base64:             !strings.EqualFold(flat["extensions:queues:messageencoding"], "none"),
		},
		blobs: blobConfig{
			maxDegreeOfParallelism: r.number("extensions:blobs:maxDegreeOfParallelism", 8*cores, 1, 1<<20),
			poisonBlobThreshold:    int64(r.number("extensions:blobs:poisonBlobThreshold", 5, 1, 1<<20)),
		},
	}
	switch flat["functiontimeout"] {
	case "-1":
		cfg.functionTimeout = 0
	default:
		cfg.functionTimeout = r.span("functionTimeout", cfg.functionTimeout)
	}
	if cfg.handler.executable == "" {
		r.faults = append(r.faults, errors.New("host.json: customHandler.description.defaultExecutablePath is missing; this stand-in runs custom handlers only"))
	}
	return cfg, errors.Join(r.faults...)
}

// configReader collects every fault before it complains.
type configReader struct {
	flat   map[string]string
	faults []error
}

func (r *configReader) number(key string, or, low, high int) int {
	text, ok := r.flat[strings.ToLower(key)]
	if !ok {
		return or
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		r.faults = append(r.faults, fmt.Errorf("host.json: %s must be a whole number from %d to %d", key, low, high))
		return or
	}
	return n
}

func (r *configReader) span(key string, or time.Duration) time.Duration {
	text, ok := r.flat[strings.ToLower(key)]
	if !ok {
		return or
	}
	d, err := parseTimeSpan(text)
	if err != nil || d < 0 {
		r.faults = append(r.faults, fmt.Errorf("host.json: %s is %w", key, errTimeSpan))
		return or
	}
	return d
}

// list reads an array, or a JSON array in a string as a setting gives it.
func (r *configReader) list(key string) []string {
	key = strings.ToLower(key)
	if text, ok := r.flat[key]; ok {
		var items []string
		if json.Unmarshal([]byte(text), &items) == nil {
			return items
		}
	}
	var items []string
	for i := 0; ; i++ {
		item, ok := r.flat[key+":"+strconv.Itoa(i)]
		if !ok {
			return items
		}
		items = append(items, item)
	}
}
