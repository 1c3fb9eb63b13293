package keys

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets/fake"
)

func TestCheck(t *testing.T) {
	for value, ok := range map[string]bool{
		"": false, "   \n": false, "short": false, "123456789012345": false,
		strings.Repeat("a", 40): false, "1234567890123456": true, New(): true,
	} {
		err := Check(Secret{Name: "k", Value: []byte(value)})
		if (err == nil) != ok {
			t.Errorf("a key of %d bytes: %v, want ok %v", len(value), err, ok)
		}
		if err != nil && (!strings.Contains(err.Error(), "fhirdeid keys new") || value != "" && strings.Contains(err.Error(), value)) {
			t.Errorf("the error has no remedy, or the key: %v", err)
		}
	}
}

func TestDeriveSeparates(t *testing.T) {
	master := []byte("a master secret of good length")
	seen := make(map[string]bool)
	for _, c := range [][2]string{{"a", "b"}, {"ab", ""}, {"", "ab"}, {"a", "c"}, {"b", "b"}} {
		k := Derive(master, c[0], c[1])
		if len(k) != 32 || seen[string(k)] {
			t.Errorf("data set %q, purpose %q: %d bytes, seen before: %v", c[0], c[1], len(k), seen[string(k)])
		}
		seen[string(k)] = true
		if !bytes.Equal(k, Derive(master, c[0], c[1])) {
			t.Error("a key is derived in two ways")
		}
	}
	if ID(master) == ID([]byte("another master secret")) || len(ID(master)) != 12 {
		t.Error("IDs do not tell keys apart")
	}
}

func TestEnvironment(t *testing.T) {
	env := map[string]string{"FHIRDEID_KEY_PSEUDONYM_KEY": "one value of good length"}
	source := Environment(func(k string) (string, bool) { v, ok := env[k]; return v, ok })
	s, err := source.Get(t.Context(), "pseudonym-key", "")
	if err != nil || string(s.Value) != env["FHIRDEID_KEY_PSEUDONYM_KEY"] {
		t.Fatal(err)
	}
	env["FHIRDEID_KEY_PSEUDONYM_KEY"] = "another value of good length"
	if _, err := source.Get(t.Context(), "pseudonym-key", s.Version); !errors.Is(err, ErrNotFound) {
		t.Errorf("a changed setting gives %v", err)
	}
	if _, err := source.Get(t.Context(), "date-shift-key", ""); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "FHIRDEID_KEY_DATE_SHIFT_KEY") {
		t.Errorf("a missing setting gives %v", err)
	}
}

func TestVault(t *testing.T) {
	server := fake.Server{GetSecret: func(_ context.Context, name, version string, _ *azsecrets.GetSecretOptions) (resp azfake.Responder[azsecrets.GetSecretResponse], errResp azfake.ErrorResponder) {
		switch name {
		case "missing":
			errResp.SetResponseError(http.StatusNotFound, "SecretNotFound")
			return
		case "forbidden":
			errResp.SetResponseError(http.StatusForbidden, "Forbidden")
			return
		}
		if version == "" {
			version = "v2"
		}
		resp.SetResponse(http.StatusOK, azsecrets.GetSecretResponse{Secret: azsecrets.Secret{
			ID:    to.Ptr(azsecrets.ID("https://v.vault.azure.net/secrets/" + name + "/" + version)),
			Value: to.Ptr("value of " + version),
		}}, nil)
		return
	}}
	source, err := Vault("https://v.vault.azure.net", &azfake.TokenCredential{}, &azsecrets.ClientOptions{
		ClientOptions: policy.ClientOptions{Transport: fake.NewServerTransport(&server)},
	})
	if err != nil {
		t.Fatal(err)
	}
	newest, err := source.Get(t.Context(), "k", "")
	if err != nil || newest.Version != "v2" {
		t.Fatalf("newest is %q, %v", newest.Version, err)
	}
	pinned, err := source.Get(t.Context(), "k", "v1")
	if err != nil || string(pinned.Value) != "value of v1" {
		t.Fatalf("pinned version %q, %v", pinned.Version, err)
	}
	if _, err := source.Get(t.Context(), "missing", ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("missing: %v", err)
	}
	if _, err := source.Get(t.Context(), "forbidden", ""); !errors.Is(err, ErrDenied) || !strings.Contains(err.Error(), "Key Vault Secrets User") {
		t.Errorf("forbidden: %v", err)
	}
}
