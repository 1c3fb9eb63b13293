// Package grants lists the roles of an installation, to print them as commands for
// whoever may give roles, where the one who deploys may not. The templates give
// the same; a test holds the two together.
package grants

import (
	"fmt"
	"slices"
	"strings"
)

// Who is given a role.
type Who string

// Who can be given roles.
const (
	App         Who = "the app"
	Topic       Who = "the Event Grid topic"
	FHIR        Who = "the FHIR service"
	Operators   Who = "operators"
	Researchers Who = "researchers"
	Seeders     Who = "operators of a trial"
)

// Where a role is given.
type Where string

// Where roles can be given: on a resource, or on a container or queue in it.
const (
	Host            Where = "host account"
	Raw             Where = "raw account"
	RawQueue        Where = "queues of the raw account"
	Lake            Where = "lake account"
	Vault           Where = "key vault"
	Insights        Where = "Application Insights"
	FHIRService     Where = "FHIR service"
	ExportAccount   Where = "export account"
	ExportContainer Where = "container of the export account"
)

// Grant is one role assignment.
type Grant struct {
	Who  Who
	Role string // its name in Azure
	On   Where
	Part string // a container or queue; "" is the whole
	// Symbol is its name in the templates.
	Symbol string
	Why    string
}

// All returns every grant, in the order of the templates.
func All() []Grant { return slices.Clone(table[:]) }

// Principal is an object of Entra ID.
type Principal struct {
	ID   string
	Type string // User, Group or ServicePrincipal
}

// Installation says which resources and principals an installation has. Those that
// are "" it has not.
type Installation struct {
	// Group is the resource id of the resource group.
	Group                                string
	Host, Raw, Lake, Vault, Insights     string // names
	FHIRService, ExportAccount           string // resource ids
	ExportContainer                      string
	App, Topic, FHIR, Operators, Seeders Principal
	Researchers                          Principal
}

// Commands returns the commands that give the roles of an installation, each with
// its reason in a comment before it. They are the same in sh and PowerShell.
func (in Installation) Commands() []string {
	var lines []string
	for _, g := range table {
		who, scope := in.principal(g.Who), in.scope(g)
		if who.ID == "" || scope == "" {
			continue
		}
		lines = append(lines, fmt.Sprintf("# For %s: %s", g.Who, g.Why),
			fmt.Sprintf("az role assignment create --assignee-object-id %s --assignee-principal-type %s --role %q --scope %q", who.ID, who.Type, g.Role, scope))
	}
	return lines
}

func (in Installation) principal(who Who) Principal {
	switch who {
	case App:
		return in.App
	case Topic:
		return in.Topic
	case FHIR:
		return in.FHIR
	case Operators:
		return in.Operators
	case Researchers:
		return in.Researchers
	case Seeders:
		return in.Seeders
	}
	return Principal{}
}

// scope is the resource id that a grant is for, "" where there is no such thing.
func (in Installation) scope(g Grant) string {
	provider := func(kind, name string) string {
		if name == "" {
			return ""
		}
		return in.Group + "/providers/" + kind + "/" + name
	}
	container := func(account string) string {
		if account == "" || g.Part == "" {
			return account
		}
		return account + "/blobServices/default/containers/" + g.Part
	}
	const storage = "Microsoft.Storage/storageAccounts"
	switch g.On {
	case Host:
		return container(provider(storage, in.Host))
	case Raw:
		return container(provider(storage, in.Raw))
	case Lake:
		return container(provider(storage, in.Lake))
	case RawQueue:
		return provider(storage, in.Raw) + "/queueServices/default/queues/" + g.Part
	case Vault:
		return provider("Microsoft.KeyVault/vaults", in.Vault)
	case Insights:
		return provider("Microsoft.Insights/components", in.Insights)
	case FHIRService:
		return in.FHIRService
	case ExportAccount:
		if in.ExportContainer == "" {
			return in.ExportAccount
		}
	case ExportContainer:
		if in.ExportAccount != "" && in.ExportContainer != "" {
			return strings.TrimSuffix(in.ExportAccount, "/") + "/blobServices/default/containers/" + in.ExportContainer
		}
	}
	return ""
}
