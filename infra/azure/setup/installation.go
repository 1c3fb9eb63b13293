package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// installation is what the deployment says of itself: the outputs of main.bicep.
type installation map[string]string

// outputs that every deployment has; the others may be empty.
var needed = []string{"APP_NAME", "VAULT_NAME", "HOST_ACCOUNT", "RAW_ACCOUNT", "LAKE_ACCOUNT", "INSIGHTS_NAME", "APP_PRINCIPAL_ID"}

// optional outputs.
var optional = []string{"TOPIC_NAME", "FHIR_SERVICE_IN_USE", "EXPORT_ACCOUNT_IN_USE", "EXPORT_CONTAINER_IN_USE", "TOPIC_PRINCIPAL_ID", "FHIR_PRINCIPAL_ID", "FHIR_SERVER_URL"}

// installation reads the outputs: from the environment, where azd puts them, else
// from the deployment.
func (s *setup) installation(ctx context.Context) (installation, error) {
	in := make(installation)
	for _, name := range append(needed, optional...) {
		in[name] = os.Getenv(name)
	}
	if in["APP_NAME"] == "" {
		var outputs map[string]struct{ Value any }
		err := s.query(ctx, &outputs, "deployment", "group", "show", "--resource-group", s.group, "--name", s.deployment, "--query", "properties.outputs")
		if is(err, "DeploymentNotFound", "ResourceGroupNotFound") {
			return nil, fmt.Errorf("there is no deployment %q in the resource group %s; name it with --deployment, or deploy first", s.deployment, s.group)
		}
		if err != nil {
			return nil, err
		}
		for name, o := range outputs {
			// The service may write the names in other letters.
			in[strings.ToUpper(name)] = fmt.Sprint(o.Value)
		}
	}
	for _, name := range needed {
		if in[name] == "" {
			return nil, fmt.Errorf("the deployment does not say %s: it has not ended well, or is of another version; deploy again", name)
		}
	}
	return in, nil
}
