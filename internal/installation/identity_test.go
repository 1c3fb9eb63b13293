package installation

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// failing is an identity that gives no token.
type failing struct{ err error }

func (f failing) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, f.err
}

// TestIdentityErrors: a login that is not there or has expired is told in one
// sentence with its remedy, whatever the SDK says.
func TestIdentityErrors(t *testing.T) {
	for text, want := range map[string]string{
		"DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:\n\tAzureCLICredential: Please run 'az login' to set up an account":                      "there is no Azure login; log in with: az login",
		"AzureCLICredential: ERROR: AADSTS700082: The refresh token has expired due to inactivity. The token was issued on 2026 to ada@example.org":                         "your Azure login has expired; log in again: az login (AADSTS700082)",
		"AzureCLICredential: ERROR: AADSTS50076: Due to a configuration change made by your administrator you must use multi-factor authentication":                         "your Azure login has expired; log in again: az login (AADSTS50076)",
		"DefaultAzureCredential: failed to acquire a token.\nAttempted credentials:\n\tEnvironmentCredential: incomplete environment variable configuration. Only X is set": "there is no Azure login; log in with: az login",
	} {
		_, err := explained{failing{errors.New(text)}}.GetToken(t.Context(), policy.TokenRequestOptions{})
		var e *IdentityError
		if !errors.As(err, &e) || err.Error() != want || strings.Contains(err.Error(), "ada") {
			t.Errorf("the error is %q, want %q", err, want)
		}
		var once interface{ NonRetriable() }
		if !errors.As(err, &once) {
			t.Error("it would be tried again and again")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (explained{failing{context.Canceled}}).GetToken(ctx, policy.TokenRequestOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt gives %v", err)
	}
}
