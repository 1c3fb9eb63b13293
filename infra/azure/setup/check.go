package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// providers are the services that the templates use; a subscription has to have
// them registered.
var providers = []string{
	"Microsoft.App", "Microsoft.EventGrid", "Microsoft.HealthcareApis", "Microsoft.Insights", "Microsoft.KeyVault",
	"Microsoft.ManagedIdentity", "Microsoft.OperationalInsights", "Microsoft.Storage", "Microsoft.Web",
}

var installationName = regexp.MustCompile(`^[a-z][a-z0-9]{1,11}$`)

// check looks whether a deployment can succeed, so that what is wrong is said in a
// second instead of after ten minutes. All that is wrong is said at once.
func (s *setup) check(ctx context.Context) error {
	var group struct{ ID, Location string }
	err := s.query(ctx, &group, "group", "show", "--name", s.group)
	if is(err, "ResourceGroupNotFound", "could not be found") {
		return fmt.Errorf("there is no resource group %s: az group create --name %s --location REGION", s.group, s.group)
	}
	if err != nil {
		return err
	}
	var wrong []string
	for _, look := range []func(context.Context, string, string) (string, error){s.wrongName, s.wrongServer, s.wrongRegion, s.unregistered, s.noRight} {
		fault, err := look(ctx, group.ID, group.Location)
		if err != nil {
			return err
		}
		if fault != "" {
			wrong = append(wrong, fault)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the deployment would fail:\n  - %s", strings.Join(wrong, "\n  - "))
	}
	s.say("The deployment can begin.")
	return nil
}

func (s *setup) wrongName(context.Context, string, string) (string, error) {
	if name := os.Getenv("INSTALLATION"); name != "" && !installationName.MatchString(name) {
		return "INSTALLATION is of 2 to 12 lower-case letters and digits, and begins with a letter", nil
	}
	return "", nil
}

// wrongServer looks at what names the FHIR server.
func (s *setup) wrongServer(context.Context, string, string) (string, error) {
	service, url := os.Getenv("FHIR_SERVICE_ID"), os.Getenv("EXTERNAL_FHIR_URL")
	switch {
	case service != "" && url != "":
		return "FHIR_SERVICE_ID and EXTERNAL_FHIR_URL are both set; a run has one server", nil
	case service != "" && !isResource(service, "/Microsoft.HealthcareApis/workspaces/", "/fhirservices/"):
		return "FHIR_SERVICE_ID is no resource id of a FHIR service; it looks like /subscriptions/…/resourceGroups/…/providers/Microsoft.HealthcareApis/workspaces/…/fhirservices/…", nil
	case service != "" && !isResource(os.Getenv("EXPORT_ACCOUNT_ID"), "/Microsoft.Storage/storageAccounts/"):
		return "EXPORT_ACCOUNT_ID is to be the resource id of the storage account that the FHIR service exports to: az resource show --ids " + service + " --query properties.exportConfiguration", nil
	case url != "" && !strings.HasPrefix(url, "https://"):
		return "EXTERNAL_FHIR_URL is to be an https URL", nil
	}
	return "", nil
}

func isResource(id string, parts ...string) bool {
	if !strings.HasPrefix(id, "/subscriptions/") {
		return false
	}
	for _, p := range parts {
		if !strings.Contains(strings.ToLower(id), strings.ToLower(p)) {
			return false
		}
	}
	return true
}

// wrongRegion looks whether Flex Consumption is offered where the group is.
func (s *setup) wrongRegion(ctx context.Context, _, location string) (string, error) {
	var regions []struct{ Name string }
	if err := s.query(ctx, &regions, "functionapp", "list-flexconsumption-locations"); err != nil {
		return "", err
	}
	plain := func(region string) string { return strings.ToLower(strings.ReplaceAll(region, " ", "")) }
	for _, r := range regions {
		if plain(r.Name) == plain(location) {
			return "", nil
		}
	}
	return fmt.Sprintf("Flex Consumption is not offered in %s, where the resource group is; choose a group in a region of: az functionapp list-flexconsumption-locations", location), nil
}

func (s *setup) unregistered(ctx context.Context, _, _ string) (string, error) {
	var there []string
	if err := s.query(ctx, &there, "provider", "list", "--query", "[?registrationState=='Registered'].namespace"); err != nil {
		return "", err
	}
	registered := make(map[string]bool)
	for _, p := range there {
		registered[strings.ToLower(p)] = true
	}
	var missing []string
	for _, p := range providers {
		if !registered[strings.ToLower(p)] {
			missing = append(missing, "az provider register --wait --namespace "+p)
		}
	}
	if len(missing) == 0 {
		return "", nil
	}
	return "the subscription does not know some services yet: " + strings.Join(missing, "; "), nil
}

// noRight looks whether roles may be given in the group, where they are to be.
func (s *setup) noRight(ctx context.Context, group, _ string) (string, error) {
	if os.Getenv("ASSIGN_ROLES") == "false" {
		return "", nil
	}
	var granted struct {
		Value []struct{ Actions, NotActions []string }
	}
	// The address is relative: the CLI puts the right cloud before it.
	if err := s.query(ctx, &granted, "rest", "--method", "get", "--url", group+"/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"); err != nil {
		return "", err
	}
	const action = "Microsoft.Authorization/roleAssignments/write"
	for _, g := range granted.Value {
		if matches(g.Actions, action) && !matches(g.NotActions, action) {
			return "", nil
		}
	}
	return "you may not give roles in the resource group. Say so (azd env set ASSIGN_ROLES false, or export ASSIGN_ROLES=false), deploy, and let somebody who may give them do what `go run ./infra/azure/setup roles` prints", nil
}

// matches reports whether one of the patterns, with * for anything, is for the action.
func matches(patterns []string, action string) bool {
	for _, p := range patterns {
		re := "(?i)^" + strings.ReplaceAll(regexp.QuoteMeta(p), `\*`, ".*") + "$"
		if ok, err := regexp.MatchString(re, action); err == nil && ok {
			return true
		}
	}
	return false
}
