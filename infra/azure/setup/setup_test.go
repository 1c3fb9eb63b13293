package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"fhirdeid/internal/ledger"
	"fhirdeid/internal/pipeline"
	"fhirdeid/internal/storage"
)

// fakeAzure answers by the words of a call, and keeps what it was asked.
type fakeAzure struct {
	t      *testing.T
	answer map[string]func(args []string) (string, error)
	calls  []string
}

func (f *fakeAzure) run(_ context.Context, args ...string) ([]byte, error) {
	f.calls = append(f.calls, strings.Join(args, " "))
	answer := f.answer[words(args)]
	if answer == nil {
		f.t.Errorf("az %s was not foreseen", words(args))
		return nil, &azError{call: words(args), text: "not foreseen"}
	}
	out, err := answer(args)
	return []byte(out), err
}

// said answers the same each time.
func said(out string) func([]string) (string, error) {
	return func([]string) (string, error) { return out, nil }
}

// complained fails the same each time.
func complained(text string) func([]string) (string, error) {
	return func([]string) (string, error) { return "", &azError{call: "x", text: text} }
}

// option is the value of an option of a call.
func option(args []string, name string) string {
	if i := slices.Index(args, name); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return ""
}

// do runs the program with a fake CLI and returns what it says.
func do(t *testing.T, f *fakeAzure, args ...string) (string, error) {
	t.Helper()
	f.t = t
	var out strings.Builder
	cmd := command(f, func(context.Context, time.Duration) error { return nil })
	cmd.SetOut(&out)
	cmd.SetArgs(append(args, "--resource-group", "night"))
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

// deployed sets the outputs of a deployment, as azd does.
func deployed(t *testing.T, change map[string]string) {
	t.Helper()
	in := map[string]string{
		"APP_NAME": "fhirdeid-x", "VAULT_NAME": "kv-x", "HOST_ACCOUNT": "hostx", "RAW_ACCOUNT": "rawx", "LAKE_ACCOUNT": "lakex",
		"INSIGHTS_NAME": "insights-x", "APP_PRINCIPAL_ID": "app-id", "TOPIC_NAME": "events-x", "TOPIC_PRINCIPAL_ID": "topic-id",
	}
	for _, name := range append(slices.Clone(optional), "AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE") {
		t.Setenv(name, "")
	}
	for name, value := range in {
		t.Setenv(name, value)
	}
	for name, value := range change {
		t.Setenv(name, value)
	}
}

func TestKeysAreMadeAndNeverShown(t *testing.T) {
	deployed(t, nil)
	made := make(map[string]string)
	f := &fakeAzure{answer: map[string]func([]string) (string, error){
		"keyvault secret show": func(args []string) (string, error) {
			if option(args, "--name") == "date-shift-key" {
				return "https://kv-x/secrets/date-shift-key/1", nil
			}
			return "", &azError{text: "(SecretNotFound) A secret with (name/id) … was not found"}
		},
		"keyvault secret set": func(args []string) (string, error) {
			file := option(args, "--file")
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("others can read the file with the key: %s", info.Mode())
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			made[option(args, "--name")] = string(data)
			t.Cleanup(func() {
				if _, err := os.Stat(file); err == nil {
					t.Error("the file with the key is still there")
				}
			})
			return "", nil
		},
	}}
	out, err := do(t, f, "keys")
	if err != nil {
		t.Fatal(err)
	}
	if len(made) != 3 || len(made["pseudonym-key"]) < 43 || len(made["crypto-hash-key"]) < 43 || len(made["encrypt-key"]) != 32 {
		t.Errorf("made %d keys", len(made))
	}
	for name, key := range made {
		if strings.Contains(out+strings.Join(f.calls, "\n"), key) {
			t.Errorf("%s is shown", name)
		}
	}
	if _, again := made["date-shift-key"]; again {
		t.Error("a key that was there is made anew")
	}
}

func TestKeysWaitForTheRole(t *testing.T) {
	deployed(t, nil)
	tries := 0
	f := &fakeAzure{answer: map[string]func([]string) (string, error){
		"keyvault secret show": func([]string) (string, error) {
			if tries++; tries < 4 {
				return "", &azError{text: "(Forbidden) Caller is not authorized … ForbiddenByRbac"}
			}
			return "id", nil
		},
	}}
	if _, err := do(t, f, "keys"); err != nil {
		t.Fatal(err)
	}
	f.answer["keyvault secret show"] = complained("(Forbidden) Caller is not authorized")
	if _, err := do(t, f, "keys"); err == nil || !strings.Contains(err.Error(), "Key Vault Secrets Officer") {
		t.Errorf("without the role: %v", err)
	}
	f.answer["keyvault secret show"] = complained("(SecretNotFound)")
	f.answer["keyvault secret set"] = complained("(Conflict) Secret x is currently in a deleted but recoverable state")
	if _, err := do(t, f, "keys"); err == nil || !strings.Contains(err.Error(), "az keyvault secret recover") {
		t.Errorf("with a deleted key: %v", err)
	}
}

func TestEvents(t *testing.T) {
	deployed(t, nil)
	const key = "k+y/with=signs"
	const hook = "https://fhirdeid-x.azurewebsites.net/runtime/webhooks/blobs?functionName=Host.Functions.AnonymizeFile&code=k%2By%2Fwith%3Dsigns"
	asked, created := 0, 0
	f := &fakeAzure{answer: map[string]func([]string) (string, error){
		"functionapp show": said(`{"defaultHostName":"fhirdeid-x.azurewebsites.net"}`),
		"functionapp keys list": func([]string) (string, error) {
			if asked++; asked < 3 {
				return `""`, nil
			}
			return `"` + key + `"`, nil
		},
		"storage account show": said(`{"id":"/subscriptions/s/hostx"}`),
		"deployment group create": func(args []string) (string, error) {
			if created++; created == 1 {
				return "", &azError{call: "deployment group create", text: "Webhook validation handshake failed for " + hook}
			}
			data, err := os.ReadFile(strings.TrimPrefix(option(args, "--parameters"), "@"))
			if err != nil {
				t.Fatal(err)
			}
			var file struct {
				Parameters map[string]struct{ Value string }
			}
			if err := json.Unmarshal(data, &file); err != nil {
				t.Fatal(err)
			}
			if got := file.Parameters["webhookUrl"].Value; got != hook {
				t.Errorf("the address is %s", got)
			}
			if file.Parameters["topicName"].Value != "events-x" || file.Parameters["hostAccountId"].Value != "/subscriptions/s/hostx" {
				t.Error("the topic or the account is not handed over")
			}
			template := option(args, "--template-file")
			text, err := os.ReadFile(template)
			if err != nil {
				t.Fatal(err)
			}
			for name := range file.Parameters {
				if !strings.Contains(string(text), "\nparam "+name+" ") {
					t.Errorf("%s has no parameter %s", filepath.Base(template), name)
				}
			}
			return "", nil
		},
	}}
	out, err := do(t, f, "events")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{key, "k%2By"} {
		if strings.Contains(out+strings.Join(f.calls, "\n"), secret) {
			t.Error("the key is shown")
		}
	}
	// The function that events are for exists.
	if _, err := os.Stat(filepath.Join("..", "..", "..", "functions", blobFunction, "function.json")); err != nil {
		t.Error(err)
	}

	f.answer["deployment group create"] = complained("Webhook validation handshake failed for " + hook + " with key " + key)
	_, err = do(t, f, "events")
	if err == nil || strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "k%2By") || !strings.Contains(err.Error(), "handshake") {
		t.Errorf("a complaint with the key: %v", err)
	}

	f.answer["functionapp keys list"] = said(`""`)
	if _, err := do(t, f, "events"); err == nil || !strings.Contains(err.Error(), "has not started") {
		t.Errorf("with an app that does not start: %v", err)
	}

	deployed(t, map[string]string{"TOPIC_NAME": ""})
	if _, err := do(t, &fakeAzure{}, "events"); err != nil {
		t.Errorf("without a topic: %v", err)
	}
}

func TestCheck(t *testing.T) {
	good := func() map[string]func([]string) (string, error) {
		registered, _ := json.Marshal(providers)
		return map[string]func([]string) (string, error){
			"group show": said(`{"id":"/subscriptions/s/resourceGroups/night","location":"westeurope"}`),
			"functionapp list-flexconsumption-locations": said(`[{"name":"West Europe"}]`),
			"provider list": said(string(registered)),
			"rest":          said(`{"value":[{"actions":["*"],"notActions":[]}]}`),
		}
	}
	for name, c := range map[string]struct {
		env    map[string]string
		change func(map[string]func([]string) (string, error))
		want   []string // none is no error
	}{
		"all is well": {},
		"no such group": {change: func(a map[string]func([]string) (string, error)) {
			a["group show"] = complained("(ResourceGroupNotFound)")
		}, want: []string{"az group create"}},
		"no login": {change: func(a map[string]func([]string) (string, error)) {
			a["group show"] = complained("Please run 'az login'")
		}, want: []string{"az login"}},
		"another region": {change: func(a map[string]func([]string) (string, error)) {
			a["functionapp list-flexconsumption-locations"] = said(`[{"name":"eastus"}]`)
		}, want: []string{"not offered in westeurope"}},
		"no provider": {change: func(a map[string]func([]string) (string, error)) { a["provider list"] = said(`["Microsoft.Web"]`) }, want: []string{"az provider register --wait --namespace Microsoft.EventGrid"}},
		"a contributor": {
			change: func(a map[string]func([]string) (string, error)) {
				a["rest"] = said(`{"value":[{"actions":["*"],"notActions":["Microsoft.Authorization/*/Write","Microsoft.Authorization/*/Delete"]}]}`)
			},
			want: []string{"you may not give roles", "setup roles"},
		},
		"a contributor who says so": {
			env: map[string]string{"ASSIGN_ROLES": "false"},
			change: func(a map[string]func([]string) (string, error)) {
				a["rest"] = said(`{"value":[]}`)
			},
		},
		"all at once": {
			env: map[string]string{"INSTALLATION": "My Night", "EXTERNAL_FHIR_URL": "http://fhir.example.org"},
			change: func(a map[string]func([]string) (string, error)) {
				a["rest"] = said(`{"value":[]}`)
			},
			want: []string{"INSTALLATION", "https", "you may not give roles"},
		},
		"a FHIR service without its account": {
			env:  map[string]string{"FHIR_SERVICE_ID": "/subscriptions/s/resourceGroups/g/providers/Microsoft.HealthcareApis/workspaces/w/fhirservices/f"},
			want: []string{"EXPORT_ACCOUNT_ID"},
		},
		"a name for a resource id": {env: map[string]string{"FHIR_SERVICE_ID": "myfhir"}, want: []string{"no resource id"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{"INSTALLATION", "FHIR_SERVICE_ID", "EXTERNAL_FHIR_URL", "EXPORT_ACCOUNT_ID", "ASSIGN_ROLES"} {
				t.Setenv(v, c.env[v])
			}
			f := &fakeAzure{answer: good()}
			if c.change != nil {
				c.change(f.answer)
			}
			_, err := do(t, f, "check")
			if (err == nil) != (len(c.want) == 0) {
				t.Fatalf("got %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
		})
	}
}

func TestInstallation(t *testing.T) {
	outputs := make(map[string]map[string]string)
	for _, name := range needed {
		outputs[strings.ToLower(name)] = map[string]string{"value": "v-" + name}
	}
	text, err := json.Marshal(outputs)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ out, complaint, want string }{
		"of a deployment":  {out: string(text)},
		"no deployment":    {complaint: "(DeploymentNotFound)", want: "deploy first"},
		"a broken one":     {out: `{"app_name":{"value":"a"}}`, want: "VAULT_NAME"},
		"what is no JSON":  {out: "Warning: secret", want: "cannot be read"},
		"an expired login": {complaint: "AADSTS700082: The refresh token has expired", want: "az login"},
	} {
		t.Run(name, func(t *testing.T) {
			deployed(t, map[string]string{"APP_NAME": ""})
			for _, n := range needed {
				t.Setenv(n, "")
			}
			f := &fakeAzure{answer: map[string]func([]string) (string, error){"deployment group show": said(c.out), "group show": said(`{"id":"/g"}`)}}
			if c.complaint != "" {
				f.answer["deployment group show"] = complained(c.complaint)
			}
			out, err := do(t, f, "roles", "--deployment", "other")
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret")) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err == nil && !strings.Contains(out, "v-APP_PRINCIPAL_ID") {
				t.Errorf("the roles are of another installation:\n%s", out)
			}
			if !strings.Contains(f.calls[0], "--name other") {
				t.Errorf("asked %q", f.calls[0])
			}
		})
	}
}

func TestRolesForPeople(t *testing.T) {
	deployed(t, map[string]string{"AZURE_PRINCIPAL_ID": "me"})
	f := &fakeAzure{answer: map[string]func([]string) (string, error){"group show": said(`{"id":"/subscriptions/s/resourceGroups/night"}`)}}
	out, err := do(t, f, "roles", "--researchers", "group-id")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"--assignee-object-id app-id --assignee-principal-type ServicePrincipal",
		"--assignee-object-id topic-id", "--assignee-object-id me --assignee-principal-type User", "--assignee-object-id group-id --assignee-principal-type Group",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no command has %s", want)
		}
	}
}

func TestEnv(t *testing.T) {
	deployed(t, nil)
	f := &fakeAzure{answer: map[string]func([]string) (string, error){"functionapp config appsettings list": said(`[
		{"name":"FHIR_SERVER_URL","value":"https://fhir.example.org"},
		{"name":"EXPORT_TYPE_FILTERS","value":"Observation?code=it's"},
		{"name":"RawStorage__blobServiceUri","value":"https://raw.example.org"},
		{"name":"RawStorage__clientId","value":"app"},
		{"name":"AZURE_CLIENT_ID","value":"app"},
		{"name":"APPLICATIONINSIGHTS_CONNECTION_STRING","value":"x"}]`)}}
	for shell, want := range map[string]string{
		"sh":   "export EXPORT_TYPE_FILTERS='Observation?code=it'\\''s'\nexport FHIR_SERVER_URL='https://fhir.example.org'\nexport RawStorage__blobServiceUri='https://raw.example.org'\n",
		"pwsh": "$env:EXPORT_TYPE_FILTERS = 'Observation?code=it''s'\n$env:FHIR_SERVER_URL = 'https://fhir.example.org'\n$env:RawStorage__blobServiceUri = 'https://raw.example.org'\n",
	} {
		if out, err := do(t, f, "env", "--shell", shell); err != nil || out != want {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
	if _, err := do(t, f, "env", "--shell", "fish"); err == nil {
		t.Error("an unknown shell is taken")
	}
}

// TestSmokeWaitsForRoles: for them, and for nothing else.
func TestSmokeWaitsForRoles(t *testing.T) {
	unwritable := &pipeline.PreflightError{Reasons: []ledger.Reason{{Code: "container-unwritable"}}}
	for name, c := range map[string]struct {
		first error
		tries int
	}{
		"a container that refuses":  {unwritable, 2},
		"storage that refuses":      {fmt.Errorf("writing: %w", storage.ErrDenied), 2},
		"a policy that is no good":  {&pipeline.PreflightError{Reasons: []ledger.Reason{{Code: "container-unwritable"}, {Code: "policy-invalid"}}}, 1},
		"no result":                 {pipeline.ErrNoResult, 1},
		"nothing is wrong at first": {nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := &setup{out: io.Discard, pause: func(context.Context, time.Duration) error { return nil }}
			tries := 0
			err := s.untilRolesHold(t.Context(), func() error {
				if tries++; tries == 1 {
					return c.first
				}
				return nil
			})
			if tries != c.tries || c.tries == 1 && !errors.Is(err, c.first) {
				t.Errorf("%d tries, %v", tries, err)
			}
		})
	}
}

// TestCLI runs a program called az that is on the PATH.
func TestCLI(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	dir := t.TempDir()
	script := "#!/bin/sh\nif [ \"$1\" = fail ]; then echo 'ERROR: it broke' >&2; exit 3; fi\necho \"$*\"\n"
	if err := os.WriteFile(filepath.Join(dir, "az"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("AZURE_SUBSCRIPTION_ID", "other")
	out, err := cli{}.run(t.Context(), "group", "show")
	if err != nil || string(out) != "group show --subscription other\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if out, err := (cli{}).run(t.Context(), "rest", "--url", "/x"); err != nil || string(out) != "rest --url /x\n" {
		t.Errorf("got %q, %v", out, err)
	}
	if _, err := (cli{}).run(t.Context(), "fail", "-x"); err == nil || err.Error() != "az fail: it broke" {
		t.Errorf("got %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := (cli{}).run(t.Context(), "group"); err == nil || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("got %v", err)
	}
}

// TestNeedsAGroup: the first thing that is asked for.
func TestNeedsAGroup(t *testing.T) {
	t.Setenv("AZURE_RESOURCE_GROUP", "")
	cmd := command(&fakeAzure{t: t}, pause)
	cmd.SetArgs([]string{"check"})
	if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "AZURE_RESOURCE_GROUP") {
		t.Error(err)
	}
}

// TestOutputsExist: what is read of a deployment is what main.bicep says.
func TestOutputsExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "main.bicep"))
	if err != nil {
		t.Fatal(err)
	}
	all := append(slices.Clone(needed), optional...)
	for _, name := range all {
		if !strings.Contains(string(text), fmt.Sprintf("\noutput %s string = ", name)) {
			t.Errorf("main.bicep does not say %s", name)
		}
	}
	for _, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "output "); ok {
			name, _, _ = strings.Cut(name, " ")
			if !slices.Contains(all, name) {
				t.Errorf("nobody reads %s of main.bicep", name)
			}
		}
	}
}
