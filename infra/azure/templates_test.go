package azure

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestParameterFiles: they set what is declared and no more.
func TestParameterFiles(t *testing.T) {
	var declared []string
	for _, m := range paramHead.FindAllStringSubmatch(read(t, "main.bicep"), -1) {
		declared = append(declared, m[1])
	}
	files, err := filepath.Glob("*.bicepparam")
	if err != nil || len(files) < 2 {
		t.Fatalf("found %d parameter files: %v", len(files), err)
	}
	for _, f := range files {
		text := read(t, f)
		if !strings.Contains(text, "using 'main.bicep'") {
			t.Errorf("%s is for another template", f)
		}
		for _, m := range paramHead.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(declared, m[1]) {
				t.Errorf("%s sets %s, which main.bicep does not have", f, m[1])
			}
		}
	}
}

// TestNoSecrets: there is none in the templates, and no place for one.
func TestNoSecrets(t *testing.T) {
	secret := regexp.MustCompile(`AccountKey=|SharedAccessKey|InstrumentationKey=|[?&]sig=|listKeys|[A-Za-z0-9+/]{40,}=`)
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if m := secret.FindString(read(t, path)); m != "" {
			t.Errorf("%s has what looks like a secret: %.12s…", path, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// logged are the kinds of resources that have diagnostic settings.
var logged = []string{
	"Microsoft.Web/sites", "Microsoft.Web/serverfarms", "Microsoft.KeyVault/vaults", "Microsoft.EventGrid/systemTopics",
	"Microsoft.Storage/storageAccounts/blobServices", "Microsoft.Storage/storageAccounts/queueServices",
	"Microsoft.OperationalInsights/workspaces", "Microsoft.Network/virtualNetworks", "Microsoft.Network/networkSecurityGroups",
	"Microsoft.HealthcareApis/workspaces/fhirservices", "Microsoft.HealthcareApis/workspaces/dicomservices",
	"Microsoft.HealthcareApis/workspaces/iotconnectors", "Microsoft.EventHub/namespaces", "Microsoft.HealthDataAIServices/deidServices",
}

// TestEverythingIsLogged: what has diagnostic settings, has one.
func TestEverythingIsLogged(t *testing.T) {
	settings := make(map[string]bool)
	all := allResources(t)
	for _, r := range all {
		if r.kind == "Microsoft.Insights/diagnosticSettings" {
			scope := memberLine("scope").FindStringSubmatch(r.body)
			if scope == nil || !strings.Contains(r.body, "workspaceId: workspaceId") {
				t.Errorf("%s: %s is of nothing, or goes nowhere", r.file, r.symbol)
				continue
			}
			settings[r.file+" "+scope[1]] = true
		}
	}
	seen := make(map[string]bool)
	for _, r := range all {
		if r.existing || !slices.Contains(logged, r.kind) {
			continue
		}
		seen[r.kind] = true
		if !settings[r.file+" "+r.symbol] {
			t.Errorf("%s: %s (%s) has no diagnostic setting", r.file, r.symbol, r.kind)
		}
	}
	for _, kind := range logged {
		if !seen[kind] {
			t.Errorf("no template makes a %s", kind)
		}
	}
}

// TestVault: a lost key cannot be mended, a leaked one not undone.
func TestVault(t *testing.T) {
	text := read(t, "vault.bicep")
	for _, want := range []string{"enableRbacAuthorization: true", "enablePurgeProtection: true", "softDeleteRetentionInDays: 90"} {
		if !strings.Contains(text, want) {
			t.Errorf("vault.bicep does not say %s", want)
		}
	}
	for file, text := range templates(t) {
		if strings.Contains(text, "'Microsoft.KeyVault/vaults/secrets@") {
			t.Errorf("%s makes a secret, whose value would be in the deployment's history", file)
		}
	}
}

// TestIsolation: every account, the vault, the app and the FHIR service can be
// taken off the public network, and has an endpoint then.
func TestIsolation(t *testing.T) {
	for _, file := range []string{"account.bicep", "vault.bicep", "app.bicep", "deid.bicep", "medtech.bicep"} {
		if !regexp.MustCompile(`publicNetworkAccess: isolated.* \? 'Disabled' : 'Enabled'`).MatchString(read(t, file)) {
			t.Errorf("%s stays on the public network", file)
		}
	}
	endpoints, network := read(t, "endpoints.bicep"), read(t, "network.bicep")
	for _, want := range []string{
		"target: hostId, group: 'blob'", "target: hostId, group: 'queue'", "target: hostId, group: 'table'", "target: rawId, group: 'blob'",
		"target: rawId, group: 'queue'", "target: lakeId, group: 'blob'", "target: lakeId, group: 'dfs'", "target: vaultId, group: 'vault'",
		"target: appId, group: 'sites'", "group: 'healthcareworkspace'", "group: 'azuremonitor'",
	} {
		if !strings.Contains(endpoints, want) {
			t.Errorf("there is no endpoint with %s", want)
		}
	}
	zone := regexp.MustCompile(`'privatelink\.([\w.-]+)`)
	for _, m := range zone.FindAllStringSubmatch(endpoints, -1) {
		if !strings.Contains(network, "'privatelink."+m[1]) {
			t.Errorf("the zone privatelink.%s of an endpoint is not made", m[1])
		}
	}
	main := read(t, "main.bicep")
	for _, want := range []string{"var events = !isolated", "module topic 'events.bicep' = if (events)", "module network 'network.bicep' = if (isolated)", "module endpoints 'endpoints.bicep' = if (isolated)"} {
		if !strings.Contains(main, want) {
			t.Errorf("main.bicep does not say %s", want)
		}
	}
	if !strings.Contains(read(t, "isolated.bicepparam"), "param isolated = true") {
		t.Error("isolated.bicepparam is not isolated")
	}
}
