// The subscription that tells the app of a new raw file. It is a deployment of
// its own, since its address holds a key that the app makes when it first starts;
// `go run ./infra/azure/setup events` fills it in, without showing it.

@description('Name of the Event Grid topic of the raw account.')
param topicName string

@description('Resource id of the host account, where events go that could not be delivered.')
param hostAccountId string

@description('Address of the blob function, with its key. Empty: nothing is made.')
@secure()
param webhookUrl string = ''

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource subscription 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = if (!empty(webhookUrl)) {
  parent: topic
  name: 'anonymize-file'
  properties: {
    // An event names a blob; the function reads it under its own identity.
    destination: {
      endpointType: 'WebHook'
      properties: {
        endpointUrl: webhookUrl
        maxEventsPerBatch: 1
        minimumTlsVersionAllowed: '1.2'
      }
    }
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: ['Microsoft.Storage.BlobCreated']
      subjectBeginsWith: '/blobServices/default/containers/raw/blobs/'
      subjectEndsWith: '.ndjson'
      isSubjectCaseSensitive: true
      // Calls that finish a blob, so that half of one raises nothing.
      advancedFilters: [
        { operatorType: 'StringIn', key: 'data.api', values: ['PutBlob', 'PutBlockList', 'CopyBlob', 'FlushWithClose'] }
      ]
    }
    // Lost events are made good by the heartbeat after REDRIVE_AFTER, so an hour of tries is plenty.
    retryPolicy: { maxDeliveryAttempts: 10, eventTimeToLiveInMinutes: 60 }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: hostAccountId
          blobContainerName: 'dead-letters'
        }
      }
    }
  }
}
