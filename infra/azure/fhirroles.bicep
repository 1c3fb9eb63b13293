// The roles on a FHIR service, which may be in another resource group: a module
// of its own, deployed into that group.

import { Principal } from 'types.bicep'

@description('Name of the Health Data Services workspace.')
@minLength(3)
@maxLength(24)
param workspaceName string

@description('Name of the FHIR service in it.')
@minLength(3)
@maxLength(24)
param serviceName string

@description('Object id of the identity of the app.')
param appPrincipalId string

@description('Who may write generated patients into the service, to try it; nobody in a service with real ones.')
param seeders Principal

// FHIR Data Exporter
var fhirDataExporter = '3db33094-8700-4567-8da5-1501d4e7e843'
// FHIR Data Writer
var fhirDataWriter = '3f88fce4-5892-4214-ae73-ba5294559913'

resource workspace 'Microsoft.HealthcareApis/workspaces@2024-03-31' existing = {
  name: workspaceName
}

resource service 'Microsoft.HealthcareApis/workspaces/fhirservices@2024-03-31' existing = {
  parent: workspace
  name: serviceName
}

// The app asks for exports. It cannot read single resources, and write none.
resource appExports 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: service
  name: guid(service.id, appPrincipalId, fhirDataExporter)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', fhirDataExporter)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// Operators of a trial load generated patients.
resource seed 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(seeders.id)) {
  scope: service
  name: guid(service.id, seeders.id, fhirDataWriter)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', fhirDataWriter)
    principalId: seeders.id
    principalType: seeders.type
  }
}
