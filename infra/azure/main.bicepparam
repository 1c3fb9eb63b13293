// A first installation: over public addresses, with a FHIR service of its own
// unless another is named. Everything can be said in the environment, as `azd env
// set` does it, or edited here.
using 'main.bicep'

param name = readEnvironmentVariable('INSTALLATION', 'fhirdeid')
param tags = { 'azd-env-name': readEnvironmentVariable('AZURE_ENV_NAME', 'fhirdeid') }

// FHIR_SERVICE_ID names an existing FHIR service of Azure, EXPORT_ACCOUNT_ID where it
// exports to; EXTERNAL_FHIR_URL names any other server.
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
  id: readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
  type: readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
}
param deployerOperates = true
// Generated patients only: see isolated.bicepparam for real ones.
param operatorsSeed = empty(service) && empty(otherServer)

param storageSku = 'Standard_LRS'
param logDays = 30
var mail = readEnvironmentVariable('ALERT_MAIL', '')
param alertAddresses = empty(mail) ? [] : split(mail, ',')
