package funchost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"
)

// function is one folder of the app with a function.json.
type function struct {
	name     string
	trigger  binding
	outputs  []binding
	retry    *retryPolicy
	disabled bool
	deferred bool // the blob trigger hands over a reference, not the content
}

// id is the function's name in storage and in the webhook.
func (f *function) id() string { return "Host.Functions." + f.name }

// eventGrid reports whether the blob trigger gets its events by the webhook.
func (f *function) eventGrid() bool { return strings.EqualFold(f.trigger.Source, "EventGrid") }

// binding is an entry of function.json's bindings, with every name resolved.
type binding struct {
	Name         string         `json:"name"`
	Type         string         `json:"type"`
	Direction    string         `json:"direction"`
	Connection   string         `json:"connection"`
	DataType     string         `json:"dataType"`
	QueueName    string         `json:"queueName"`
	Path         string         `json:"path"`
	Source       string         `json:"source"`
	Schedule     string         `json:"schedule"`
	RunOnStartup bool           `json:"runOnStartup"`
	UseMonitor   *bool          `json:"useMonitor"`
	Properties   map[string]any `json:"properties"`

	all map[string]any // every attribute, to look for {…} expressions
}

func (b *binding) is(kind string) bool { return strings.EqualFold(b.Type, kind) }

// supportsDeferred reads properties.supportsDeferredBinding: any case, true or
// "true".
func (b *binding) supportsDeferred() bool {
	for key, value := range b.Properties {
		if strings.EqualFold(key, "supportsDeferredBinding") {
			switch v := value.(type) {
			case bool:
				return v
			case string:
				return strings.EqualFold(v, "true")
			}
		}
	}
	return false
}

// hasExpression reports whether any attribute holds a {…} expression. One such
// attribute on a second binding makes the host send blob content again.
func (b *binding) hasExpression() bool {
	for _, value := range b.all {
		if s, ok := value.(string); ok && strings.Contains(s, "{") && strings.Contains(s, "}") {
			return true
		}
	}
	return false
}

// retryPolicy is function.json's retry.
type retryPolicy struct {
	exponential  bool
	maxRetries   int // -1 = for ever
	delay        time.Duration
	minimumDelay time.Duration
	maximumDelay time.Duration
}

// wait is the pause before retry n, counted from 1.
func (p *retryPolicy) wait(n int) time.Duration {
	if !p.exponential {
		return p.delay
	}
	d := p.minimumDelay
	for range n - 1 {
		if d >= p.maximumDelay/2 {
			return p.maximumDelay
		}
		d *= 2
	}
	return min(d, p.maximumDelay)
}

type functionFile struct {
	Disabled any               `json:"disabled"`
	Bindings []json.RawMessage `json:"bindings"`
	Retry    *struct {
		Strategy        string `json:"strategy"`
		MaxRetryCount   int    `json:"maxRetryCount"`
		DelayInterval   string `json:"delayInterval"`
		MinimumInterval string `json:"minimumInterval"`
		MaximumInterval string `json:"maximumInterval"`
	} `json:"retry"`
}

var functionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,126}$`)

// loadFunctions reads the function.json of every direct subfolder of the app.
// All faults are reported at once.
func loadFunctions(root string, s *settings) ([]*function, error) {
	paths, err := filepath.Glob(filepath.Join(root, "*", "function.json"))
	if err != nil {
		return nil, fmt.Errorf("looking for functions: %w", err)
	}
	sort.Strings(paths)
	var functions []*function
	var faults []error
	seen := make(map[string]bool)
	for _, path := range paths {
		name := filepath.Base(filepath.Dir(path))
		f, err := loadFunction(path, name, s)
		if err == nil && seen[strings.ToLower(name)] {
			err = errors.New("two functions have this name")
		}
		seen[strings.ToLower(name)] = true
		if err != nil {
			faults = append(faults, fmt.Errorf("function %s: %w", name, err))
			continue
		}
		functions = append(functions, f)
	}
	if len(paths) == 0 {
		faults = append(faults, fmt.Errorf("no function.json in any direct subfolder of %s: %w", root, fs.ErrNotExist))
	}
	return functions, errors.Join(faults...)
}

func loadFunction(path, name string, s *settings) (*function, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading function.json: %w", err)
	}
	return parseFunction(name, data, s)
}

func parseFunction(name string, data []byte, s *settings) (*function, error) {
	if !functionName.MatchString(name) {
		return nil, errors.New("the name must start with a letter and hold letters, digits, _ and - only")
	}
	var file functionFile
	if json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &file) != nil {
		return nil, errors.New("function.json is not what the host expects: an object with bindings")
	}
	f := &function{name: name, disabled: isDisabled(name, file.Disabled, s)}
	expressions := false
	for _, raw := range file.Bindings {
		b, err := parseBinding(raw, s)
		if err != nil {
			return nil, err
		}
		if strings.HasSuffix(strings.ToLower(b.Type), "trigger") {
			if f.trigger.Type != "" {
				return nil, errors.New("more than one trigger")
			}
			f.trigger = *b
			continue
		}
		expressions = expressions || b.hasExpression()
		if strings.EqualFold(b.Direction, "out") {
			f.outputs = append(f.outputs, *b)
		}
	}
	f.deferred = f.trigger.supportsDeferred() && !expressions
	if err := f.check(); err != nil {
		return nil, err
	}
	if r := file.Retry; r != nil {
		var err error
		f.retry, err = parseRetry(r.Strategy, r.MaxRetryCount, r.DelayInterval, r.MinimumInterval, r.MaximumInterval)
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}

func parseBinding(raw json.RawMessage, s *settings) (*binding, error) {
	b := new(binding)
	if json.Unmarshal(raw, b) != nil || json.Unmarshal(raw, &b.all) != nil {
		return nil, errors.New("a binding has an attribute of the wrong type")
	}
	for _, field := range []*string{&b.QueueName, &b.Path, &b.Schedule} {
		value, err := s.resolve(*field)
		if err != nil {
			return nil, fmt.Errorf("binding %s: %w", b.Name, err)
		}
		*field = value
	}
	if b.Connection == "" {
		b.Connection = "AzureWebJobsStorage"
	}
	return b, nil
}

// check refuses what the stand-in cannot run.
func (f *function) check() error {
	t := &f.trigger
	switch {
	case t.Type == "":
		return errors.New("no trigger among the bindings")
	case t.Name == "":
		return errors.New("the trigger has no name")
	case t.is("timerTrigger"):
		if _, err := parseSchedule(t.Schedule); err != nil {
			return fmt.Errorf("binding %s: schedule: %w", t.Name, err)
		}
	case t.is("queueTrigger"):
		if t.QueueName == "" {
			return fmt.Errorf("binding %s: queueName is missing", t.Name)
		}
	case t.is("blobTrigger"):
		if _, err := parseBlobPattern(t.Path); err != nil {
			return fmt.Errorf("binding %s: path: %w", t.Name, err)
		}
	default:
		return fmt.Errorf("the stand-in host has no trigger of type %s, only timerTrigger, queueTrigger and blobTrigger", t.Type)
	}
	for _, out := range f.outputs {
		if !out.is("queue") && !out.is("blob") {
			return fmt.Errorf("the stand-in host has no output of type %s, only queue", out.Type)
		}
	}
	return nil
}

func parseRetry(strategy string, maxRetries int, delay, minimum, maximum string) (*retryPolicy, error) {
	p := &retryPolicy{maxRetries: maxRetries}
	var err, err2 error
	switch {
	case strings.EqualFold(strategy, "fixedDelay"):
		p.delay, err = parseTimeSpan(delay)
	case strings.EqualFold(strategy, "exponentialBackoff"):
		p.exponential = true
		p.minimumDelay, err = parseTimeSpan(minimum)
		p.maximumDelay, err2 = parseTimeSpan(maximum)
	default:
		return nil, errors.New("retry.strategy must be fixedDelay or exponentialBackoff")
	}
	if err = errors.Join(err, err2); err != nil {
		return nil, fmt.Errorf("retry: an interval is %w", err)
	}
	return p, nil
}

// isDisabled reads function.json's disabled (true, or the name of a setting)
// and the setting AzureWebJobs.<name>.Disabled.
func isDisabled(name string, value any, s *settings) bool {
	truth := func(text string) bool { return strings.EqualFold(text, "true") || text == "1" }
	switch v := value.(type) {
	case bool:
		if v {
			return true
		}
	case string:
		if text, ok := s.lookup(v); (ok && truth(text)) || truth(v) {
			return true
		}
	}
	for _, key := range []string{"AzureWebJobs." + name + ".Disabled", "AzureWebJobs__" + name + "__Disabled"} {
		if text, ok := s.lookup(key); ok && truth(text) {
			return true
		}
	}
	return false
}
