// The Event Grid topic of the raw account. Its subscription is made after the
// app is there (subscription.bicep): it is answered by the running app, with a
// key that the app makes when it first starts.

import { Tags } from 'types.bicep'

@description('Region of the raw account.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Name of the topic.')
param name string

@description('Resource id of the raw account.')
param sourceId string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  // It writes the events that it could not deliver in its own name: keys are off.
  identity: { type: 'SystemAssigned' }
  properties: {
    source: sourceId
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource topicLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: topic
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Resource id.')
output id string = topic.id

@description('Name.')
output name string = topic.name

@description('Object id of the identity of the topic.')
output principalId string = topic.identity.principalId
