package share

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// ResourceManager is Azure's management endpoint, where the keys of links are
// revoked.
type ResourceManager struct {
	// Endpoint is such as https://management.azure.com.
	Endpoint   string
	Credential azcore.TokenCredential
	// HTTP sends the requests; nil is one that waits a minute.
	HTTP *http.Client
}

// PublicCloud is the endpoint of Azure's public cloud.
const PublicCloud = "https://management.azure.com"

const (
	graphVersion   = "2022-10-01" // Microsoft.ResourceGraph/resources
	storageVersion = "2025-06-01" // Microsoft.Storage/storageAccounts
)

var (
	accountName = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	accountID   = regexp.MustCompile(`(?i)^/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/?#]+/providers/Microsoft\.Storage/storageAccounts/[a-z0-9]{3,24}$`)
)

// AccountName is the name of the account that a blob endpoint is of.
func AccountName(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err == nil {
		if name, _, _ := strings.Cut(u.Hostname(), "."); accountName.MatchString(name) && strings.Contains(u.Hostname(), ".blob.") {
			return name, nil
		}
	}
	return "", refuse("The lake account's endpoint does not name an account of Azure, so its keys cannot be revoked from here.")
}

// Revoke revokes all user delegation keys of an account, and with them every
// link that was signed by one. id is the account's resource id; "" looks it up by
// its name.
func (m *ResourceManager) Revoke(ctx context.Context, account, id string) error {
	if id == "" {
		var err error
		if id, err = m.find(ctx, account); err != nil {
			return err
		}
	}
	if !accountID.MatchString(id) {
		return refuse("That is no resource id of a storage account; this shows it: az storage account show --name %s --query id --output tsv", account)
	}
	_, err := m.post(ctx, "revoking the links", account, id+"/revokeUserDelegationKeys?api-version="+storageVersion, nil)
	return err
}

// find asks the resource graph for an account, whose name is unique in Azure.
func (m *ResourceManager) find(ctx context.Context, account string) (string, error) {
	body, err := json.Marshal(map[string]string{
		"query": "resources | where type =~ 'microsoft.storage/storageaccounts' and name =~ '" + account + "' | project id",
	})
	if err != nil {
		return "", err
	}
	answer, err := m.post(ctx, "looking for the account", account, "/providers/Microsoft.ResourceGraph/resources?api-version="+graphVersion, body)
	if err != nil {
		return "", err
	}
	var found struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(answer, &found) != nil {
		return "", errors.New("looking for the account: the answer of Azure cannot be read")
	}
	if len(found.Data) != 1 {
		return "", refuse("You may not see the account %s in Azure. Log in to its tenant (az login --tenant …), or give --account-id; or have somebody who may do it: %s", account, revokeCommand(account))
	}
	return found.Data[0].ID, nil
}

func revokeCommand(account string) string {
	return "az storage account revoke-delegation-keys --resource-group GROUP --name " + account
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

func (m *ResourceManager) post(ctx context.Context, doing, account, path string, body []byte) ([]byte, error) {
	token, err := m.Credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{m.Endpoint + "/.default"}})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: the address of the request is off", doing)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	req.Header.Set("Content-Type", "application/json")
	client := m.HTTP
	if client == nil {
		client = &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: Azure's management endpoint cannot be reached: %w", doing, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return answer, nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, refuse("You may not revoke links of the account %s: that needs the role \"Storage Account Contributor\" on it. Have somebody who has it do it: %s", account, revokeCommand(account))
	}
	return nil, fmt.Errorf("%s: Azure answered %d %s", doing, resp.StatusCode, http.StatusText(resp.StatusCode))
}
