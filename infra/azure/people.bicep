// What people may do: those who operate the installation, and those who work with
// what it releases. Each role with its reason.

import { Principal } from 'types.bicep'

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

@description('Who operates the installation.')
param operators Principal

@description('Who works with released data.')
param researchers Principal

// Storage Blob Data Contributor
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
// Storage Blob Data Reader
var blobDataReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
// Storage Blob Delegator
var blobDelegator = 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'
// Storage Queue Data Reader
var queueDataReader = '19e7f393-937e-4f77-808e-94535e297925'
// Storage Queue Data Message Sender
var queueMessageSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'
// Key Vault Secrets Officer
var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

resource host 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accounts.host
}

resource raw 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accounts.raw
}

resource lake 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accounts.lake
}

resource rawBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-08-01' existing = {
  parent: raw
  name: 'default'
}

resource lakeBlobs 'Microsoft.Storage/storageAccounts/blobServices@2025-08-01' existing = {
  parent: lake
  name: 'default'
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

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

// ---- Operators. They see data of patients: they must be able to look at a line in quarantine.

// A run started by hand checks that it can write, and the smoke test writes a file.
resource operatorRaw 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: rawFiles
  name: guid(rawFiles.id, operators.id, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: operators.id
    principalType: operators.type
  }
}

// They look at lines that could not be processed.
resource operatorQuarantine 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: quarantine
  name: guid(quarantine.id, operators.id, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: operators.id
    principalType: operators.type
  }
}

// Their orders (release, retry, discard, cancel) are records of the ledger.
resource operatorLedger 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: ledger
  name: guid(ledger.id, operators.id, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: operators.id
    principalType: operators.type
  }
}

// They put rule files there.
resource operatorPolicy 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: policy
  name: guid(policy.id, operators.id, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: operators.id
    principalType: operators.type
  }
}

// They see whether exports can be read.
resource operatorExported 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: exported
  name: guid(exported.id, operators.id, blobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
    principalId: operators.id
    principalType: operators.type
  }
}

// They put rules there, by which the FHIR service itself de-identifies.
resource operatorServerRules 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: serverRules
  name: guid(serverRules.id, operators.id, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: operators.id
    principalType: operators.type
  }
}

// A retry removes results that were not clean.
resource operatorStaging 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: staging
  name: guid(staging.id, operators.id, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: operators.id
    principalType: operators.type
  }
}

// They discard releases.
resource operatorResearch 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: research
  name: guid(research.id, operators.id, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: operators.id
    principalType: operators.type
  }
}

// They discard releases.
resource operatorCatalog 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: catalog
  name: guid(catalog.id, operators.id, blobDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
    principalId: operators.id
    principalType: operators.type
  }
}

// A release is handed out by a signature with a delegation key of their own.
resource operatorShares 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: lake
  name: guid(lake.id, operators.id, blobDelegator)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDelegator)
    principalId: operators.id
    principalType: operators.type
  }
}

// A run started or retried by hand is set going by a message.
resource operatorSends 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: host
  name: guid(host.id, operators.id, queueMessageSender)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueMessageSender)
    principalId: operators.id
    principalType: operators.type
  }
}

// They see whether messages wait, and read those on a poison queue.
resource operatorSeesQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: host
  name: guid(host.id, operators.id, queueDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueDataReader)
    principalId: operators.id
    principalType: operators.type
  }
}

// They make and rotate keys. The app never does.
resource operatorKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operators.id)) {
  scope: vault
  name: guid(vault.id, operators.id, secretsOfficer)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
    principalId: operators.id
    principalType: operators.type
  }
}

// ---- Researchers.

// They read what is released, and nothing of what led to it.
resource researcherData 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(researchers.id)) {
  scope: research
  name: guid(research.id, researchers.id, blobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
    principalId: researchers.id
    principalType: researchers.type
  }
}

// They find the newest release.
resource researcherCatalog 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(researchers.id)) {
  scope: catalog
  name: guid(catalog.id, researchers.id, blobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
    principalId: researchers.id
    principalType: researchers.type
  }
}
