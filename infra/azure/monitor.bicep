// Where logs and metrics go: a Log Analytics workspace, new or an existing one,
// and Application Insights on top of it. Both take Entra tokens only, so there is
// no ingestion key that could leak.

import { Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Part of every name that makes it unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Resource id of an existing workspace; empty: a new one.')
param existingWorkspaceId string

@description('How long logs are kept, in days. Some laws ask for years: raise it there.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Most log data a day, in GB; -1: no limit. Reaching it blinds the alerts.')
param dailyQuotaGb int

@description('Whether logs come over private addresses only. They are read by whoever has a role for it, from anywhere: there is no data of patients in them, and alerts need no way through the network.')
param isolated bool

var ingestion = isolated ? 'Disabled' : 'Enabled'
var workspaceId = empty(existingWorkspaceId) ? workspace.id : existingWorkspaceId

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = if (empty(existingWorkspaceId)) {
  name: 'logs-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyQuotaGb }
    publicNetworkAccessForIngestion: ingestion
    publicNetworkAccessForQuery: 'Enabled'
    features: {
      // Whoever may read one resource sees only that resource's logs.
      enableLogAccessUsingOnlyResourcePermissions: true
      disableLocalAuth: true
    }
  }
}

// Who has queried the logs is logged too.
resource workspaceLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (empty(existingWorkspaceId)) {
  name: 'to-logs'
  scope: workspace
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'insights-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceId
    IngestionMode: 'LogAnalytics'
    // No instrumentation key is enough: the app's identity has to show a token.
    DisableLocalAuth: true
    DisableIpMasking: false
    publicNetworkAccessForIngestion: ingestion
    publicNetworkAccessForQuery: 'Enabled'
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspaceId

@description('Resource id of Application Insights.')
output insightsId string = insights.id

@description('Name of Application Insights.')
output insightsName string = insights.name

@description('Where the host sends telemetry. It is an address, no key: local authentication is off.')
output insightsConnection string = insights.properties.ConnectionString
