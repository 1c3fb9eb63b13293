// The private endpoints of an isolated installation: the only way to its storage,
// vault, FHIR service, app and telemetry.

import { Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Part of every name that makes it unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Resource id of the subnet of private endpoints.')
param subnetId string

@description('Resource id of the host account.')
param hostId string

@description('Resource id of the raw account.')
param rawId string

@description('Resource id of the lake account.')
param lakeId string

@description('Resource id of the key vault.')
param vaultId string

@description('Resource id of the function app.')
param appId string

@description('Resource id of the Health Data Services workspace; empty: none.')
param healthWorkspaceId string

@description('Resource id of the account that an existing FHIR service exports to; empty: none.')
param exportAccountId string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of Application Insights.')
param insightsId string

var storage = environment().suffixes.storage
var blob = ['privatelink.blob.${storage}']

var ours = [
  { name: 'host-blob', target: hostId, group: 'blob', zones: blob }
  { name: 'host-queue', target: hostId, group: 'queue', zones: ['privatelink.queue.${storage}'] }
  { name: 'host-table', target: hostId, group: 'table', zones: ['privatelink.table.${storage}'] }
  { name: 'raw-blob', target: rawId, group: 'blob', zones: blob }
  { name: 'raw-queue', target: rawId, group: 'queue', zones: ['privatelink.queue.${storage}'] }
  { name: 'lake-blob', target: lakeId, group: 'blob', zones: blob }
  { name: 'lake-dfs', target: lakeId, group: 'dfs', zones: ['privatelink.dfs.${storage}'] }
  { name: 'vault', target: vaultId, group: 'vault', zones: ['privatelink.vaultcore.azure.net'] }
  { name: 'app', target: appId, group: 'sites', zones: ['privatelink.azurewebsites.net'] }
  {
    name: 'monitor'
    target: monitorScope.id
    group: 'azuremonitor'
    zones: [
      'privatelink.monitor.azure.com'
      'privatelink.oms.opinsights.azure.com'
      'privatelink.ods.opinsights.azure.com'
      'privatelink.agentsvc.azure-automation.net'
      'privatelink.blob.${storage}'
    ]
  }
]

// One endpoint serves all services of a workspace.
var health = empty(healthWorkspaceId)
  ? []
  : [
      {
        name: 'health'
        target: healthWorkspaceId
        group: 'healthcareworkspace'
        zones: [
          'privatelink.workspace.azurehealthcareapis.com'
          'privatelink.fhir.azurehealthcareapis.com'
          'privatelink.dicom.azurehealthcareapis.com'
        ]
      }
    ]

var exported = empty(exportAccountId)
  ? []
  : [{ name: 'export-blob', target: exportAccountId, group: 'blob', zones: blob }]

var all = flatten([ours, health, exported])

// Telemetry has one endpoint for all workspaces that belong to a scope.
resource monitorScope 'Microsoft.Insights/privateLinkScopes@2021-09-01' = {
  name: 'monitor-${token}'
  location: 'global'
  tags: tags
  properties: {
    accessModeSettings: {
      ingestionAccessMode: 'PrivateOnly'
      // See monitor.bicep: logs hold no data of patients, and people read them from where they are.
      queryAccessMode: 'Open'
    }
  }
}

resource scopedWorkspace 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = {
  parent: monitorScope
  name: 'workspace'
  properties: { linkedResourceId: workspaceId }
}

resource scopedInsights 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = {
  parent: monitorScope
  name: 'insights'
  properties: { linkedResourceId: insightsId }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for e in all: {
    name: '${e.name}-${token}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: e.name
          properties: { privateLinkServiceId: e.target, groupIds: [e.group] }
        }
      ]
    }
    // The scope's endpoint has addresses only for what belongs to it by then.
    dependsOn: [scopedWorkspace, scopedInsights]
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [
  for (e, i) in all: {
    parent: endpoint[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        for z in e.zones: {
          name: replace(z, '.', '-')
          properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', z) }
        }
      ]
    }
  }
]
