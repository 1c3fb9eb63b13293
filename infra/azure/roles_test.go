package azure

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fhirdeid/infra/azure/grants"
	"fhirdeid/internal/installation"
)

// roleNames are the built-in roles that may be given, by their ids. Owner,
// Contributor and User Access Administrator are not among them.
var roleNames = map[string]string{
	"b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
	"ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
	"2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
	"db58b8e5-c6ad-4a2a-8342-4190687cbf4a": "Storage Blob Delegator",
	"974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
	"c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
	"19e7f393-937e-4f77-808e-94535e297925": "Storage Queue Data Reader",
	"0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
	"4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
	"b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
	"3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
	"3db33094-8700-4567-8da5-1501d4e7e843": "FHIR Data Exporter",
	"3f88fce4-5892-4214-ae73-ba5294559913": "FHIR Data Writer",
	"a638d3c7-ab3a-418d-83e6-5f17a39d4fde": "Azure Event Hubs Data Receiver",
}

var (
	guidText = regexp.MustCompile(`[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}`)
	roleVar  = regexp.MustCompile(`(?m)^// ([\w ]+)\n(?:#disable-next-line role-guid\n)?var (\w+) = '([0-9a-f-]{36})'$`)
)

// rolesIn returns the role ids of a template by the names of their variables.
func rolesIn(text string) map[string]string {
	roles := make(map[string]string)
	for _, m := range roleVar.FindAllStringSubmatch(text, -1) {
		roles[m[2]] = m[3]
	}
	return roles
}

// TestRoleIDs: every id in the templates is that of the role its comment names.
func TestRoleIDs(t *testing.T) {
	for file, text := range templates(t) {
		named := 0
		for _, m := range roleVar.FindAllStringSubmatch(text, -1) {
			named++
			if roleNames[m[3]] != m[1] {
				t.Errorf("%s: %s is not the role %q", file, m[3], m[1])
			}
		}
		if n := len(guidText.FindAllString(text, -1)); n != named {
			t.Errorf("%s has %d ids, of which %d are named", file, n, named)
		}
	}
}

// assignment is a role assignment of a template.
type assignment struct{ file, symbol, scope, role, principal string }

var memberLine = func(name string) *regexp.Regexp { return regexp.MustCompile(`(?m)^\s+` + name + `: (.+)$`) }

// assignments returns all role assignments, with the names of their roles.
func assignments(t *testing.T) []assignment {
	t.Helper()
	var all []assignment
	texts := templates(t)
	for _, r := range allResources(t) {
		if r.kind != "Microsoft.Authorization/roleAssignments" {
			continue
		}
		get := func(name string) string {
			m := memberLine(name).FindStringSubmatch(r.body)
			if m == nil {
				t.Fatalf("%s: %s has no %s", r.file, r.symbol, name)
			}
			return m[1]
		}
		a := assignment{r.file, r.symbol, get("scope"), get("roleDefinitionId"), get("principalId")}
		_, after, _ := strings.Cut(a.role, "'Microsoft.Authorization/roleDefinitions', ")
		role := strings.TrimSuffix(after, ")")
		a.role = roleNames[rolesIn(texts[r.file])[role]]
		if a.role == "" {
			t.Errorf("%s: %s gives no role that is known", r.file, r.symbol)
		}
		if want := "guid(" + a.scope + ".id, "; !strings.HasPrefix(get("name"), want) || !strings.HasSuffix(get("name"), ", "+role+")") {
			t.Errorf("%s: %s is not named by its scope, principal and role", r.file, r.symbol)
		}
		get("principalType") // without it a new identity may not be found yet
		if len(r.comment) < 20 {
			t.Errorf("%s: %s has no reason beside it", r.file, r.symbol)
		}
		all = append(all, a)
	}
	return all
}

// TestEveryAssignmentHasItsReason also holds how many there are, so that the
// reader misses none.
func TestEveryAssignmentHasItsReason(t *testing.T) {
	n := 0
	for _, text := range templates(t) {
		n += strings.Count(text, " 'Microsoft.Authorization/roleAssignments@")
	}
	if got := len(assignments(t)); got != n || n < 30 {
		t.Errorf("%d of %d role assignments could be read", got, n)
	}
}

// TestLeastPrivilege holds what the app may do in each account against what it
// does there.
func TestLeastPrivilege(t *testing.T) {
	scopes := map[string]string{"rawFiles": "raw", "exported": "export", "serverRules": installation.AnonymizationContainer}
	got := make(map[string]string)
	for _, a := range assignments(t) {
		if a.file != "roles.bicep" || a.principal != "appPrincipalId" {
			continue
		}
		scope := a.scope
		if s := scopes[scope]; s != "" {
			scope = s
		}
		if scope == "raw" || scope == "lake" {
			if a.scope == scope {
				t.Errorf("the app has %s on the whole %s account", a.role, scope)
			}
		}
		got[scope+" "+a.role] = a.symbol
	}
	want := map[string]bool{
		"host Storage Blob Data Owner": true, "host Storage Queue Data Contributor": true, "host Storage Table Data Contributor": true,
		"policy Storage Blob Data Reader": true, "export Storage Blob Data Reader": true, installation.AnonymizationContainer + " Storage Blob Data Reader": true, "poison Storage Queue Data Contributor": true,
		"vault Key Vault Secrets User": true, "insights Monitoring Metrics Publisher": true,
	}
	for _, c := range slices.Concat(installation.RawContainers, installation.LakeContainers) {
		if c != "policy" { // by what rules it works is not the app's to change
			want[c+" Storage Blob Data Contributor"] = true
		}
	}
	for _, w := range slices.Sorted(maps.Keys(want)) {
		if got[w] == "" {
			t.Errorf("the app is not given: %s", w)
		}
	}
	for g := range got {
		if !want[g] {
			t.Errorf("the app is given more than it needs: %s", g)
		}
	}
}

// TestResearchersSeeReleasesOnly: the one group that must not see what led to them.
func TestResearchersSeeReleasesOnly(t *testing.T) {
	for _, a := range assignments(t) {
		if a.principal != "researchers.id" {
			continue
		}
		if a.role != "Storage Blob Data Reader" || a.scope != "research" && a.scope != "catalog" {
			t.Errorf("researchers are given %s on %s", a.role, a.scope)
		}
	}
}

// TestScopesExist: the containers that roles are given on are made.
func TestScopesExist(t *testing.T) {
	made := slices.Concat(installation.RawContainers, installation.LakeContainers, []string{"export", "dead-letters", installation.AnonymizationContainer})
	for _, file := range []string{"roles.bicep", "people.bicep"} {
		for _, r := range resources(t, file, read(t, file)) {
			if r.kind != "Microsoft.Storage/storageAccounts/blobServices/containers" {
				continue
			}
			name := memberLine("name").FindStringSubmatch(r.body)
			if name == nil || !slices.Contains(made, strings.Trim(name[1], "'")) {
				t.Errorf("%s: %s is no container that is made", file, r.symbol)
			}
		}
	}
}

// TestPrintedCommands holds the commands that are printed for whoever may give
// roles against the templates, both ways.
func TestPrintedCommands(t *testing.T) {
	who := map[string]grants.Who{
		"appPrincipalId": grants.App, "topicPrincipalId": grants.Topic, "fhirPrincipalId": grants.FHIR,
		"operators.id": grants.Operators, "researchers.id": grants.Researchers, "seeders.id": grants.Seeders,
	}
	// Scopes by their symbols, where those are not the container's own name.
	on := map[string]string{
		"host": "host account", "lake": "lake account", "rawFiles": "raw account/raw", "exported": "raw account/export", "serverRules": "raw account/anonymization",
		"deadLetters": "host account/dead-letters", "poison": "queues of the raw account/webjobs-blobtrigger-poison",
		"vault": "key vault", "insights": "Application Insights", "service": "FHIR service", "account": "export account", "container": "container of the export account",
	}
	for account, containers := range map[string][]string{"raw account": installation.RawContainers, "lake account": installation.LakeContainers} {
		for _, c := range containers {
			if on[c] == "" {
				on[c] = account + "/" + c
			}
		}
	}
	printed := make(map[string]grants.Grant)
	for _, g := range grants.All() {
		printed[g.Symbol] = g
	}
	for _, a := range assignments(t) {
		if a.file == "medtech.bicep" {
			continue
		}
		g, ok := printed[a.symbol]
		delete(printed, a.symbol)
		where := string(g.On)
		if g.Part != "" {
			where += "/" + g.Part
		}
		if !ok || g.Role != a.role || g.Who != who[a.principal] || where != on[a.scope] {
			t.Errorf("%s: %s gives %s on %s to %s, and is printed as %q on %q to %q", a.file, a.symbol, a.role, a.scope, a.principal, g.Role, where, g.Who)
		}
	}
	for symbol := range printed {
		t.Errorf("%s is printed, and in no template", symbol)
	}
}
