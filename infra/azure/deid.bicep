// The de-identification service of Azure Health Data Services, for free text. The
// nightly run does not call it: it is here for those who work on text beside, and
// is given no role on any data.

import { Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Name of the service.')
@minLength(3)
@maxLength(24)
param name string

@description('Whether the service is reached by a private endpoint only.')
param isolated bool

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

resource service 'Microsoft.HealthDataAIServices/deidServices@2024-09-20' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: { publicNetworkAccess: isolated ? 'Disabled' : 'Enabled' }
}

resource serviceLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: service
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

@description('Resource id.')
output id string = service.id

@description('Where it is called. Its shape is not documented: it is never put together from parts.')
output url string = service.properties.serviceUrl
