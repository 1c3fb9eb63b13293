// Package seed loads resources into a FHIR server, to try an installation with
// made-up patients: many at a time as a transaction, or one by one where the server
// takes no transactions. Resources keep their ids (PUT), so that loading twice is
// loading once.
package seed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fhirdeid/internal/bulkdata"
)

// Loader loads into one server.
type Loader struct {
	// Base is the FHIR base URL without a trailing slash.
	Base string
	// Auth gives tokens; nil sends none.
	Auth bulkdata.Authorizer
	// HTTP sends the requests; nil is one that waits two minutes for an answer.
	HTTP *http.Client
	// Size is how many resources a transaction has.
	Size int
	// Azure is whether the server is Azure's, for the remedies in errors.
	Azure bool
	// Wait pauses; nil waits by the clock.
	Wait func(ctx context.Context, d time.Duration) error

	// oneByOne is set when the server has refused transactions.
	oneByOne bool
}

const (
	fhirJSON = "application/fhir+json"
	// maxTries is how often a request is sent that the server has no time for.
	maxTries = 8
	// maxWait bounds what a server may ask for.
	maxWait = time.Minute
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 4 << 20
)

// statusError is an answer that is no success. It has no word of the server's but
// the codes of its OperationOutcome.
type statusError struct {
	status int
	codes  []string
	remedy string
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.status, http.StatusText(e.status))
	if len(e.codes) > 0 {
		text += " (" + strings.Join(e.codes, ", ") + ")"
	}
	if e.remedy != "" {
		text += "; " + e.remedy
	}
	return text
}

// Patients is how many patients the server has; known is false where it does not
// tell.
func (l *Loader) Patients(ctx context.Context) (n int64, known bool, err error) {
	answer, err := l.send(ctx, http.MethodGet, "/Patient?_summary=count", nil)
	var status *statusError
	if errors.As(err, &status) && status.status != http.StatusUnauthorized && status.status != http.StatusForbidden {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("counting the server's patients: %w", err)
	}
	var bundle struct {
		Total *int64 `json:"total"`
	}
	if json.Unmarshal(answer, &bundle) != nil || bundle.Total == nil {
		return 0, false, nil
	}
	return *bundle.Total, true, nil
}

// Load loads resources in their order, each a JSON object with resourceType and
// id, which is valid until the next. progress is told how many are there.
func (l *Loader) Load(ctx context.Context, resources iter.Seq2[[]byte, error], progress func(n int64)) (int64, error) {
	var done int64
	batch := make([]resource, 0, l.Size)
	flush := func() error {
		if err := l.put(ctx, batch); err != nil {
			return fmt.Errorf("loading the resources from number %d on: %w", done+1, err)
		}
		done += int64(len(batch))
		batch = batch[:0]
		progress(done)
		return nil
	}
	for line, err := range resources {
		if err != nil {
			return done, err
		}
		r, err := read(line)
		if err != nil {
			return done, fmt.Errorf("resource number %d: %w", done+int64(len(batch))+1, err)
		}
		if batch = append(batch, r); len(batch) < l.Size {
			continue
		}
		if err := flush(); err != nil {
			return done, err
		}
	}
	if len(batch) > 0 {
		return done, flush()
	}
	return done, nil
}

// resource is one to be loaded.
type resource struct {
	path string // Type/id
	json json.RawMessage
}

func read(line []byte) (resource, error) {
	var head struct {
		Type string `json:"resourceType"`
		ID   string `json:"id"`
	}
	if json.Unmarshal(line, &head) != nil || head.Type == "" || head.ID == "" {
		return resource{}, errors.New("it is no JSON object with resourceType and id")
	}
	return resource{path: url.PathEscape(head.Type) + "/" + url.PathEscape(head.ID), json: bytes.Clone(line)}, nil
}

// put loads some resources, at once where the server takes that.
func (l *Loader) put(ctx context.Context, batch []resource) error {
	if !l.oneByOne && len(batch) > 1 {
		err := l.transaction(ctx, batch)
		var status *statusError
		if err == nil || !errors.As(err, &status) {
			return err
		}
		switch status.status {
		case http.StatusRequestEntityTooLarge:
			half := len(batch) / 2
			return errors.Join(l.put(ctx, batch[:half]), l.put(ctx, batch[half:]))
		case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusUnsupportedMediaType:
			l.oneByOne = true
		default:
			return err
		}
	}
	for _, r := range batch {
		if _, err := l.send(ctx, http.MethodPut, "/"+r.path, r.json); err != nil {
			return fmt.Errorf("%s: %w", r.path, err)
		}
	}
	return nil
}

type entry struct {
	FullURL  string          `json:"fullUrl"`
	Resource json.RawMessage `json:"resource"`
	Request  struct {
		Method string `json:"method"`
		URL    string `json:"url"`
	} `json:"request"`
}

func (l *Loader) transaction(ctx context.Context, batch []resource) error {
	bundle := struct {
		ResourceType string  `json:"resourceType"`
		Type         string  `json:"type"`
		Entry        []entry `json:"entry"`
	}{"Bundle", "transaction", make([]entry, len(batch))}
	for i, r := range batch {
		bundle.Entry[i] = entry{FullURL: l.Base + "/" + r.path, Resource: r.json}
		bundle.Entry[i].Request.Method, bundle.Entry[i].Request.URL = http.MethodPut, r.path
	}
	body, err := json.Marshal(bundle)
	if err != nil {
		return err
	}
	_, err = l.send(ctx, http.MethodPost, "", body)
	return err
}

// send sends a request, again while the server has no time for it.
func (l *Loader) send(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	for try := 1; ; try++ {
		answer, wait, err := l.sendOnce(ctx, method, path, body, try > 1)
		if err == nil || wait < 0 || try == maxTries {
			return answer, err
		}
		if wait == 0 {
			wait = time.Second << (try - 1)
		}
		if err := l.pause(ctx, min(wait, maxWait)); err != nil {
			return nil, err
		}
	}
}

// sendOnce returns, with an error, how long to wait before the next try: 0 for the
// caller's own choice, negative where there is to be none.
func (l *Loader) sendOnce(ctx context.Context, method, path string, body []byte, fresh bool) ([]byte, time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, method, l.Base+path, bytes.NewReader(body))
	if err != nil {
		return nil, -1, errors.New("the server's URL is none")
	}
	req.Header.Set("Accept", fhirJSON)
	if body != nil {
		req.Header.Set("Content-Type", fhirJSON)
	}
	if l.Auth != nil {
		value, err := l.Auth.Authorization(ctx, fresh)
		if err != nil {
			return nil, -1, err
		}
		req.Header.Set("Authorization", value)
	}
	client := l.HTTP
	if client == nil {
		client = &http.Client{Timeout: 2 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, -1, fmt.Errorf("the server cannot be reached: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, 0, fmt.Errorf("the server's answer broke off: %w", err)
	}
	if resp.StatusCode < 300 {
		return answer, 0, nil
	}
	wait := time.Duration(-1)
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		wait = 0
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
			wait = time.Duration(s) * time.Second
		}
	}
	return nil, wait, &statusError{resp.StatusCode, bulkdata.IssueCodes(answer), l.remedy(resp.StatusCode)}
}

// remedy is what to do about a status.
func (l *Loader) remedy(status int) string {
	switch {
	case status == http.StatusUnauthorized && l.Auth == nil:
		return "it wants a token: give --auth, or set FHIR_AUTH"
	case status == http.StatusForbidden && l.Azure, status == http.StatusUnauthorized && l.Azure:
		return `you need the role "FHIR Data Contributor" on the FHIR service: az role assignment create --role "FHIR Data Contributor" --assignee YOU --scope FHIR-SERVICE-ID`
	case status == http.StatusForbidden:
		return "the client may not write: give a scope such as --scope system/*.cruds"
	}
	return ""
}

func (l *Loader) pause(ctx context.Context, d time.Duration) error {
	if l.Wait != nil {
		return l.Wait(ctx, d)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
