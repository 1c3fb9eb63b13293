// The role on the storage account that an existing FHIR service exports to, which
// may be in another resource group.

@description('Name of the account.')
@minLength(3)
@maxLength(24)
param accountName string

@description('Container that the service is told to export to; empty: it makes one for each export, so the role is on the whole account.')
param containerName string

@description('Object id of the identity of the app.')
param appPrincipalId string

// Storage Blob Data Reader
var blobDataReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: accountName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-08-01' existing = {
  parent: account
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' existing = {
  parent: blobs
  name: empty(containerName) ? 'unused' : containerName
}

// The app reads what the service exported into the container that it names.
resource readsContainer 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(containerName)) {
  scope: container
  name: guid(container.id, appPrincipalId, blobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// The same where the container is the choice of the service.
resource readsAccount 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (empty(containerName)) {
  scope: account
  name: guid(account.id, appPrincipalId, blobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}
