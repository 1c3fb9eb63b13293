// A hardened storage account with containers, queues, lifecycle rules and logs.
// The three accounts differ in what is in them and who may reach them; what makes
// them safe is here, once.

import { Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param name string

@description('Redundancy: ZRS survives the loss of one data centre.')
param sku 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

@description('Hierarchical namespace (Data Lake), for whoever reads it with Spark or Fabric.')
param hierarchical bool = false

@description('Names of the containers.')
param containers string[]

@description('Names of the queues.')
param queues string[] = []

@description('What lifecycle rules delete: blobs that begin with a prefix, some days after they were last written.')
param expiries {
  @description('Name of the rule.')
  name: string
  @description('Container, or container/prefix.')
  prefix: string
  @description('Days after the last write.')
  days: int
}[] = []

@description('How many days deleted blobs can be restored; 0: not at all, where what is deleted has to be gone.')
@minValue(0)
@maxValue(365)
param restoreDays int

@description('Whether the account is reached by private endpoints only.')
param isolated bool

@description('Resource ids of the Azure services that may come in over the public address all the same, such as the workspace of a FHIR service.')
param admitted string[] = []

@description('Longest life of a shared access signature: days.hours:minutes:seconds.')
param sasExpiry string = '07.00:00:00'

@description('Kinds of requests that are logged.')
param logged ('StorageRead' | 'StorageWrite' | 'StorageDelete')[] = ['StorageRead', 'StorageWrite', 'StorageDelete']

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    // No keys: whoever comes is an identity with a role, and in the log by name.
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowedCopyScope: 'AAD'
    isHnsEnabled: hierarchical
    isLocalUserEnabled: false
    isSftpEnabled: false
    supportsHttpsTrafficOnly: true
    minimumTlsVersion: 'TLS1_2'
    // Signatures can only be made with an identity's delegation key; they end soon.
    sasPolicy: { sasExpirationPeriod: sasExpiry, expirationAction: 'Block' }
    // Can be chosen at creation only: a second layer of encryption at rest.
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: {
        blob: { enabled: true, keyType: 'Account' }
        file: { enabled: true, keyType: 'Account' }
        queue: { enabled: true, keyType: 'Account' }
        table: { enabled: true, keyType: 'Account' }
      }
    }
    // Off the network, but for the services admitted by name: not all of "trusted services".
    publicNetworkAccess: isolated && empty(admitted) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isolated ? 'Deny' : 'Allow'
      resourceAccessRules: [for id in admitted: { tenantId: tenant().tenantId, resourceId: id }]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-08-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: restoreDays > 0 ? { enabled: true, days: restoreDays } : { enabled: false }
    // A container deleted by mistake comes back; blobs deleted one by one, as the app does, do not count here.
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    // Versions would keep what the run deletes. A hierarchical account has none.
    isVersioningEnabled: false
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' = [
  for c in containers: {
    parent: blobs
    name: c
    properties: { publicAccess: 'None' }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-08-01' = if (!empty(queues)) {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-08-01' = [
  for q in queues: {
    parent: queueService
    name: q
  }
]

// The app deletes what it no longer needs. Where it could not, this does.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-08-01' = if (!empty(expiries)) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        for e in expiries: {
          name: e.name
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: [e.prefix] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: e.days } } }
          }
        }
      ]
    }
  }
  dependsOn: [blobs]
}

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [for category in logged: { category: category, enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(queues)) {
  name: 'to-logs'
  scope: queueService
  properties: {
    workspaceId: workspaceId
    logs: [for category in logged: { category: category, enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

@description('Resource id.')
output id string = account.id

@description('Blob endpoint, without a slash at its end.')
output blobEndpoint string = 'https://${name}.blob.${environment().suffixes.storage}'

@description('Queue endpoint, without a slash at its end.')
output queueEndpoint string = 'https://${name}.queue.${environment().suffixes.storage}'

@description('Table endpoint, without a slash at its end.')
output tableEndpoint string = 'https://${name}.table.${environment().suffixes.storage}'
