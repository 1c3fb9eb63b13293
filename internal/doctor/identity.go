package doctor

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// storageScope is what a token for storage is asked for.
const storageScope = "https://storage.azure.com/.default"

// Identity looks whether there is an Azure identity that gets a token. needed is
// false where everything is used with keys.
func Identity(needed bool, identity func() (azcore.TokenCredential, error)) Check {
	return Check{"identity", func(ctx context.Context) Result {
		if !needed {
			return skipped("no part of the installation is used with an Azure identity")
		}
		c, err := identity()
		if err != nil {
			return fault(err.Error(), "az login")
		}
		if _, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{storageScope}}); err != nil {
			return fault("there is no token to be had: "+err.Error(), "az login")
		}
		return ok("Azure gives a token")
	}}
}
