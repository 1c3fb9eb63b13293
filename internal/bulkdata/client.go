package bulkdata

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Config says how to reach a server.
type Config struct {
	// BaseURL is the FHIR base, without a trailing slash.
	BaseURL string
	Profile Profile
	// Auth gives tokens for the FHIR server; nil sends none.
	Auth Authorizer
	// FileOrigins are further places that files may be at, such as
	// "https://files.example.org". Tokens go there as the manifest says.
	FileOrigins []string
	// HTTP is the transport; nil is http.DefaultTransport's like.
	HTTP http.RoundTripper
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Stall is how long a download may stand still before it is gone on with over
	// a new connection; 0 is two minutes.
	Stall time.Duration
	// RetryFloor and RetryCeiling bound what a Retry-After may ask for.
	RetryFloor, RetryCeiling time.Duration
}

// Authorizer gives the value of the Authorization header. It is asked before
// each request and renews in time. fresh asks for a new token, since the server
// did not take the last.
type Authorizer interface {
	Authorization(ctx context.Context, fresh bool) (string, error)
}

// Client talks to one server. It is safe for concurrent use.
type Client struct {
	base           *url.URL
	profile        Profile
	auth           Authorizer
	fileOrigins    []string
	calls          *http.Client // kick-off, status, cancel: short
	files          *http.Client // downloads: no time limit of their own
	now            func() time.Time
	floor, ceiling time.Duration
	stall          time.Duration
}

// callTime bounds a short call.
const callTime = 60 * time.Second

// New checks the configuration and returns a client. It does no I/O.
func New(c Config) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(c.BaseURL, "/"))
	if err != nil || base.Host == "" {
		return nil, errors.New("the FHIR server's URL is none; it looks like https://server.example.org/fhir")
	}
	if err := secure(base); err != nil {
		return nil, fmt.Errorf("the FHIR server's URL: %w", err)
	}
	if c.Profile != Standard && c.Profile != Azure {
		return nil, fmt.Errorf("there is no server profile %q; it is azure or standard", c.Profile)
	}
	client := &Client{
		base: base, profile: c.Profile, auth: c.Auth, now: c.Now,
		floor: c.RetryFloor, ceiling: c.RetryCeiling, stall: c.Stall,
	}
	for _, origin := range c.FileOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" {
			return nil, errors.New("a file origin is no URL; it looks like https://files.example.org")
		}
		if err := secure(u); err != nil {
			return nil, fmt.Errorf("the file origin %s: %w", originOf(u), err)
		}
		client.fileOrigins = append(client.fileOrigins, originOf(u))
	}
	if client.now == nil {
		client.now = time.Now
	}
	if client.stall <= 0 {
		client.stall = 2 * time.Minute
	}
	if client.floor <= 0 {
		client.floor = time.Second
	}
	if client.ceiling <= 0 {
		client.ceiling = time.Hour
	}
	transport := c.HTTP
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = 2 * time.Minute
		t.MaxIdleConnsPerHost = 16
		t.DisableCompression = true // asked for by ourselves, where it is wanted
		transport = t
	}
	client.calls = &http.Client{Transport: transport, Timeout: callTime, CheckRedirect: sameOrigin}
	client.files = &http.Client{Transport: transport, CheckRedirect: sameOrigin}
	return client, nil
}

// secure refuses to send anything in the clear but on this machine.
func secure(u *url.URL) error {
	if u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()) {
		return nil
	}
	return errors.New("it must be https; http is for this machine only")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func originOf(u *url.URL) string { return u.Scheme + "://" + strings.ToLower(u.Host) }

// errRedirect says that a server sent the client elsewhere.
var errRedirect = errors.New("the server redirects to another origin, and the request is not sent there")

func sameOrigin(r *http.Request, via []*http.Request) error {
	if originOf(r.URL) != originOf(via[0].URL) {
		return errRedirect
	}
	if len(via) > 5 {
		return errors.New("the server redirects again and again")
	}
	return nil
}

// do sends a request to the FHIR server with a token, and once more with a
// fresh one if the first is not taken.
func (c *Client) do(ctx context.Context, op, method string, u *url.URL, header http.Header) (*http.Response, error) {
	if originOf(u) != originOf(c.base) {
		return nil, &Error{Op: op, Kind: Refused, URL: withoutQuery(u), Hint: "the server's URLs must be at its own origin"}
	}
	for _, fresh := range []bool{false, true} {
		r, err := c.send(ctx, c.calls, op, method, u, header, c.auth, fresh)
		if err != nil {
			return nil, err
		}
		if r.StatusCode != http.StatusUnauthorized || c.auth == nil || fresh {
			return r, nil
		}
		drain(r)
	}
	panic("unreachable")
}

func (c *Client) send(ctx context.Context, client *http.Client, op, method string, u *url.URL, header http.Header, auth Authorizer, fresh bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, &Error{Op: op, Kind: Invalid, URL: withoutQuery(u)}
	}
	req.Header = header.Clone()
	if auth != nil {
		value, err := auth.Authorization(ctx, fresh)
		if err != nil {
			var e *Error
			if errors.As(err, &e) {
				return nil, e
			}
			return nil, &Error{Op: op + ": getting a token", Kind: Transient, Err: err}
		}
		req.Header.Set("Authorization", value)
	}
	r, err := client.Do(req)
	if err != nil {
		kind := Transient
		if errors.Is(err, errRedirect) {
			kind = Refused
		}
		return nil, &Error{Op: op, Kind: kind, URL: withoutQuery(u), Err: netError(err)}
	}
	return r, nil
}

// maxOutcome bounds what is read of an answer that is an error.
const maxOutcome = 64 << 10

// failed makes an error of an answer, and closes it.
func (c *Client) failed(op string, u *url.URL, r *http.Response) *Error {
	defer drain(r)
	body, _ := io.ReadAll(io.LimitReader(r.Body, maxOutcome)) // what there is of it
	e := &Error{
		Op: op, Status: r.StatusCode, URL: withoutQuery(u), Outcome: body,
		Codes: IssueCodes(body), RetryAfter: c.retryAfter(r.Header),
	}
	switch {
	case r.StatusCode == http.StatusUnauthorized:
		e.Kind, e.Hint = Denied, c.hint401()
	case r.StatusCode == http.StatusForbidden:
		e.Kind, e.Hint = Denied, c.hint403()
	case r.StatusCode == http.StatusNotFound, r.StatusCode == http.StatusGone:
		e.Kind = Gone
	case r.StatusCode == http.StatusTooManyRequests, r.StatusCode == http.StatusRequestTimeout:
		e.Kind = Transient
	case len(e.Codes) > 0:
		// The server says itself whether it may pass, also with a 500.
		e.Kind = Invalid
		if allTransient(e.Codes) {
			e.Kind = Transient
		}
	case r.StatusCode >= 500:
		e.Kind = Transient
	default:
		e.Kind = Invalid
	}
	return e
}

func (c *Client) hint401() string {
	if c.auth == nil {
		return "no token was sent: set FHIR_AUTH to how the server wants to be asked"
	}
	if c.profile == Azure {
		return "the token was not taken: look at FHIR_AUDIENCE, and whether the identity is of the server's tenant"
	}
	return "the token was not taken: look at the client id, its key and the token endpoint"
}

func (c *Client) hint403() string {
	if c.profile == Azure {
		return `the identity needs the role "FHIR Data Exporter" on the FHIR service`
	}
	return "the client needs the scope system/*.rs (or system/*.read) for the types it exports"
}

// drain reads the rest of a small answer, so that the connection can be used
// again.
func drain(r *http.Response) {
	_, _ = io.CopyN(io.Discard, r.Body, maxOutcome) // what cannot be read is not used again
	r.Body.Close()
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }
