package doctor

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"fhirdeid/internal/bulkdata"
	"fhirdeid/internal/ledger"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/storage"
)

var account = Account{Endpoint: "https://raw1.blob.core.windows.net"}

// noLogin is what an identity answers that has no login.
type noLogin struct{}

func (noLogin) Error() string { return "your Azure login has expired; log in again: az login" }
func (noLogin) NonRetriable() {}

// look does a check and compares status, text and remedy.
func look(t *testing.T, c Check, status Status, text, remedy string) {
	t.Helper()
	r := Run(t.Context(), []Check{c})[0]
	if r.Check != c.Name || r.Status != status || !strings.Contains(r.Text, text) || !strings.Contains(r.Remedy, remedy) {
		t.Errorf("%s: %s, %q, remedy %q; want %s, %q, %q", r.Check, r.Status, r.Text, r.Remedy, status, text, remedy)
	}
	if (r.Status == Fault || r.Status == Warning) && r.Remedy == "" {
		t.Errorf("%s: a %s without a remedy", r.Check, r.Status)
	}
}

// failing is a container whose operations fail.
type failing struct {
	storage.Container
	err error
}

func (f failing) List(context.Context, string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) { yield(storage.Info{}, f.err) }
}

// readOnly is a container that cannot be written.
type readOnly struct{ storage.Container }

func (readOnly) Put(context.Context, string, []byte, storage.PutOptions) (storage.ETag, error) {
	return "", fmt.Errorf("writing: %w", storage.ErrDenied)
}

func TestContainer(t *testing.T) {
	memory := storage.NewMemory(time.Now).Container("raw")
	look(t, Container(account, memory, false), OK, "can be read", "")
	look(t, Container(account, memory, true), OK, "written", "")
	for info := range memory.List(t.Context(), "") {
		t.Errorf("%s is left behind", info.Name)
	}
	look(t, Container(account, readOnly{memory}, true), Fault, "access denied", `--role "Storage Blob Data Contributor"`)
	for err, remedy := range map[error]string{
		storage.ErrNotFound:      "az storage container create --account-name raw1 --name raw",
		storage.ErrDenied:        `--role "Storage Blob Data Reader"`,
		storage.ErrUnreachable:   "publicNetworkAccess",
		noLogin{}:                "az login",
		errors.New("a hiccup"):   "Try again",
		context.DeadlineExceeded: "Try again",
	} {
		look(t, Container(account, failing{memory, err}, false), Fault, err.Error(), remedy)
	}
	look(t, Container(Account{Endpoint: "http://127.0.0.1:10000/devstoreaccount1", Local: true}, failing{memory, storage.ErrNotFound}, false), Fault, "not found", "go run ./infra/local")
}

type lengths map[string]int64

func (l lengths) QueueLength(_ context.Context, name string) (int64, error) {
	n, there := l[name]
	if !there {
		return 0, storage.ErrNotFound
	}
	if n < 0 {
		return 0, storage.ErrDenied
	}
	return n, nil
}

func TestQueue(t *testing.T) {
	look(t, Queue(account, lengths{"fetch-file": 3}, "fetch-file"), OK, "about 3 messages", "")
	look(t, Queue(account, lengths{"fetch-file": 0, "fetch-file-poison": 2}, "fetch-file"), Fault, "2 messages were given up", "az storage message clear --account-name raw1 --queue-name fetch-file-poison")
	look(t, Queue(account, lengths{}, "fetch-file"), Fault, "not found", "az storage queue create")
	look(t, Queue(account, lengths{"fetch-file": -1}, "fetch-file"), Fault, "denied", "Storage Queue Data Reader")
}

type folders struct {
	has bool
	err error
}

func (f folders) HasFolders(context.Context) (bool, error) { return f.has, f.err }

func TestFolders(t *testing.T) {
	look(t, Folders(account, folders{true, nil}), OK, "hierarchical", "")
	look(t, Folders(account, folders{}), Warning, "fhirdeid share", "isHnsEnabled")
	look(t, Folders(account, folders{false, noLogin{}}), Fault, "expired", "az login")
	look(t, Folders(Account{Local: true}, folders{}), Skipped, "emulator", "")
}

type token struct{ err error }

func (f token) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, f.err
}

func TestIdentity(t *testing.T) {
	with := func(err error) func() (azcore.TokenCredential, error) {
		return func() (azcore.TokenCredential, error) { return token{err}, nil }
	}
	look(t, Identity(true, with(nil)), OK, "token", "")
	look(t, Identity(true, with(noLogin{})), Fault, "expired", "az login")
	look(t, Identity(false, nil), Skipped, "no part", "")
}

func TestMetadata(t *testing.T) {
	status, body := http.StatusOK, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	with := `{"resourceType":"CapabilityStatement","fhirVersion":"4.0.1","rest":[{"operation":[{"name":"export","definition":"x"}]}]}`
	for _, tt := range []struct {
		status       int
		body         string
		want         Status
		text, remedy string
	}{
		{200, with, OK, "says that it exports", ""},
		{200, strings.Replace(with, `"operation":[{"name":"export","definition":"x"}]`, `"resource":[{"operation":[{"name":"patient-export"}]}]`, 1), OK, "exports", ""},
		{200, strings.Replace(with, "export", "match", 1), Warning, "does not say", "bulk export"},
		{200, strings.Replace(with, "4.0.1", "5.0.0", 1), Fault, "not that of FHIR_VERSION", "FHIR_VERSION"},
		{200, "<html>", Fault, "no FHIR server", "FHIR_SERVER_URL"},
		{404, "", Fault, "404", "FHIR_SERVER_URL"},
	} {
		status, body = tt.status, tt.body
		look(t, Metadata(server.URL, func(context.Context) string { return "R4" }, nil), tt.want, tt.text, tt.remedy)
	}
	server.Close()
	look(t, Metadata(server.URL, func(context.Context) string { return "R4" }, nil), Fault, "does not answer", "curl")
}

type asked struct{ err error }

func (a asked) Status(context.Context, string) (bulkdata.Status, error) {
	return bulkdata.Status{}, a.err
}

func TestExportRight(t *testing.T) {
	check := func(err error) Check { return ExportRight("https://fhir.example.org", bulkdata.Azure, asked{err}) }
	look(t, check(&bulkdata.Error{Kind: bulkdata.Gone, Status: 404}), OK, "lets this identity", "")
	look(t, check(&bulkdata.Error{Kind: bulkdata.Denied, Status: 403}), Fault, "403", "FHIR Data Exporter")
	look(t, check(&bulkdata.Error{Kind: bulkdata.Transient, Err: noLogin{}}), Fault, "expired", "az login")
	look(t, check(&bulkdata.Error{Kind: bulkdata.Transient, Status: 503}), Fault, "503", "network")
	look(t, ExportRight("", bulkdata.Standard, nil), Skipped, "azure profile", "")
}

type graph struct {
	rows []map[string]string
	err  error
}

func (g graph) Query(_ context.Context, _ string, into any) error {
	if g.err != nil {
		return g.err
	}
	for _, r := range g.rows {
		list := into.(*[]struct {
			ID       string `json:"id"`
			Account  string `json:"account"`
			Identity string `json:"identity"`
		})
		*list = append(*list, struct {
			ID       string `json:"id"`
			Account  string `json:"account"`
			Identity string `json:"identity"`
		}{r["id"], r["account"], r["identity"]})
	}
	return nil
}

func TestExportConfiguration(t *testing.T) {
	check := func(account, identity string, export *Account) Check {
		return ExportConfiguration("https://fhir.example.org", bulkdata.Azure, export, graph{rows: []map[string]string{{"id": "/subscriptions/1/x", "account": account, "identity": identity}}})
	}
	ours := &Account{Endpoint: "https://export1.blob.core.windows.net"}
	look(t, check("export1", "SystemAssigned", ours), OK, "ExportStorage", "")
	look(t, check("", "SystemAssigned", ours), Fault, "no account to export to", "--export-configuration-storage-account-name")
	look(t, check("export1", "", ours), Fault, "no identity", "--identity-type SystemAssigned")
	look(t, check("other", "SystemAssigned", ours), Fault, "exports to the account other", "blob endpoint of other")
	look(t, check("export1", "SystemAssigned", nil), Fault, "ExportStorage is not set", "blob endpoint of export1")
	look(t, ExportConfiguration("x", bulkdata.Azure, ours, graph{}), Skipped, "may not see", "")
	look(t, ExportConfiguration("x", bulkdata.Azure, ours, graph{err: noLogin{}}), Fault, "expired", "az login")
	look(t, ExportConfiguration("x", bulkdata.Standard, ours, graph{}), Skipped, "none of Azure's", "")
}

func TestExportAccount(t *testing.T) {
	look(t, ExportAccount(account, storage.NewMemory(time.Now).Container("export")), OK, "can be read", "")
	look(t, ExportAccount(account, failing{storage.NewMemory(time.Now).Container("export"), storage.ErrDenied}), Fault, "denied", "Storage Blob Data Reader")
	look(t, ExportAccount(account, nil), Skipped, "nothing to try", "")
}

func TestPolicy(t *testing.T) {
	check := func(p pipeline.PolicyState, err error) Check {
		return Policy(func(context.Context) (pipeline.PolicyState, error) { return p, err }, "https://vault.example.org")
	}
	preflight := func(code string) error {
		return &pipeline.PreflightError{Reasons: []ledger.Reason{{Code: code, Text: "It is off."}}}
	}
	look(t, check(pipeline.PolicyState{Name: "safe-harbor", Claim: "safe-harbor", Keys: []string{"pseudonym-key"}}, nil), OK, "pseudonym-key", "")
	look(t, check(pipeline.PolicyState{Name: "mine.json", Claim: "none"}, nil), Warning, "unverified", "fhirdeid lint")
	look(t, check(pipeline.PolicyState{}, preflight("key-invalid")), Fault, "off", "az keyvault secret set")
	look(t, check(pipeline.PolicyState{}, preflight("policy-missing")), Fault, "off", "policy push")
	look(t, check(pipeline.PolicyState{}, preflight("policy-invalid")), Fault, "off", "fhirdeid lint")
	look(t, check(pipeline.PolicyState{}, noLogin{}), Fault, "expired", "az login")
	look(t, check(pipeline.PolicyState{}, storage.ErrDenied), Fault, "denied", "Reader")
	look(t, check(pipeline.PolicyState{}, errors.New("a hiccup")), Fault, "hiccup", "again")
}

func TestRuns(t *testing.T) {
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	const id = "20261122T010000Z"
	for name, tt := range map[string]struct {
		change       func(*ledger.Scope, *ledger.Run)
		want         Status
		text, remedy string
	}{
		"released": {func(*ledger.Scope, *ledger.Run) {}, OK, "7h0m0s old", ""},
		"held": {func(_ *ledger.Scope, r *ledger.Run) {
			r.State, r.Reasons = ledger.Held, []ledger.Reason{{Code: "quarantine"}}
		}, Fault, "held, and waits for a person: quarantine", "runs retry, release or discard"},
		"failed":    {func(_ *ledger.Scope, r *ledger.Run) { r.State = ledger.Failed }, Fault, "failed", "fhirdeid runs show " + id},
		"stopped":   {func(_ *ledger.Scope, r *ledger.Run) { r.State, r.TickAt = ledger.Fetching, now.Add(-2*time.Hour) }, Fault, "heartbeat has stopped", "fhirdeid runs start"},
		"under way": {func(s *ledger.Scope, r *ledger.Run) { r.State, r.TickAt, s.LastReleased = ledger.Fetching, now, "" }, Warning, "nothing has been released yet", "--watch"},
		"old":       {func(s *ledger.Scope, _ *ledger.Run) { s.TransactionTime = now.Add(-50 * time.Hour) }, Fault, "50h0m0s old", "timer"},
	} {
		t.Run(name, func(t *testing.T) {
			l := ledger.New(storage.NewMemory(time.Now).Container("ledger"))
			s := &ledger.Scope{Scope: "abc", LastReleased: id, TransactionTime: now.Add(-7 * time.Hour), Recent: []ledger.Brief{{Run: "20261123T010000Z", Why: "skipped"}, {Run: id}}}
			r := &ledger.Run{ID: id, State: ledger.Released}
			tt.change(s, r)
			if err := errors.Join(l.SwapScope(t.Context(), s, ""), l.CreateRun(t.Context(), r)); err != nil {
				t.Fatal(err)
			}
			look(t, Runs(l, now), tt.want, tt.text, tt.remedy)
		})
	}
	empty := ledger.New(storage.NewMemory(time.Now).Container("ledger"))
	look(t, Runs(empty, now), Warning, "no runs yet", "fhirdeid runs start")
	look(t, Runs(ledger.New(failing{storage.NewMemory(time.Now).Container("ledger"), noLogin{}}), now), Fault, "expired", "az login")
}

func TestEvents(t *testing.T) {
	const id = "20261122T010000Z"
	l := ledger.New(storage.NewMemory(time.Now).Container("ledger"))
	look(t, Events(l, false), Skipped, "", "")
	r := &ledger.Run{ID: id, State: ledger.Released, Manifest: &ledger.Manifest{}}
	if err := errors.Join(l.SwapScope(t.Context(), &ledger.Scope{Scope: "abc", Recent: []ledger.Brief{{Run: id}}}, ""), l.CreateRun(t.Context(), r)); err != nil {
		t.Fatal(err)
	}
	look(t, Events(l, false), OK, id, "")
	_, err := l.UpdateRun(t.Context(), id, func(r *ledger.Run) (bool, error) { r.Note(time.Now(), "files-redriven", ""); return true, nil })
	if err != nil {
		t.Fatal(err)
	}
	look(t, Events(l, false), Warning, "did not come", "event-subscription list")
}

func TestFaulty(t *testing.T) {
	if Faulty([]Result{ok("x"), warning("x", "y"), skipped("x")}) || !Faulty([]Result{ok("x"), fault("x", "y")}) {
		t.Error("a fault is a fault, and nothing else is")
	}
}
