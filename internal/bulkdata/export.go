package bulkdata

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Accepted is a server's answer to a kick-off.
type Accepted struct {
	// StatusURL is where the job is asked about.
	StatusURL string
	// ServerTime is the server's clock, or ours where it does not tell.
	ServerTime time.Time
}

// KickOff asks the server to export.
func (c *Client) KickOff(ctx context.Context, r Request) (Accepted, error) {
	const op = "asking for the export"
	path, err := r.path()
	if err != nil {
		return Accepted{}, &Error{Op: op, Kind: Invalid, Err: err}
	}
	query, err := r.query(c.profile)
	if err != nil {
		return Accepted{}, &Error{Op: op, Kind: Invalid, Err: err}
	}
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	resp, err := c.do(ctx, op, http.MethodGet, u, http.Header{
		"Accept": {"application/fhir+json"}, // Azure takes exactly this
		"Prefer": {"respond-async"},
	})
	if err != nil {
		return Accepted{}, err
	}
	if resp.StatusCode != http.StatusAccepted {
		e := c.failed(op, u, resp)
		if e.Kind == Gone {
			e.Kind = Invalid
			e.Hint = "the server has no such operation, group or path"
		}
		if resp.StatusCode < 300 {
			e.Kind = Invalid
			e.Hint = "a server that exports answers 202"
		}
		return Accepted{}, e
	}
	defer drain(resp)
	status, err := c.statusURL(u, resp.Header.Get("Content-Location"))
	if err != nil {
		return Accepted{}, &Error{Op: op, Kind: Invalid, URL: withoutQuery(u), Status: resp.StatusCode, Err: err}
	}
	return Accepted{StatusURL: status, ServerTime: c.serverTime(resp.Header)}, nil
}

// statusURL checks where the server says the job is asked about. It may be
// relative; it must be at the server's own origin, since the token goes there.
func (c *Client) statusURL(request *url.URL, location string) (string, error) {
	if location == "" {
		return "", errors.New("the server's answer has no Content-Location")
	}
	u, err := url.Parse(location)
	if err != nil {
		return "", errors.New("the server's Content-Location is no URL")
	}
	u = request.ResolveReference(u)
	if originOf(u) != originOf(c.base) {
		return "", errors.New("the server's Content-Location is at another origin; behind a proxy, set FHIR_SERVER_URL to the address the server knows itself by")
	}
	return u.String(), nil
}

// Status is how an export job goes.
type Status struct {
	// Done is whether the job is complete; Manifest is set then.
	Done     bool
	Manifest *Manifest
	// RetryAfter is how long the server asks to wait, or 0.
	RetryAfter time.Duration
	// Progress is the server's word, at most 100 characters. It is prose.
	Progress string
	// ServerTime is the server's clock, or ours where it does not tell.
	ServerTime time.Time
}

// Status asks how a job goes. A job that the server does not know is an *Error
// of kind Gone.
func (c *Client) Status(ctx context.Context, statusURL string) (Status, error) {
	const op = "asking how the export goes"
	u, err := url.Parse(statusURL)
	if err != nil {
		return Status{}, &Error{Op: op, Kind: Invalid, Err: errors.New("the status URL is none")}
	}
	resp, err := c.do(ctx, op, http.MethodGet, u, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return Status{}, err
	}
	s := Status{RetryAfter: c.retryAfter(resp.Header), Progress: progress(resp.Header.Get("X-Progress")), ServerTime: c.serverTime(resp.Header)}
	switch {
	case resp.StatusCode == http.StatusAccepted:
		drain(resp) // a body here is a partial manifest: it is read when it is whole
		return s, nil
	case resp.StatusCode == http.StatusOK && resp.Header.Get("X-Export-Status") == "in-progress":
		drain(resp)
		return s, nil
	case resp.StatusCode != http.StatusOK:
		return Status{}, c.failed(op, u, resp)
	}
	defer resp.Body.Close()
	s.Manifest, err = readManifest(resp.Body, u)
	if err != nil {
		var broken *manifestError
		kind := Transient // the connection broke
		if errors.As(err, &broken) {
			kind = Invalid
		}
		return Status{}, &Error{Op: "reading the export's manifest", Kind: kind, URL: withoutQuery(u), Status: resp.StatusCode, Err: netError(err)}
	}
	s.Done = true
	return s, nil
}

// Cancel tells the server that the job is no longer wanted, or that its files
// may be deleted. A job that it does not know is no error.
func (c *Client) Cancel(ctx context.Context, statusURL string) error {
	const op = "cancelling the export"
	u, err := url.Parse(statusURL)
	if err != nil {
		return &Error{Op: op, Kind: Invalid, Err: errors.New("the status URL is none")}
	}
	resp, err := c.do(ctx, op, http.MethodDelete, u, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return err
	}
	if resp.StatusCode < 300 || resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone {
		drain(resp)
		return nil
	}
	return c.failed(op, u, resp)
}

// progress is the server's word, cut and without control characters.
func progress(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > 100 {
		s = string(r[:100])
	}
	return s
}
