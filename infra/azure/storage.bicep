// The three storage accounts. Data of patients and results never share one: an
// error in a role or a network rule of one says nothing about the others.

import { Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Names of the accounts: of the Functions host, of raw data, of the lake.')
param names {
  @description('Locks, keys and queues of the host; no data.')
  host: string
  @description('Data of patients.')
  raw: string
  @description('De-identified data.')
  lake: string
}

@description('Redundancy of the accounts.')
param sku 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

@description('Days after which raw files, quarantined lines, exports and unreleased results are deleted where the app has not done it. More than FIRST_RUN_DEADLINE, and than a held run may wait for a person.')
@minValue(31)
@maxValue(365)
param rawDays int

@description('Days after which released data is deleted; 0: never.')
@minValue(0)
param researchDays int

@description('Whether the accounts are reached by private endpoints only.')
param isolated bool

@description('Resource ids of the services that write exports into the raw account.')
param exporters string[]

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

// Reads are not logged here: the host looks at its queues every few seconds.
module host 'account.bicep' = {
  params: {
    location: location
    tags: tags
    name: names.host
    sku: sku
    // deployments: the app's package. dead-letters: events that could not be delivered, which name blobs and no more.
    containers: ['deployments', 'dead-letters']
    queues: ['check-export', 'fetch-file', 'anonymize-retry']
    expiries: [{ name: 'dead-letters', prefix: 'dead-letters/', days: 30 }]
    restoreDays: 7
    isolated: isolated
    logged: ['StorageWrite', 'StorageDelete']
    workspaceId: workspaceId
  }
}

module raw 'account.bicep' = {
  params: {
    location: location
    tags: tags
    name: names.raw
    sku: sku
    // export: where a FHIR service of this installation exports to; read-only for the app.
    // anonymization: rules by which that service itself de-identifies; it looks for them in a container of this name.
    containers: ['raw', 'quarantine', 'ledger', 'policy', 'export', 'anonymization']
    // Made here, so that the app needs no right to make queues in this account.
    queues: ['webjobs-blobtrigger-poison']
    expiries: [
      { name: 'raw', prefix: 'raw/', days: rawDays }
      { name: 'quarantine', prefix: 'quarantine/', days: rawDays }
      { name: 'export', prefix: 'export/', days: rawDays }
    ]
    // What is deleted here has to be gone.
    restoreDays: 0
    isolated: isolated
    admitted: exporters
    workspaceId: workspaceId
  }
}

module lake 'account.bicep' = {
  params: {
    location: location
    tags: tags
    name: names.lake
    sku: sku
    hierarchical: true
    containers: ['staging', 'research', 'catalog']
    expiries: concat(
      [{ name: 'staging', prefix: 'staging/', days: rawDays }],
      researchDays > 0 ? [{ name: 'research', prefix: 'research/', days: researchDays }] : []
    )
    restoreDays: 7
    isolated: isolated
    workspaceId: workspaceId
  }
}

@description('Resource id of the host account.')
output hostId string = host.outputs.id

@description('Resource id of the raw account.')
output rawId string = raw.outputs.id

@description('Resource id of the lake account.')
output lakeId string = lake.outputs.id

@description('Endpoints of the accounts.')
output endpoints {
  @description('Blobs of the host.')
  hostBlob: string
  @description('Queues of the host.')
  hostQueue: string
  @description('Tables of the host.')
  hostTable: string
  @description('Blobs of raw data.')
  rawBlob: string
  @description('Queues beside raw data.')
  rawQueue: string
  @description('Blobs of the lake.')
  lakeBlob: string
  @description('Queues of the lake account, which has none.')
  lakeQueue: string
} = {
  hostBlob: host.outputs.blobEndpoint
  hostQueue: host.outputs.queueEndpoint
  hostTable: host.outputs.tableEndpoint
  rawBlob: raw.outputs.blobEndpoint
  rawQueue: raw.outputs.queueEndpoint
  lakeBlob: lake.outputs.blobEndpoint
  lakeQueue: lake.outputs.queueEndpoint
}
