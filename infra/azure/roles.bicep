// What the app and the services beside it may do, each role with its reason.
// people.bicep says what people may do, fhirroles.bicep and exportroles.bicep what
// is given in other groups. None may hand out roles, and no application is given a
// role of management.
//
// It can be deployed alone, by whoever may give roles, where the one who deploys
// the rest may not: `go run ./infra/azure/setup roles` prints the same as commands.

@description('Names of the storage accounts.')
param accounts {
  @description('Of the Functions host.')
  host: string
  @description('Of raw data.')
  raw: string
  @description('Of the lake.')
  lake: string
}

@description('Name of the key vault.')
param vaultName string

@description('Name of Application Insights.')
param insightsName string

@description('Object id of the identity of the app.')
param appPrincipalId string

@description('Object id of the identity of the Event Grid topic; empty: there is none.')
param topicPrincipalId string

@description('Object id of the identity of a FHIR service that exports into the raw account; empty: there is none.')
param fhirPrincipalId string

// Storage Blob Data Owner
var blobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
// Storage Blob Data Contributor
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
// Storage Blob Data Reader
var blobDataReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
// Storage Queue Data Contributor
var queueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
// Storage Table Data Contributor
var tableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
// Key Vault Secrets User
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
// Monitoring Metrics Publisher
var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource host 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accounts.host
}

resource raw 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accounts.raw
}

resource lake 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accounts.lake
}

resource hostBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-08-01' existing = {
  parent: host
  name: 'default'
}

resource rawBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-08-01' existing = {
  parent: raw
  name: 'default'
}

resource lakeBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-08-01' existing = {
  parent: lake
  name: 'default'
}

resource deadLetters 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: hostBlobs
  name: 'dead-letters'
}

resource rawFiles 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: rawBlobs
  name: 'raw'
}

resource quarantine 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: rawBlobs
  name: 'quarantine'
}

resource ledger 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: rawBlobs
  name: 'ledger'
}

resource policy 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: rawBlobs
  name: 'policy'
}

resource exported 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: rawBlobs
  name: 'export'
}

resource serverRules 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: rawBlobs
  name: 'anonymization'
}

resource staging 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: lakeBlobs
  name: 'staging'
}

resource research 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: lakeBlobs
  name: 'research'
}

resource catalog 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: lakeBlobs
  name: 'catalog'
}

resource rawQueues 'Microsoft.Storage/storageAccounts/queueServices@2025-08-01' existing = {
  parent: raw
  name: 'default'
}

resource poison 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-08-01' existing = {
  parent: rawQueues
  name: 'webjobs-blobtrigger-poison'
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// ---- The app.

// The host leases blobs for its timer, and keeps its function keys and the app's package there; its
// documentation asks for Owner.
resource appHostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: host
  name: guid(host.id, appPrincipalId, blobDataOwner)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataOwner)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// The host reads and deletes messages, the app sends them, and the blob trigger makes a queue of its own.
resource appHostQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: host
  name: guid(host.id, appPrincipalId, queueDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// The host writes what went wrong with it into a table.
resource appHostTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: host
  name: guid(host.id, appPrincipalId, tableDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', tableDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// The app writes what it fetched, reads it, and deletes it.
resource appRaw 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: rawFiles
  name: guid(rawFiles.id, appPrincipalId, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// It writes lines that could not be processed, and deletes them with their run.
resource appQuarantine 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: quarantine
  name: guid(quarantine.id, appPrincipalId, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// It writes the records of runs.
resource appLedger 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: ledger
  name: guid(ledger.id, appPrincipalId, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// It reads rule files. It cannot change by what rules it works.
resource appPolicy 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: policy
  name: guid(policy.id, appPrincipalId, blobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// It reads what the FHIR service exported.
resource appExported 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: exported
  name: guid(exported.id, appPrincipalId, blobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// It looks whether the rules that the FHIR service is told to de-identify by are the ones that were pinned.
resource appServerRules 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: serverRules
  name: guid(serverRules.id, appPrincipalId, blobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// The host puts files that keep failing on this queue, beside the data; it first makes sure that the queue is
// there, for which sending is not enough.
resource appPoison 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: poison
  name: guid(poison.id, appPrincipalId, queueDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// It writes results that are not released yet.
resource appStaging 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: staging
  name: guid(staging.id, appPrincipalId, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// It releases: copies results there, and removes those of a run that was given up.
resource appResearch 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: research
  name: guid(research.id, appPrincipalId, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// It says there which release is the newest.
resource appCatalog 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: catalog
  name: guid(catalog.id, appPrincipalId, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// It reads keys. It cannot make or change any.
resource appKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, appPrincipalId, secretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// Application Insights takes telemetry from identities with this role only.
resource appTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, appPrincipalId, metricsPublisher)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// ---- Services.

// Event Grid writes the events that it could not deliver.
resource topicDeadLetters 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(topicPrincipalId)) {
  scope: deadLetters
  name: guid(deadLetters.id, topicPrincipalId, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: topicPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// The FHIR service writes exports, into this container and nowhere beside it: not into the ledger, not among the
// rules.
resource fhirExports 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(fhirPrincipalId)) {
  scope: exported
  name: guid(exported.id, fhirPrincipalId, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: fhirPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// It reads rules by which it de-identifies itself, where it is told to.
resource fhirRules 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(fhirPrincipalId)) {
  scope: serverRules
  name: guid(serverRules.id, fhirPrincipalId, blobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
    principalId: fhirPrincipalId
    principalType: 'ServicePrincipal'
  }
}
