// An installation for data of real patients: everything behind private endpoints,
// no Event Grid, storage over several data centres, logs for two years.
using 'main.bicep'

param name = readEnvironmentVariable('INSTALLATION', 'fhirdeid')
param tags = { data: 'patients' }

param newFhirService = empty(readEnvironmentVariable('FHIR_SERVICE_ID', '')) && empty(readEnvironmentVariable('EXTERNAL_FHIR_URL', ''))
param fhirServiceId = readEnvironmentVariable('FHIR_SERVICE_ID', '')
param exportAccountId = readEnvironmentVariable('EXPORT_ACCOUNT_ID', '')
param fhirServerUrl = readEnvironmentVariable('EXTERNAL_FHIR_URL', '')

param settings = {
  DATA_SET: readEnvironmentVariable('DATA_SET', 'default')
  POLICY: readEnvironmentVariable('POLICY', 'safe-harbor')
}

param assignRoles = bool(readEnvironmentVariable('ASSIGN_ROLES', 'true'))
param operators = {
  id: readEnvironmentVariable('OPERATOR_GROUP', '')
  type: 'Group'
}
param researchers = {
  id: readEnvironmentVariable('RESEARCHER_GROUP', '')
  type: 'Group'
}

param isolated = true
param addresses = readEnvironmentVariable('NETWORK', '10.20.0.0/16')
param memoryMB = 4096
param storageSku = 'Standard_ZRS'
param logWorkspaceId = readEnvironmentVariable('LOG_WORKSPACE_ID', '')
param logDays = 730
param alertAddresses = empty(readEnvironmentVariable('ALERT_MAIL', '')) ? [] : split(readEnvironmentVariable('ALERT_MAIL', ''), ',')
