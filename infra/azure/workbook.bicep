// The workbook: how the nights went, at breakfast. Its text is workbook.json, as
// the portal writes it; a test holds the names in its queries against the lines
// that the app logs.

import { Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'fhirdeid')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'fhirdeid: the nightly runs'
    category: 'workbook'
    sourceId: toLower(workspaceId)
    serializedData: replace(loadTextContent('workbook.json'), 'WORKSPACE_ID', workspaceId)
    version: '1.0'
  }
}

@description('Resource id.')
output id string = workbook.id
