// The function app, on Flex Consumption: it costs nothing while nothing runs,
// and every function scales for itself.

import { Settings, Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Name of the app; its address is made of it.')
@minLength(2)
@maxLength(60)
param name string

@description('Resource id of the identity.')
param identityId string

@description('Client id of the identity.')
param clientId string

@description('Endpoints of the storage accounts.')
param endpoints {
  @description('Blobs of the host.')
  hostBlob: string
  @description('Queues of the host.')
  hostQueue: string
  @description('Tables of the host.')
  hostTable: string
  @description('Blobs of raw data.')
  rawBlob: string
  @description('Queues beside raw data.')
  rawQueue: string
  @description('Blobs of the lake.')
  lakeBlob: string
  @description('Queues of the lake account, which has none.')
  lakeQueue: string
}

@description('Endpoints of the account that the FHIR server exports to; empty: the server hands its files out itself.')
param exportEndpoints {
  @description('Blobs.')
  blob: string
  @description('Queues.')
  queue: string
}

@description('Address of the key vault.')
param vaultUrl string

@description('Base URL of the FHIR server.')
param fhirServerUrl string

@description('Settings by their own names; they win over those below.')
param settings Settings

@description('Where the host sends telemetry.')
param insightsConnection string

@description('Memory of an instance in MB: 2048 is one core, 4096 two.')
param memoryMB 512 | 2048 | 4096

@description('Most instances at once.')
@minValue(40)
@maxValue(1000)
param instances int

@description('Resource id of the subnet that the app sends from; empty: none.')
param subnetId string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

var isolated = !empty(subnetId)

// What the app is told. A test holds these names against the app's own. There is
// no secret among them: storage, vault and telemetry are reached by the identity.
var required = {
  AzureWebJobsStorage__blobServiceUri: endpoints.hostBlob
  AzureWebJobsStorage__queueServiceUri: endpoints.hostQueue
  AzureWebJobsStorage__tableServiceUri: endpoints.hostTable
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: clientId
  RawStorage__blobServiceUri: endpoints.rawBlob
  // The host puts files that keep failing on a poison queue beside them.
  RawStorage__queueServiceUri: endpoints.rawQueue
  RawStorage__credential: 'managedidentity'
  RawStorage__clientId: clientId
  LakeStorage__blobServiceUri: endpoints.lakeBlob
  LakeStorage__queueServiceUri: endpoints.lakeQueue
  LakeStorage__credential: 'managedidentity'
  LakeStorage__clientId: clientId
  // An empty one is taken for one that is not set.
  ExportStorage__blobServiceUri: exportEndpoints.blob
  ExportStorage__queueServiceUri: exportEndpoints.queue
  ExportStorage__credential: 'managedidentity'
  ExportStorage__clientId: clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
  // Without it a token is asked for in the name of a system-assigned identity, which there is none of.
  AZURE_CLIENT_ID: clientId
  KEY_VAULT_URL: vaultUrl
  FHIR_SERVER_URL: fhirServerUrl
  // The timer's binding reads it, so it has to be set.
  EXPORT_SCHEDULE: '0 0 1 * * *'
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: isolated ? 'Disabled' : 'Enabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: isolated ? subnetId : null
    // Everything the app sends stays in the network, its package and its keys too.
    outboundVnetRouting: isolated ? { allTraffic: true } : null
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${endpoints.hostBlob}/deployments'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      // A Go program behind the host: a custom handler.
      runtime: { name: 'custom', version: '1.0' }
      scaleAndConcurrency: {
        instanceMemoryMB: memoryMB
        maximumInstanceCount: instances
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(required, settings)
}

// Publishing takes Entra tokens only; there is no password to find.
resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noBasic 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource appLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: app
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource planLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: plan
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Resource id.')
output id string = app.id

@description('Name.')
output name string = app.name
