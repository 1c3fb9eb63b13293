package grants

import (
	"strings"
	"testing"
)

func TestCommands(t *testing.T) {
	app := Principal{"11111111-1111-1111-1111-111111111111", "ServicePrincipal"}
	in := Installation{
		Group: "/subscriptions/s/resourceGroups/g", Host: "hostx", Raw: "rawx", Lake: "lakex", Vault: "kv-x", Insights: "insights-x",
		FHIRService:   "/subscriptions/s/resourceGroups/other/providers/Microsoft.HealthcareApis/workspaces/w/fhirservices/f",
		ExportAccount: "/subscriptions/s/resourceGroups/other/providers/Microsoft.Storage/storageAccounts/e",
		App:           app,
	}
	for name, c := range map[string]struct {
		change func(*Installation)
		has    []string
		not    []string
	}{
		"the app alone": {
			func(*Installation) {},
			[]string{
				`--assignee-object-id 11111111-1111-1111-1111-111111111111 --assignee-principal-type ServicePrincipal --role "Storage Blob Data Owner" --scope "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/hostx"`,
				`--scope "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/rawx/blobServices/default/containers/ledger"`,
				`/rawx/queueServices/default/queues/webjobs-blobtrigger-poison"`,
				`--role "FHIR Data Exporter" --scope "/subscriptions/s/resourceGroups/other/providers/Microsoft.HealthcareApis/workspaces/w/fhirservices/f"`,
				`--role "Storage Blob Data Reader" --scope "/subscriptions/s/resourceGroups/other/providers/Microsoft.Storage/storageAccounts/e"`,
				"# For the app: ",
			},
			[]string{"Secrets Officer", "dead-letters", "FHIR Data Writer", `""`, "containers/\""},
		},
		"one container of the export account": {
			func(in *Installation) { in.ExportContainer = "night" },
			[]string{`/storageAccounts/e/blobServices/default/containers/night"`},
			[]string{`/storageAccounts/e"`},
		},
		"no FHIR service of Azure": {
			func(in *Installation) { in.FHIRService, in.ExportAccount = "", "" },
			nil, []string{"FHIR Data", "resourceGroups/other"},
		},
		"operators": {
			func(in *Installation) { in.Operators = Principal{"o", "Group"} },
			[]string{`--assignee-object-id o --assignee-principal-type Group --role "Key Vault Secrets Officer"`}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := in
			c.change(&in)
			text := strings.Join(in.Commands(), "\n")
			for _, want := range c.has {
				if !strings.Contains(text, want) {
					t.Errorf("no command has %s", want)
				}
			}
			for _, not := range c.not {
				if strings.Contains(text, not) {
					t.Errorf("a command has %s", not)
				}
			}
		})
	}
}
