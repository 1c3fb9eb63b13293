package azure

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"fhirdeid/internal/installation"
)

// TestContainersAndQueues holds the names in the template against those that the
// app uses, both ways.
func TestContainersAndQueues(t *testing.T) {
	text := read(t, "storage.bicep")
	for _, c := range []struct {
		module, member string
		want           []string
	}{
		{"host", "containers", []string{"deployments", "dead-letters"}},
		{"host", "queues", []string{installation.CheckQueue, installation.FetchQueue, installation.RetryQueue}},
		// export and anonymization are the server's own.
		{"raw", "containers", append(slices.Clone(installation.RawContainers), "export", installation.AnonymizationContainer)},
		{"raw", "queues", []string{"webjobs-blobtrigger-poison"}}, // the host's name for it
		{"lake", "containers", installation.LakeContainers},
	} {
		got := list(t, module(t, "storage.bicep", text, c.module), c.member)
		slices.Sort(got)
		want := slices.Sorted(slices.Values(c.want))
		if !slices.Equal(got, want) {
			t.Errorf("%s of the %s account are %q in storage.bicep, and %q in the app", c.member, c.module, got, want)
		}
	}
}

// TestBindingsAreServed: every queue and container that a function waits for is made.
func TestBindingsAreServed(t *testing.T) {
	text := read(t, "storage.bicep")
	accounts := map[string]string{"AzureWebJobsStorage": "host", "RawStorage": "raw", "LakeStorage": "lake"}
	for name, bindings := range functions(t) {
		for _, b := range bindings {
			if b.Connection == "" {
				continue
			}
			body := module(t, "storage.bicep", text, accounts[b.Connection])
			if b.QueueName != "" && !slices.Contains(list(t, body, "queues"), b.QueueName) {
				t.Errorf("%s waits for the queue %s, which storage.bicep does not make", name, b.QueueName)
			}
			container, _, _ := strings.Cut(b.Path, "/")
			if b.Path != "" && !slices.Contains(list(t, body, "containers"), container) {
				t.Errorf("%s waits for the container %s, which storage.bicep does not make", name, container)
			}
		}
	}
}

// TestLifecycleRules: each rule is for a container of its own account, and none
// for what has to stay.
func TestLifecycleRules(t *testing.T) {
	text := read(t, "storage.bicep")
	prefix := regexp.MustCompile(`prefix: '([^']+)'`)
	for _, account := range []string{"host", "raw", "lake"} {
		body := module(t, "storage.bicep", text, account)
		containers := list(t, body, "containers")
		for _, m := range prefix.FindAllStringSubmatch(body, -1) {
			container, _, slash := strings.Cut(m[1], "/")
			if !slices.Contains(containers, container) || !slash {
				t.Errorf("a lifecycle rule of the %s account is for %q; a prefix is container/…", account, m[1])
			}
			if container == "ledger" || container == "policy" || container == "catalog" {
				t.Errorf("a lifecycle rule would delete what has to stay: %s", container)
			}
		}
	}
	for _, container := range []string{"raw/", "quarantine/", "export/", "staging/", "dead-letters/"} {
		if !strings.Contains(text, "prefix: '"+container+"'") {
			t.Errorf("no lifecycle rule is for %s", container)
		}
	}
}

// TestHardening: there is one place where accounts are made, and it is safe.
func TestHardening(t *testing.T) {
	var accounts []resource
	for _, r := range allResources(t) {
		if r.kind == "Microsoft.Storage/storageAccounts" && !r.existing {
			accounts = append(accounts, r)
		}
	}
	if len(accounts) != 1 || accounts[0].file != "account.bicep" {
		t.Fatalf("storage accounts are made in %d places", len(accounts))
	}
	for _, want := range []string{
		"allowSharedKeyAccess: false", "allowBlobPublicAccess: false", "allowCrossTenantReplication: false", "defaultToOAuthAuthentication: true",
		"supportsHttpsTrafficOnly: true", "minimumTlsVersion: 'TLS1_2'", "isLocalUserEnabled: false", "isSftpEnabled: false",
		"requireInfrastructureEncryption: true", "bypass: 'None'", "expirationAction: 'Block'", "isHnsEnabled: hierarchical",
	} {
		if !strings.Contains(accounts[0].body, want) {
			t.Errorf("account.bicep does not say %s", want)
		}
	}
	text := read(t, "storage.bicep")
	for account, hierarchical := range map[string]bool{"host": false, "raw": false, "lake": true} {
		if got := strings.Contains(module(t, "storage.bicep", text, account), "hierarchical: true"); got != hierarchical {
			t.Errorf("the %s account has a hierarchical namespace: %v", account, got)
		}
	}
	if !strings.Contains(module(t, "storage.bicep", text, "raw"), "restoreDays: 0") {
		t.Error("deleted data of patients can be restored")
	}
}

// TestEventsReachTheFunction holds the filter of the subscription against the
// path of the function, and what it cannot deliver against the containers.
func TestEventsReachTheFunction(t *testing.T) {
	text := read(t, "subscription.bicep")
	var path string
	for _, bindings := range functions(t) {
		for _, b := range bindings {
			if b.Type == "blobTrigger" {
				path = b.Path
			}
		}
	}
	container, rest, _ := strings.Cut(path, "/")
	if !strings.Contains(text, "subjectBeginsWith: '/blobServices/default/containers/"+container+"/blobs/'") {
		t.Errorf("the subscription is not for the container %s", container)
	}
	ext := rest[strings.LastIndex(rest, "."):]
	if !strings.Contains(text, "subjectEndsWith: '"+ext+"'") {
		t.Errorf("the subscription is not for names that end in %s", ext)
	}
	host := list(t, module(t, "storage.bicep", read(t, "storage.bicep"), "host"), "containers")
	m := regexp.MustCompile(`blobContainerName: '([\w-]+)'`).FindStringSubmatch(text)
	if m == nil || !slices.Contains(host, m[1]) {
		t.Error("events that cannot be delivered go to no container that is made")
	}
}

// TestApp: a custom handler on Flex Consumption that takes its package from a
// container that is made.
func TestApp(t *testing.T) {
	text := read(t, "app.bicep")
	for _, want := range []string{
		"runtime: { name: 'custom', version: '1.0' }", "name: 'FC1', tier: 'FlexConsumption'", "type: 'UserAssignedIdentity'", "httpsOnly: true",
		"value: '${endpoints.hostBlob}/deployments'", "properties: { allow: false }",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("app.bicep does not say %s", want)
		}
	}
	// Flex Consumption refuses these or passes them over.
	for _, not := range []string{"FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_CONTENT", "AzureWebJobsStorage:"} {
		if strings.Contains(text, not) {
			t.Errorf("app.bicep says %s", not)
		}
	}
}
