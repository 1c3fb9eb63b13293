// What wakes somebody, and whom. The queries are in queries/, to be read and
// tried by themselves; a test holds the names in them against the lines that the
// app logs.

import { Tags } from 'types.bicep'

@description('Region.')
param location string

@description('Tags of every resource.')
param tags Tags

@description('Mail addresses that alerts go to; empty: they are seen in the portal only.')
param addresses string[]

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the Event Grid topic; empty: there is none.')
param topicId string

@description('Whether the alerts are on. Off while nothing runs on schedule yet.')
param enabled bool

// A rule without a column counts rows: any is one too many.
var rules = [
  {
    name: 'no-release'
    title: 'No release for 26 hours'
    text: 'No run was released for 26 hours. See `fhirdeid runs list` and `fhirdeid doctor`.'
    severity: 1
    query: loadTextContent('queries/no-release.kql')
    every: 'PT1H'
    window: 'P2D'
    column: 'releases'
    operator: 'LessThan'
    threshold: 1
  }
  {
    name: 'run-ended-badly'
    title: 'A run is held, failed or was refused'
    text: 'A run needs a person. `fhirdeid runs show RUN` says what for and what to do.'
    severity: 1
    query: loadTextContent('queries/run-ended-badly.kql')
    every: 'PT15M'
    window: 'PT6H'
    column: ''
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'findings'
    title: 'The verifier found something'
    text: 'Lines were kept back, since the verifier found what must not be released. Look at the policy; the report of the run names the paths.'
    severity: 1
    query: loadTextContent('queries/findings.kql')
    every: 'PT15M'
    window: 'PT6H'
    column: ''
    operator: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'poison'
    title: 'A message was given up'
    text: 'The host gave a message up after five tries. The heartbeat heals what can be healed; look at the poison queue for what it was.'
    severity: 2
    query: loadTextContent('queries/poison.kql')
    every: 'PT15M'
    window: 'PT6H'
    column: ''
    operator: 'GreaterThan'
    threshold: 0
  }
]

// What Event Grid could not deliver. All criteria of one alert must hold, so there is an alert for each.
var undelivered = [
  {
    name: 'dropped-events'
    metric: 'DroppedEventCount'
    text: 'dropped events of new files, since it could not even write them off'
  }
  {
    name: 'dead-events'
    metric: 'DeadLetteredCount'
    text: 'gave up on events of new files, and wrote them to the container dead-letters'
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'fhirdeid-operators'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'fhirdeid'
    enabled: true
    emailReceivers: [
      for (a, i) in addresses: {
        name: 'mail-${i}'
        emailAddress: a
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for r in rules: {
    name: 'fhirdeid-${r.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: r.title
      description: r.text
      severity: r.severity
      enabled: enabled
      scopes: [workspaceId]
      evaluationFrequency: r.every
      windowSize: r.window
      // A state that ends by itself: the next release. What has happened stays until a person closes it.
      autoMitigate: !empty(r.column)
      // Tables of a new workspace are made when the first line comes.
      skipQueryValidation: true
      criteria: {
        allOf: [
          union(
            {
              query: r.query
              operator: r.operator
              threshold: r.threshold
              failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
            },
            empty(r.column)
              ? { timeAggregation: 'Count' }
              : { timeAggregation: 'Maximum', metricMeasureColumn: r.column }
          )
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]

resource lost 'Microsoft.Insights/metricAlerts@2026-01-01' = [
  for u in undelivered: if (!empty(topicId)) {
    name: 'fhirdeid-${u.name}'
    location: 'global'
    tags: tags
    properties: {
      description: 'Event Grid ${u.text}. The run goes on by its heartbeat, more slowly; see `fhirdeid doctor`.'
      severity: 2
      enabled: enabled
      scopes: [topicId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: u.metric
            metricNamespace: 'Microsoft.EventGrid/systemTopics'
            metricName: u.metric
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      actions: [{ actionGroupId: people.id }]
    }
  }
]

@description('Resource id of the action group.')
output actionGroupId string = people.id
