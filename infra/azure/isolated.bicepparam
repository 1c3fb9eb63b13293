// An installation for data of real patients: everything behind private endpoints,
// no Event Grid, storage over several data centres, logs for two years.
using 'main.bicep'

param name = readEnvironmentVariable('INSTALLATION', 'fhirdeid')
param tags = { 'azd-env-name': readEnvironmentVariable('AZURE_ENV_NAME', 'fhirdeid'), data: 'patients' }

var service = readEnvironmentVariable('FHIR_SERVICE_ID', '')
var otherServer = readEnvironmentVariable('EXTERNAL_FHIR_URL', '')
param newFhirService = empty(service) && empty(otherServer)
param fhirServiceId = service
param exportAccountId = readEnvironmentVariable('EXPORT_ACCOUNT_ID', '')
param fhirServerUrl = otherServer

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
var mail = readEnvironmentVariable('ALERT_MAIL', '')
param alertAddresses = empty(mail) ? [] : split(mail, ',')
