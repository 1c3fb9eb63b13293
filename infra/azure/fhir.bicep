// Azure Health Data Services, for those who have no FHIR server yet: a workspace
// with a FHIR service that exports into the raw account, and a DICOM service
// where one is wanted.

import { Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Name of the workspace; letters and digits only.')
@minLength(3)
@maxLength(24)
param workspaceName string

@description('Name of the FHIR service.')
@minLength(3)
@maxLength(24)
param serviceName string

@description('Name of the storage account that it exports to.')
param exportAccountName string

@description('Whether a DICOM service is made too.')
param dicom bool

@description('Whether the services are reached by a private endpoint only.')
param isolated bool

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

var access = isolated ? 'Disabled' : 'Enabled'
var url = 'https://${workspaceName}-${serviceName}.fhir.azurehealthcareapis.com'

resource workspace 'Microsoft.HealthcareApis/workspaces@2024-03-31' = {
  name: workspaceName
  location: location
  tags: tags
  properties: { publicNetworkAccess: access }
}

resource service 'Microsoft.HealthcareApis/workspaces/fhirservices@2024-03-31' = {
  parent: workspace
  name: serviceName
  location: location
  tags: tags
  kind: 'fhir-R4'
  // It writes exports in its own name.
  identity: { type: 'SystemAssigned' }
  properties: {
    authenticationConfiguration: {
      authority: '${environment().authentication.loginEndpoint}${tenant().tenantId}'
      audience: url
      smartProxyEnabled: false
    }
    exportConfiguration: { storageAccountName: exportAccountName }
    publicNetworkAccess: access
    resourceVersionPolicyConfiguration: { default: 'versioned' }
  }
}

resource imaging 'Microsoft.HealthcareApis/workspaces/dicomservices@2024-03-31' = if (dicom) {
  parent: workspace
  name: 'dicom'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    publicNetworkAccess: access
    enableDataPartitions: false
  }
}

// Every call of the FHIR service, with who called.
resource serviceLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: service
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource imagingLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (dicom) {
  name: 'to-logs'
  scope: imaging
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Resource id of the FHIR service.')
output id string = service.id

@description('Object id of the identity of the FHIR service.')
output principalId string = service.identity.principalId
