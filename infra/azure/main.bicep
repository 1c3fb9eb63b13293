// A whole installation, in a resource group that exists: the function app with its
// identity, three storage accounts, a key vault, events, logs, alerts, and the
// roles that hold it together. Optional parts come by parameter. README.md beside
// this file has the picture and the ways in.

import { Principal, Settings, Tags } from 'types.bicep'

@description('Region of everything. Flex Consumption must be offered there, and Health Data Services where they are made.')
param location string = resourceGroup().location

@description('Name of the installation: lower-case letters and digits. Names of resources begin with it or are made unique by it.')
@minLength(2)
@maxLength(12)
param name string = 'fhirdeid'

@description('Tags of every resource.')
param tags Tags = {}

// ---- The FHIR server: one of the next three.

@description('Whether a new Health Data Services workspace with a FHIR service is made.')
param newFhirService bool = false

@description('Resource id of an existing FHIR service of Azure, which may be in another group.')
param fhirServiceId string = ''

@description('Base URL of any other FHIR server.')
param fhirServerUrl string = ''

@description('Resource id of the storage account that the existing FHIR service exports to.')
param exportAccountId string = ''

// ---- What the app is told.

@description('Settings of the app by their own names; the README has the table.')
param settings Settings = {}

@description('Memory of an instance in MB: 2048 is one core, 4096 two.')
param memoryMB 512 | 2048 | 4096 = 2048

@description('Most instances at once.')
@minValue(40)
@maxValue(1000)
param instances int = 40

// ---- Who.

@description('Whether roles are given here. Where the one who deploys may not, `go run ./infra/azure/setup roles` prints the commands for whoever may.')
param assignRoles bool = true

@description('Who operates the installation: reads the ledger, decides on held runs, makes keys. They can see data of patients.')
param operators Principal = { id: '', type: 'User' }

@description('Whether the one who deploys is the operator, where nobody else is named.')
param deployerOperates bool = false

@description('Who works with released data.')
param researchers Principal = { id: '', type: 'Group' }

@description('Whether operators may write generated patients into the FHIR service, to try it. Not where there are real ones.')
param operatorsSeed bool = false

// ---- Storage.

@description('Redundancy of the storage accounts: ZRS survives the loss of one data centre.')
param storageSku 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS' = 'Standard_ZRS'

@description('Days after which raw files, quarantined lines, exports and unreleased results are deleted where the app has not done it.')
@minValue(31)
@maxValue(365)
param rawDays int = 35

@description('Days after which released data is deleted; 0: never.')
@minValue(0)
param researchDays int = 0

// ---- Network.

@description('Whether everything is reached by private endpoints only. There is no Event Grid then, which could not reach the app: files are handed on by the heartbeat.')
param isolated bool = false

@description('Addresses of the network of an isolated installation, at least a /23.')
param addresses string = '10.20.0.0/16'

// ---- Logs and alerts.

@description('Resource id of an existing Log Analytics workspace; empty: a new one.')
param logWorkspaceId string = ''

@description('How long logs are kept in a new workspace, in days.')
@minValue(30)
@maxValue(730)
param logDays int = 90

@description('Most log data a day in GB; -1: no limit. Reaching it blinds the alerts.')
param logQuotaGb int = -1

@description('Mail addresses that alerts go to.')
param alertAddresses string[] = []

@description('Whether the alerts are on.')
param alertsEnabled bool = true

// ---- Beside the nightly run.

@description('Whether the new workspace gets a DICOM service.')
param dicom bool = false

@description('Whether the new workspace gets a MedTech service with an Event Hub.')
param medtech bool = false

@description('Price of a Health Bot; left out: there is none.')
param healthBotSku ('F0' | 'C0' | 'C1' | 'PES' | 'S1')?

@description('Whether a de-identification service for free text is made.')
param deidService bool = false

var token = uniqueString(resourceGroup().id, name)
var accounts = { host: 'host${token}', raw: 'raw${token}', lake: 'lake${token}' }
var vaultName = 'kv-${token}'
var appName = '${name}-${token}'
var healthName = 'ahds${token}'
var events = !isolated
var team = empty(operators.id) && deployerOperates ? { id: deployer().objectId, type: operators.type } : operators

// The FHIR service by name, new or existing, since a role has to be given on it.
var newServiceId = resourceId('Microsoft.HealthcareApis/workspaces/fhirservices', healthName, 'fhir')
var serviceId = newFhirService ? newServiceId : fhirServiceId
var service = split(empty(serviceId) ? newServiceId : serviceId, '/')
var onAzure = !empty(serviceId)
var serverUrl = onAzure ? 'https://${service[8]}-${last(service)}.fhir.azurehealthcareapis.com' : fhirServerUrl

// Where its exports are: the raw account of this installation, or its own.
var rawAccountId = resourceId('Microsoft.Storage/storageAccounts', accounts.raw)
var exportAccount = split(empty(exportAccountId) ? rawAccountId : exportAccountId, '/')
var exports = newFhirService || !empty(exportAccountId)
var suffix = environment().suffixes.storage

module logs 'monitor.bicep' = {
  params: {
    location: location
    tags: tags
    token: token
    existingWorkspaceId: logWorkspaceId
    retentionDays: logDays
    dailyQuotaGb: logQuotaGb
    isolated: isolated
  }
}

module identity 'identity.bicep' = {
  params: {
    location: location
    tags: tags
    name: 'id-${appName}'
  }
}

module storage 'storage.bicep' = {
  params: {
    location: location
    tags: tags
    names: accounts
    sku: storageSku
    rawDays: rawDays
    researchDays: researchDays
    isolated: isolated
    exporters: newFhirService ? [resourceId('Microsoft.HealthcareApis/workspaces', healthName)] : []
    workspaceId: logs.outputs.workspaceId
  }
}

module vault 'vault.bicep' = {
  params: {
    location: location
    tags: tags
    name: vaultName
    isolated: isolated
    workspaceId: logs.outputs.workspaceId
  }
}

module fhir 'fhir.bicep' = if (newFhirService) {
  params: {
    location: location
    tags: tags
    workspaceName: healthName
    serviceName: 'fhir'
    exportAccountName: accounts.raw
    dicom: dicom
    isolated: isolated
    workspaceId: logs.outputs.workspaceId
  }
  dependsOn: [storage]
}

module devices 'medtech.bicep' = if (newFhirService && medtech) {
  params: {
    location: location
    tags: tags
    token: token
    workspaceName: healthName
    serviceName: 'fhir'
    assignRoles: assignRoles
    isolated: isolated
    workspaceId: logs.outputs.workspaceId
  }
  dependsOn: [fhir]
}

module network 'network.bicep' = if (isolated) {
  params: {
    location: location
    tags: tags
    token: token
    addresses: addresses
    workspaceId: logs.outputs.workspaceId
  }
}

module app 'app.bicep' = {
  params: {
    location: location
    tags: tags
    name: appName
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    endpoints: storage.outputs.endpoints
    exportEndpoints: exports
      ? {
          blob: 'https://${last(exportAccount)}.blob.${suffix}'
          queue: 'https://${last(exportAccount)}.queue.${suffix}'
        }
      : { blob: '', queue: '' }
    vaultUrl: vault.outputs.url
    fhirServerUrl: serverUrl
    settings: union(
      onAzure ? {} : { FHIR_SERVER_PROFILE: 'standard' },
      newFhirService ? { EXPORT_CONTAINER: 'export' } : {},
      // Without events the heartbeat hands files on, so it does not wait for one that might come late.
      events ? {} : { REDRIVE_AFTER: '5m' },
      settings
    )
    insightsConnection: logs.outputs.insightsConnection
    memoryMB: memoryMB
    instances: instances
    subnetId: isolated ? network!.outputs.appSubnetId : ''
    workspaceId: logs.outputs.workspaceId
  }
}

module topic 'events.bicep' = if (events) {
  params: {
    location: location
    tags: tags
    name: 'events-${token}'
    sourceId: storage.outputs.rawId
    workspaceId: logs.outputs.workspaceId
  }
}

module roles 'roles.bicep' = if (assignRoles) {
  params: {
    accounts: accounts
    vaultName: vaultName
    insightsName: logs.outputs.insightsName
    appPrincipalId: identity.outputs.principalId
    topicPrincipalId: events ? topic!.outputs.principalId : ''
    fhirPrincipalId: newFhirService ? fhir!.outputs.principalId : ''
  }
  dependsOn: [storage, vault]
}

module people 'people.bicep' = if (assignRoles) {
  params: {
    accounts: accounts
    vaultName: vaultName
    operators: team
    researchers: researchers
  }
  dependsOn: [storage, vault]
}

module fhirRoles 'fhirroles.bicep' = if (assignRoles && onAzure) {
  scope: resourceGroup(service[2], service[4])
  params: {
    workspaceName: service[8]
    serviceName: last(service)
    appPrincipalId: identity.outputs.principalId
    seeders: operatorsSeed ? team : { id: '', type: 'User' }
  }
  dependsOn: [fhir]
}

module exportRoles 'exportroles.bicep' = if (assignRoles && !empty(exportAccountId)) {
  scope: resourceGroup(exportAccount[2], exportAccount[4])
  params: {
    accountName: last(exportAccount)
    containerName: settings.?EXPORT_CONTAINER ?? ''
    appPrincipalId: identity.outputs.principalId
  }
}

module endpoints 'endpoints.bicep' = if (isolated) {
  params: {
    location: location
    tags: tags
    token: token
    subnetId: network!.outputs.endpointSubnetId
    hostId: storage.outputs.hostId
    rawId: storage.outputs.rawId
    lakeId: storage.outputs.lakeId
    vaultId: vault.outputs.id
    appId: app.outputs.id
    healthWorkspaceId: onAzure
      ? resourceId(service[2], service[4], 'Microsoft.HealthcareApis/workspaces', service[8])
      : ''
    exportAccountId: exportAccountId
    workspaceId: logs.outputs.workspaceId
    insightsId: logs.outputs.insightsId
  }
  dependsOn: [fhir]
}

module alerts 'alerts.bicep' = {
  params: {
    location: location
    tags: tags
    addresses: alertAddresses
    workspaceId: logs.outputs.workspaceId
    topicId: events ? topic!.outputs.id : ''
    enabled: alertsEnabled
  }
}

module workbook 'workbook.bicep' = {
  params: {
    location: location
    tags: tags
    workspaceId: logs.outputs.workspaceId
  }
}

module bot 'healthbot.bicep' = if (healthBotSku != null) {
  params: {
    location: location
    tags: tags
    name: 'bot-${token}'
    sku: healthBotSku ?? 'F0'
  }
}

module deid 'deid.bicep' = if (deidService) {
  params: {
    location: location
    tags: tags
    name: 'deid${token}'
    isolated: isolated
    workspaceId: logs.outputs.workspaceId
  }
}

// What the steps after the deployment need. None is a secret. azd puts them into the
// environment, so none is called as what the parameter files read from there.

@description('Name of the function app.')
output APP_NAME string = app.outputs.name

@description('Name of the key vault.')
output VAULT_NAME string = vaultName

@description('Name of the host account.')
output HOST_ACCOUNT string = accounts.host

@description('Name of the raw account.')
output RAW_ACCOUNT string = accounts.raw

@description('Name of the lake account.')
output LAKE_ACCOUNT string = accounts.lake

@description('Name of the Event Grid topic; empty: there is none.')
output TOPIC_NAME string = events ? topic!.outputs.name : ''

@description('Name of Application Insights.')
output INSIGHTS_NAME string = logs.outputs.insightsName

@description('Base URL of the FHIR server.')
output FHIR_SERVER_URL string = serverUrl

@description('Resource id of the FHIR service of Azure; empty: it is another server.')
output FHIR_SERVICE_IN_USE string = serviceId

@description('Resource id of the account that an existing FHIR service exports to; empty: none.')
output EXPORT_ACCOUNT_IN_USE string = exportAccountId

@description('Container that the FHIR service exports to; empty: its own choice.')
output EXPORT_CONTAINER_IN_USE string = newFhirService ? 'export' : (settings.?EXPORT_CONTAINER ?? '')

@description('Object id of the identity of the app.')
output APP_PRINCIPAL_ID string = identity.outputs.principalId

@description('Object id of the identity of the Event Grid topic; empty: there is none.')
output TOPIC_PRINCIPAL_ID string = events ? topic!.outputs.principalId : ''

@description('Object id of the identity of the new FHIR service; empty: there is none.')
output FHIR_PRINCIPAL_ID string = newFhirService ? fhir!.outputs.principalId : ''
