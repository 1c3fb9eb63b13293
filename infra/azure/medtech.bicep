// The MedTech service: measurements of devices come in by an Event Hub and become
// Observations of the FHIR service. The mappings here are the least that is valid;
// those of real devices are set later.

import { Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Part of every name that makes it unique.')
@minLength(13)
@maxLength(13)
param token string

@description('Name of the Health Data Services workspace, which exists.')
@minLength(3)
@maxLength(24)
param workspaceName string

@description('Name of the FHIR service in it.')
@minLength(3)
@maxLength(24)
param serviceName string

@description('Whether roles are given here.')
param assignRoles bool

@description('Whether devices come in by private addresses only.')
param isolated bool

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

// Azure Event Hubs Data Receiver
#disable-next-line role-guid
var eventHubsDataReceiver = 'a638d3c7-ab3a-418d-83e6-5f17a39d4fde'
// FHIR Data Writer
var fhirDataWriter = '3f88fce4-5892-4214-ae73-ba5294559913'

resource workspace 'Microsoft.HealthcareApis/workspaces@2024-03-31' existing = {
  name: workspaceName
}

resource service 'Microsoft.HealthcareApis/workspaces/fhirservices@2024-03-31' existing = {
  parent: workspace
  name: serviceName
}

resource namespace 'Microsoft.EventHub/namespaces@2026-01-01' = {
  name: 'devices-${token}'
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Standard', capacity: 1 }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: isolated ? 'Disabled' : 'Enabled'
  }
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2026-01-01' = {
  parent: namespace
  name: 'measurements'
  properties: {
    partitionCount: 4
    retentionDescription: { cleanupPolicy: 'Delete', retentionTimeInHours: 24 }
  }
}

// A consumer group of its own: another reader must not take messages away.
resource consumers 'Microsoft.EventHub/namespaces/eventhubs/consumergroups@2026-01-01' = {
  parent: hub
  name: 'medtech'
}

resource connector 'Microsoft.HealthcareApis/workspaces/iotconnectors@2024-03-31' = {
  parent: workspace
  name: 'medtech'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    ingestionEndpointConfiguration: {
      eventHubName: hub.name
      consumerGroup: consumers.name
      fullyQualifiedEventHubNamespace: '${namespace.name}.servicebus.windows.net'
    }
    deviceMapping: { content: { templateType: 'CollectionContent', template: [] } }
  }
}

resource destination 'Microsoft.HealthcareApis/workspaces/iotconnectors/fhirdestinations@2024-03-31' = {
  parent: connector
  name: 'fhir'
  location: location
  properties: {
    // A device nobody knows becomes no patient.
    resourceIdentityResolutionType: 'Lookup'
    fhirServiceResourceId: service.id
    fhirMapping: { content: { templateType: 'CollectionFhir', template: [] } }
  }
}

// The connector reads what devices send, from this hub only.
resource readsHub 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (assignRoles) {
  scope: hub
  name: guid(hub.id, connector.id, eventHubsDataReceiver)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventHubsDataReceiver)
    principalId: connector.identity.principalId
    principalType: 'ServicePrincipal'
  }
}

// The connector looks devices up and writes observations. There is no narrower role that can.
resource writesFhir 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (assignRoles) {
  scope: service
  name: guid(service.id, connector.id, fhirDataWriter)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', fhirDataWriter)
    principalId: connector.identity.principalId
    principalType: 'ServicePrincipal'
  }
}

resource hubLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource connectorLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-logs'
  scope: connector
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}
