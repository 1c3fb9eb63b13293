package main

import (
	"cmp"
	"context"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"fhirdeid/infra/azure/grants"
)

// people are those who are given roles beside the app.
type people struct{ operators, operatorsType, researchers, seed string }

func (p *people) flags(f *pflag.FlagSet) {
	f.StringVar(&p.operators, "operators", os.Getenv("AZURE_PRINCIPAL_ID"), "object id of those who operate the installation")
	f.StringVar(&p.operatorsType, "operators-type", cmp.Or(os.Getenv("AZURE_PRINCIPAL_TYPE"), "User"), "User, Group or ServicePrincipal")
	f.StringVar(&p.researchers, "researchers", "", "object id of the group that works with released data")
	f.StringVar(&p.seed, "seed", "", "object id of whoever may write generated patients into the FHIR service; not where there are real ones")
}

// roles prints the commands that give every role of the installation.
func (s *setup) roles(ctx context.Context, in installation, p people) error {
	var group struct{ ID string }
	if err := s.query(ctx, &group, "group", "show", "--name", s.group); err != nil {
		return err
	}
	service := func(id string) grants.Principal { return grants.Principal{ID: id, Type: "ServicePrincipal"} }
	// The service's own export account is the raw account of a new service, which is
	// among the containers already.
	commands := grants.Installation{
		Group: group.ID, Host: in["HOST_ACCOUNT"], Raw: in["RAW_ACCOUNT"], Lake: in["LAKE_ACCOUNT"], Vault: in["VAULT_NAME"], Insights: in["INSIGHTS_NAME"],
		FHIRService: in["FHIR_SERVICE_IN_USE"], ExportAccount: in["EXPORT_ACCOUNT_IN_USE"], ExportContainer: in["EXPORT_CONTAINER_IN_USE"],
		App: service(in["APP_PRINCIPAL_ID"]), Topic: service(in["TOPIC_PRINCIPAL_ID"]), FHIR: service(in["FHIR_PRINCIPAL_ID"]),
		Operators:   grants.Principal{ID: p.operators, Type: p.operatorsType},
		Researchers: grants.Principal{ID: p.researchers, Type: "Group"},
		Seeders:     grants.Principal{ID: p.seed, Type: p.operatorsType},
	}.Commands()
	s.say("%s", strings.Join(commands, "\n"))
	return nil
}
