package arm

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

type anyToken struct{}

func (anyToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "token"}, nil
}

const id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/deid/providers/Microsoft.Storage/storageAccounts/lake1"

func TestRevoke(t *testing.T) {
	var asked []string
	found, status := `{"data":[{"id":"`+id+`"}]}`, http.StatusOK
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		if strings.Contains(r.URL.Path, "ResourceGraph") {
			if !strings.Contains(string(body), "name =~ 'lake1'") {
				t.Errorf("the query is %s", body)
			}
			_, _ = io.WriteString(w, found)
			return
		}
		w.WriteHeader(status)
	}))
	defer server.Close()
	m := &Client{Endpoint: server.URL, Credential: anyToken{}, HTTP: server.Client()}
	if err := m.Revoke(t.Context(), "lake1", ""); err != nil {
		t.Fatal(err)
	}
	if want := "POST " + id + "/revokeUserDelegationKeys Bearer token"; len(asked) != 2 || asked[1] != want {
		t.Errorf("asked was %q", asked)
	}
	asked = nil
	if err := m.Revoke(t.Context(), "lake1", id); err != nil || len(asked) != 1 {
		t.Errorf("with an id: %v, %q", err, asked)
	}
	for _, bad := range []string{"lake1", id + "/../x", "/subscriptions/x"} {
		if err := m.Revoke(t.Context(), "lake1", bad); err == nil {
			t.Errorf("%s was taken for an id", bad)
		}
	}
	status = http.StatusForbidden
	if err := m.Revoke(t.Context(), "lake1", ""); err == nil || !strings.Contains(err.Error(), "Storage Account Contributor") || !strings.Contains(err.Error(), "az storage account revoke-delegation-keys") {
		t.Errorf("without the role: %v", err)
	}
	found = `{"data":[]}`
	if err := m.Revoke(t.Context(), "lake1", ""); err == nil || !strings.Contains(err.Error(), "--account-id") {
		t.Errorf("an account that cannot be seen: %v", err)
	}
}

func TestAccountName(t *testing.T) {
	for endpoint, want := range map[string]string{
		"https://lake1.blob.core.windows.net": "lake1", "https://lake1.blob.core.usgovcloudapi.net": "lake1",
		"http://127.0.0.1:10000/devstoreaccount1": "", "https://lake1.example.org": "",
	} {
		got, err := AccountName(endpoint)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s is of %q, %v", endpoint, got, err)
		}
	}
}
