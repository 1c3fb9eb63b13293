package bulkdata

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// token is an access token and when it ends.
type accessToken struct {
	value   string
	expires time.Time
}

// source fetches new tokens.
type source func(ctx context.Context) (accessToken, error)

// cached is an Authorizer that keeps a token until shortly before it ends. Many
// callers at once wait for one new token.
type cached struct {
	fetch source
	now   func() time.Time

	mu   sync.Mutex
	held accessToken
}

// renewBefore is how long before its end a token is renewed: a long request may
// be under way with it.
const renewBefore = 90 * time.Second

func newCached(now func() time.Time, fetch source) *cached {
	if now == nil {
		now = time.Now
	}
	return &cached{fetch: fetch, now: now}
}

// Authorization returns a bearer token.
func (c *cached) Authorization(ctx context.Context, fresh bool) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := c.held.expires.Sub(c.now())
	if c.held.value == "" || fresh || left < renewBefore {
		t, err := c.fetch(ctx)
		if err != nil {
			return "", err
		}
		c.held = t
	}
	return "Bearer " + c.held.value, nil
}

// Identity authorises by an Azure identity. scope is such as
// "https://<workspace>-<service>.fhir.azurehealthcareapis.com/.default".
func Identity(credential azcore.TokenCredential, scope string) Authorizer {
	return newCached(nil, func(ctx context.Context) (accessToken, error) {
		t, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
		if err != nil {
			return accessToken{}, fmt.Errorf("the identity got no token for %s: %w", scope, err)
		}
		return accessToken{t.Token, t.ExpiresOn}, nil
	})
}

// Bearer authorises by a fixed token, for tests and for servers without better.
func Bearer(value string) Authorizer {
	return newCached(nil, func(context.Context) (accessToken, error) {
		return accessToken{value, time.Now().AddDate(10, 0, 0)}, nil
	})
}
