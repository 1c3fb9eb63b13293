package main

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/user"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"fhirdeid/internal/installation"
)

// operator names who acts: as Entra knows them where an Azure identity is used, else
// as this machine does. It is recorded with orders and shares.
func operator(ctx context.Context, in *installation.Installation) string {
	if in.Settings.Raw.ConnectionString == "" {
		if c, err := in.Identity(); err == nil {
			// An error is met again, and told, by what needs the token.
			t, err := c.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{"https://storage.azure.com/.default"}})
			if name := tokenName(t.Token); err == nil && name != "" {
				return name
			}
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}

// tokenName is the name in an access token: of a user, or else the ids of a service.
// It is our own token, from our own login, so its signature need not be looked at.
func tokenName(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		UPN        string `json:"upn"`
		UniqueName string `json:"unique_name"`
		AppID      string `json:"appid"`
		ObjectID   string `json:"oid"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return cmp.Or(claims.UPN, claims.UniqueName, claims.AppID, claims.ObjectID)
}
