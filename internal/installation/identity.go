package installation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"fhirdeid/internal/settings"
)

// IdentityError says that there is no Azure identity, or that it got no token,
// and what to do. The SDK's own text is many lines long and is left out.
type IdentityError struct {
	Text string
	// Code is Entra's code of the fault, such as AADSTS700082, or "".
	Code string
}

func (e *IdentityError) Error() string {
	if e.Code != "" {
		return e.Text + " (" + e.Code + ")"
	}
	return e.Text
}

// NonRetriable tells the SDK that another try cannot mend it.
func (e *IdentityError) NonRetriable() {}

// explained is an identity whose errors say what to do.
type explained struct{ azcore.TokenCredential }

func (c explained) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	t, err := c.TokenCredential.GetToken(ctx, o)
	if err == nil || ctx.Err() != nil {
		return t, err
	}
	return t, explain(err)
}

var (
	entraCode = regexp.MustCompile(`AADSTS[0-9]{4,8}`)
	// expired are the codes of a login that has to be made again: the refresh
	// token has expired or was revoked, the password has changed, a second factor
	// is due (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
	expired = map[string]bool{"AADSTS70043": true, "AADSTS70044": true, "AADSTS70008": true, "AADSTS700082": true, "AADSTS700084": true,
		"AADSTS50173": true, "AADSTS50076": true, "AADSTS50078": true, "AADSTS50079": true, "AADSTS50089": true, "AADSTS50133": true}
)

// explain makes a sentence and a remedy of an error of the SDK.
func explain(err error) error {
	text := err.Error()
	code := entraCode.FindString(text)
	e := &IdentityError{Code: code}
	var failed *azidentity.AuthenticationFailedError
	switch {
	case expired[code] || strings.Contains(text, "az login") && strings.Contains(text, "expired"):
		e.Text = "your Azure login has expired; log in again: az login"
	case os.Getenv("IDENTITY_ENDPOINT") != "":
		e.Text = "the app's managed identity got no token; look whether AZURE_CLIENT_ID is the client id of an identity that the app has: az functionapp identity show"
	case errors.As(err, &failed) && code != "":
		e.Text = "Azure gave no token; log in to the tenant of this installation: az login --tenant TENANT"
	default:
		e.Text = "there is no Azure login; log in with: az login"
	}
	return e
}

// identity returns the Azure identity of the settings, made when it is first
// asked for: a local installation has none.
func identity(s *settings.Settings) func() (azcore.TokenCredential, error) {
	var made azcore.TokenCredential
	return func() (azcore.TokenCredential, error) {
		if made != nil {
			return made, nil
		}
		var sdk azcore.TokenCredential
		var err error
		if s.IdentityID != "" && os.Getenv("IDENTITY_ENDPOINT") != "" {
			sdk, err = azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ID: azidentity.ClientID(s.IdentityID)})
		} else {
			sdk, err = azidentity.NewDefaultAzureCredential(nil)
		}
		if err != nil {
			return nil, fmt.Errorf("finding an Azure identity: %w; log in with `az login`, or set AZURE_CLIENT_ID to the app's identity", err)
		}
		made = explained{sdk}
		return made, nil
	}
}
