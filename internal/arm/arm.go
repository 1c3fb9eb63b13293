// Package arm asks Azure Resource Manager the few things that an operator's
// command needs of it: what a resource is set to, and to revoke the keys that
// links were signed by.
package arm

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

// Client talks to Azure's management endpoint.
type Client struct {
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

// ErrDenied says that the identity may not do that.
var ErrDenied = errors.New("you may not do that in Azure")

// DeniedError says what the identity may not do, and what to do about it.
type DeniedError struct{ Text string }

func (e *DeniedError) Error() string { return e.Text }

func denied(format string, args ...any) error { return &DeniedError{fmt.Sprintf(format, args...)} }

// AccountName is the name of the account that a blob endpoint is of.
func AccountName(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err == nil {
		if name, _, _ := strings.Cut(u.Hostname(), "."); accountName.MatchString(name) && strings.Contains(u.Hostname(), ".blob.") {
			return name, nil
		}
	}
	return "", denied("The lake account's endpoint does not name an account of Azure, so its keys cannot be revoked from here.")
}

// Revoke revokes all user delegation keys of an account, and with them every
// link that was signed by one. id is the account's resource id; "" looks it up by
// its name.
func (m *Client) Revoke(ctx context.Context, account, id string) error {
	if id == "" {
		var err error
		if id, err = m.find(ctx, account); err != nil {
			return err
		}
	}
	if !accountID.MatchString(id) {
		return denied("That is no resource id of a storage account; this shows it: az storage account show --name %s --query id --output tsv", account)
	}
	_, err := m.post(ctx, "revoking the links", id+"/revokeUserDelegationKeys?api-version="+storageVersion, nil)
	if errors.Is(err, ErrDenied) {
		return denied("You may not revoke links of the account %s: that needs the role \"Storage Account Contributor\" on it. Have somebody who has it do it: %s", account, revokeCommand(account))
	}
	return err
}

// find looks for an account, whose name is unique in Azure.
func (m *Client) find(ctx context.Context, account string) (string, error) {
	var found []struct {
		ID string `json:"id"`
	}
	err := m.Query(ctx, "resources | where type =~ 'microsoft.storage/storageaccounts' and name =~ '"+account+"' | project id", &found)
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", denied("You may not see the account %s in Azure. Log in to its tenant (az login --tenant …), or give --account-id; or have somebody who may do it: %s", account, revokeCommand(account))
	}
	return found[0].ID, nil
}

// Query asks the resource graph, which answers with what the identity may see:
// into is a pointer to a slice of rows.
func (m *Client) Query(ctx context.Context, kql string, into any) error {
	const doing = "asking Azure's resource graph"
	body, err := json.Marshal(map[string]any{"query": kql, "options": map[string]string{"resultFormat": "objectArray"}})
	if err != nil {
		return err
	}
	answer, err := m.post(ctx, doing, "/providers/Microsoft.ResourceGraph/resources?api-version="+graphVersion, body)
	if err != nil {
		return err
	}
	var found struct {
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(answer, &found) != nil || json.Unmarshal(found.Data, into) != nil {
		return errors.New(doing + ": the answer cannot be read")
	}
	return nil
}

func revokeCommand(account string) string {
	return "az storage account revoke-delegation-keys --resource-group GROUP --name " + account
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

func (m *Client) post(ctx context.Context, doing, path string, body []byte) ([]byte, error) {
	if u, err := url.Parse(m.Endpoint); err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%s: the management endpoint is no https URL; it looks like %s", doing, PublicCloud)
	}
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
		return nil, fmt.Errorf("%s: %w", doing, ErrDenied)
	}
	return nil, fmt.Errorf("%s: Azure answered %d %s", doing, resp.StatusCode, http.StatusText(resp.StatusCode))
}
