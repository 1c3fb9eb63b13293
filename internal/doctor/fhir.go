package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"fhirdeid/internal/bulkdata"
)

// maxMetadata bounds what is read of a server's capability statement.
const maxMetadata = 16 << 20

// Metadata looks whether the server answers, in which version, and whether it says
// that it exports. expected gives the FHIR version that runs are to have; client is
// nil for one without a time limit of its own.
func Metadata(base string, expected func(ctx context.Context) string, client *http.Client) Check {
	return Check{"FHIR server", func(ctx context.Context) Result {
		version := expected(ctx)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/metadata", nil)
		if err != nil {
			return fault("FHIR_SERVER_URL is no URL", "Set FHIR_SERVER_URL to the server's base URL")
		}
		req.Header.Set("Accept", "application/fhir+json")
		if client == nil {
			client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		}
		const look = "Look at FHIR_SERVER_URL, and whether this network may reach the server: curl -H 'Accept: application/fhir+json' "
		resp, err := client.Do(req)
		if err != nil {
			return fault("the server does not answer", look+base+"/metadata")
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fault(fmt.Sprintf("the server answers %d %s to [base]/metadata", resp.StatusCode, http.StatusText(resp.StatusCode)), look+base+"/metadata")
		}
		var statement struct {
			ResourceType string `json:"resourceType"`
			FHIRVersion  string `json:"fhirVersion"`
			Rest         []struct {
				Operation []operation `json:"operation"`
				Resource  []struct {
					Operation []operation `json:"operation"`
				} `json:"resource"`
			} `json:"rest"`
		}
		if json.NewDecoder(io.LimitReader(resp.Body, maxMetadata)).Decode(&statement) != nil || statement.ResourceType != "CapabilityStatement" {
			return fault("what answers is no FHIR server", "Set FHIR_SERVER_URL to the FHIR base URL, such as https://workspace-service.fhir.azurehealthcareapis.com")
		}
		if !strings.HasPrefix(statement.FHIRVersion, versions[strings.ToUpper(version)]) {
			return fault("the server's FHIR version is not that of FHIR_VERSION, "+version, "Set FHIR_VERSION to the version that [base]/metadata names, or name it in the policy")
		}
		for _, rest := range statement.Rest {
			all := rest.Operation
			for _, r := range rest.Resource {
				all = append(all, r.Operation...)
			}
			for _, o := range all {
				if o.exports() {
					return ok("answers, in FHIR " + version + ", and says that it exports")
				}
			}
		}
		return warning("answers, in FHIR "+version+", but does not say in its capability statement that it exports", "If a run fails at its kick-off, turn bulk export on at the server")
	}}
}

// versions are the beginnings of fhirVersion.
var versions = map[string]string{"STU3": "3.", "R4": "4.0", "R4B": "4.3", "R5": "5."}

type operation struct {
	Name       string `json:"name"`
	Definition any    `json:"definition"` // STU3 has a reference here
}

func (o operation) exports() bool {
	return strings.Contains(strings.ToLower(o.Name), "export") || strings.Contains(strings.ToLower(fmt.Sprint(o.Definition)), "export")
}

// statusAsker asks a server how an export job goes: a *bulkdata.Client.
type statusAsker interface {
	Status(ctx context.Context, statusURL string) (bulkdata.Status, error)
}

// ExportRight looks whether the server lets this identity export, by asking about
// a job that does not exist: the server checks the right before it looks for one.
func ExportRight(base string, profile bulkdata.Profile, client statusAsker) Check {
	return Check{"FHIR export right", func(ctx context.Context) Result {
		if profile != bulkdata.Azure {
			return skipped("only a server of the azure profile tells this without an export being started")
		}
		_, err := client.Status(ctx, base+"/_operations/export/0")
		var login loginError
		var e *bulkdata.Error
		switch {
		case err == nil:
			return ok("the server lets this identity ask")
		case errors.As(err, &login):
			return fault("there is no token for the server: "+err.Error(), "az login")
		case errors.As(err, &e) && e.Kind == bulkdata.Denied:
			return fault(err.Error(), "az role assignment create --role \"FHIR Data Exporter\" --assignee YOU --scope \"$(az resource list --resource-type Microsoft.HealthcareApis/workspaces/fhirservices --query \"[0].id\" --output tsv)\"")
		case errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusBadRequest):
			return ok("the server lets this identity ask for exports")
		}
		return fault(err.Error(), "Look whether this network may reach the server, and at its diagnostic logs")
	}}
}

// querier asks Azure's resource graph: an *arm.Client.
type querier interface {
	Query(ctx context.Context, kql string, into any) error
}

// ExportConfiguration looks, where that can be seen in Azure, whether the FHIR
// service has an account to export to, and whether that is ours.
func ExportConfiguration(base string, profile bulkdata.Profile, export *Account, graph querier) Check {
	return Check{"FHIR export configuration", func(ctx context.Context) Result {
		if profile != bulkdata.Azure || graph == nil {
			return skipped("the FHIR server is none of Azure's")
		}
		var rows []struct {
			ID       string `json:"id"`
			Account  string `json:"account"`
			Identity string `json:"identity"`
		}
		err := graph.Query(ctx, "resources | where type =~ 'microsoft.healthcareapis/workspaces/fhirservices' and properties.authenticationConfiguration.audience =~ '"+escape(base)+
			"' | project id, account = tostring(properties.exportConfiguration.storageAccountName), identity = tostring(identity.type)", &rows)
		var login loginError
		if errors.As(err, &login) {
			return fault(err.Error(), "az login")
		}
		if err != nil || len(rows) != 1 {
			return skipped("this identity may not see the FHIR service in Azure; with the role \"Reader\" on it, it could")
		}
		service := rows[0]
		update := "az healthcareapis workspace fhir-service update --ids " + service.ID
		switch {
		case service.Identity == "" || strings.EqualFold(service.Identity, "None"):
			return fault("the FHIR service has no identity to write its export with", update+" --identity-type SystemAssigned; then give that identity the role \"Storage Blob Data Contributor\" on the export account")
		case service.Account == "":
			return fault("the FHIR service has no account to export to", update+" --export-configuration-storage-account-name ACCOUNT")
		case export == nil:
			return fault("the FHIR service exports to the account "+service.Account+", and ExportStorage is not set, so its files cannot be read", "Set ExportStorage__blobServiceUri to the blob endpoint of "+service.Account)
		case !strings.EqualFold(service.Account, export.name()):
			return fault("the FHIR service exports to the account "+service.Account+", and ExportStorage is "+export.name(), "Set ExportStorage__blobServiceUri to the blob endpoint of "+service.Account)
		}
		return ok("the FHIR service exports to the account of ExportStorage")
	}}
}

// escape keeps a text within the quotes of a query.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s)
}
