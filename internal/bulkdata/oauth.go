package bulkdata

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// OAuth says how to get tokens by the client credentials grant (RFC 6749, 4.4).
type OAuth struct {
	// TokenURL is the token endpoint; "" has it found at
	// [base]/.well-known/smart-configuration.
	TokenURL string
	// BaseURL is the FHIR base, for finding the token endpoint.
	BaseURL  string
	ClientID string
	// Scope is such as "system/*.rs".
	Scope string
	// Secret is the client's secret, or Assert signs an assertion (SMART Backend
	// Services). One of them is set.
	Secret string
	Assert *Signer
	HTTP   http.RoundTripper
	Now    func() time.Time
}

// Authorizer checks the settings and returns the authorizer. It does no I/O.
func (o OAuth) Authorizer() (Authorizer, error) {
	if o.ClientID == "" || (o.Secret == "") == (o.Assert == nil) {
		return nil, errors.New("a client id is needed, and either a secret or a key")
	}
	if o.TokenURL != "" {
		u, err := url.Parse(o.TokenURL)
		if err != nil || u.Host == "" {
			return nil, errors.New("the token endpoint is no URL")
		}
		if err := secure(u); err != nil {
			return nil, err
		}
	}
	if o.Scope == "" {
		o.Scope = "system/*.rs"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	client := &http.Client{Transport: o.HTTP, Timeout: callTime, CheckRedirect: sameOrigin}
	endpoint := o.TokenURL
	return newCached(o.Now, func(ctx context.Context) (accessToken, error) {
		if endpoint == "" {
			var err error
			if endpoint, err = o.discover(ctx, client); err != nil {
				return accessToken{}, err
			}
		}
		return o.token(ctx, client, endpoint)
	}), nil
}

// discover reads the SMART configuration
// (https://hl7.org/fhir/smart-app-launch/conformance.html).
func (o OAuth) discover(ctx context.Context, client *http.Client) (string, error) {
	const op = "finding the token endpoint"
	base, err := url.Parse(o.BaseURL)
	if err != nil {
		return "", &Error{Op: op, Kind: Invalid}
	}
	u := base.JoinPath(".well-known/smart-configuration")
	var conf struct {
		TokenEndpoint string `json:"token_endpoint"`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", &Error{Op: op, Kind: Invalid}
	}
	req.Header.Set("Accept", "application/json")
	if err := answerJSON(client, req, op, &conf); err != nil {
		return "", err
	}
	endpoint, err := url.Parse(conf.TokenEndpoint)
	if err != nil || endpoint.Host == "" {
		return "", &Error{Op: op, Kind: Invalid, URL: withoutQuery(u), Hint: "the server names none; set SMART_TOKEN_URL"}
	}
	if err := secure(endpoint); err != nil {
		return "", &Error{Op: op, Kind: Refused, URL: withoutQuery(endpoint), Err: err}
	}
	return endpoint.String(), nil
}

func (o OAuth) token(ctx context.Context, client *http.Client, endpoint string) (accessToken, error) {
	const op = "getting a token"
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {o.Scope}}
	if o.Assert != nil {
		assertion, err := o.Assert.assertion(o.ClientID, endpoint, o.Now())
		if err != nil {
			return accessToken{}, err
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return accessToken{}, &Error{Op: op, Kind: Invalid}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if o.Assert == nil {
		req.SetBasicAuth(url.QueryEscape(o.ClientID), url.QueryEscape(o.Secret)) // RFC 6749, 2.3.1
	}
	var answer struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if err := answerJSON(client, req, op, &answer); err != nil {
		return accessToken{}, err
	}
	if answer.AccessToken == "" {
		return accessToken{}, &Error{Op: op, Kind: Invalid, URL: withoutQuery(req.URL), Hint: "the answer has no access_token"}
	}
	if answer.ExpiresIn <= 0 {
		answer.ExpiresIn = 300
	}
	return accessToken{answer.AccessToken, o.Now().Add(time.Duration(answer.ExpiresIn * float64(time.Second)))}, nil
}

func answerJSON(client *http.Client, req *http.Request, op string, into any) error {
	r, err := client.Do(req)
	if err != nil {
		kind := Transient
		if errors.Is(err, errRedirect) {
			kind = Refused
		}
		return &Error{Op: op, Kind: kind, URL: withoutQuery(req.URL), Err: netError(err)}
	}
	defer drain(r)
	body, err := io.ReadAll(io.LimitReader(r.Body, maxOutcome))
	if err != nil {
		return &Error{Op: op, Kind: Transient, URL: withoutQuery(req.URL), Err: netError(err)}
	}
	if r.StatusCode != http.StatusOK {
		e := &Error{Op: op, Kind: Denied, Status: r.StatusCode, URL: withoutQuery(req.URL), Outcome: body,
			Hint: "look at the client id, its secret or key, and the scope"}
		if r.StatusCode >= 500 || r.StatusCode == http.StatusTooManyRequests {
			e.Kind, e.Hint = Transient, ""
		}
		return e
	}
	if json.Unmarshal(body, into) != nil { // its error quotes the body
		return &Error{Op: op, Kind: Invalid, URL: withoutQuery(req.URL), Hint: "the answer is not JSON"}
	}
	return nil
}
