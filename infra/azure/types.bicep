// The types that modules share. A wrong word in a parameters file is found when
// it is compiled, not at night.

@export()
@description('Tags of a resource.')
type Tags = {
  @description('A tag and its value.')
  *: string
}

@export()
@description('A person, a group or an application that is given roles.')
type Principal = {
  @description('Object id in Entra ID; empty: nobody.')
  id: string
  @description('What the object id names.')
  type: 'User' | 'Group' | 'ServicePrincipal'
}

@export()
@description('Settings of the app that the templates leave to whoever deploys, by their own names. Those left out have the default of the table in the README.')
type Settings = {
  @description('How the server wants to be asked: azure or standard.')
  FHIR_SERVER_PROFILE: ('azure' | 'standard')?
  @description('identity (Azure), smart (SMART Backend Services), client-secret or none.')
  FHIR_AUTH: ('identity' | 'smart' | 'client-secret' | 'none')?
  @description('Scope of the token of the identity; empty: the server URL with /.default.')
  FHIR_AUDIENCE: string?
  @description('Further origins that exported files may be at, comma-separated.')
  FHIR_FILE_ORIGINS: string?
  @description('FHIR version where the policy names none.')
  FHIR_VERSION: ('STU3' | 'R4' | 'R4B' | 'R5')?
  @description('Client id, for smart and client-secret.')
  SMART_CLIENT_ID: string?
  @description('Token endpoint; empty: found by .well-known/smart-configuration.')
  SMART_TOKEN_URL: string?
  @description('Scope of the token, for smart and client-secret.')
  SMART_SCOPE: string?
  @description('Name of the private key (PEM or JWK) in the key vault.')
  SMART_KEY: string?
  @description('The kid under which the server knows the key.')
  SMART_KEY_ID: string?
  @description('Name of the secret in the key vault, for client-secret.')
  CLIENT_SECRET: string?
  @description('When runs start: seconds minutes hours day month weekday, in UTC.')
  EXPORT_SCHEDULE: string?
  @description('What is exported.')
  EXPORT_LEVEL: ('system' | 'patient' | 'group')?
  @description('Id of the group, for level group.')
  EXPORT_GROUP: string?
  @description('Resource types, comma-separated; empty: all.')
  EXPORT_TYPES: string?
  @description('Search queries that limit types, separated by blanks.')
  EXPORT_TYPE_FILTERS: string?
  @description('Container of the export account that the server writes to.')
  EXPORT_CONTAINER: string?
  @description('Configuration by which the server itself de-identifies what it exports; it is in the container anonymization of the export account.')
  EXPORT_ANONYMIZATION_CONFIG: string?
  @description('ETag of that configuration, as policy push prints it.')
  EXPORT_ANONYMIZATION_ETAG: string?
  @description('Name of the research data set; keys are derived for it.')
  DATA_SET: string?
  @description('A built-in profile, or a rule file in the policy container.')
  POLICY: string?
  @description('Fixed instant for ages, to repeat an old run.')
  AS_OF: string?
  @description('First pause between polls of the server.')
  POLL_INTERVAL: string?
  @description('Longest such pause.')
  POLL_INTERVAL_MAX: string?
  @description('Pause between two looks at a run that is fetching.')
  TICK_INTERVAL: string?
  @description('How long a file may be without a result before it is asked for again.')
  REDRIVE_AFTER: string?
  @description('How long a run may take.')
  RUN_DEADLINE: string?
  @description('The same for the first run.')
  FIRST_RUN_DEADLINE: string?
  @description('How long nothing may move before the run is failed.')
  STALL_DEADLINE: string?
  @description('Most bytes of one file.')
  FILE_BYTES: string?
  @description('Outputs fetched at once.')
  FETCH_PARALLEL: string?
  @description('Bad lines that a release may leave out.')
  MAX_QUARANTINED_LINES: string?
  @description('Where traces and metrics go by OTLP over HTTP; empty: nowhere.')
  OTEL_EXPORTER_OTLP_ENDPOINT: string?
  @description('Workers for one file.')
  ANONYMIZE_WORKERS: string?
  @description('How long one invocation may take; below functionTimeout of host.json.')
  INVOCATION_LIMIT: string?
  @description('Least level that is logged.')
  LOG_LEVEL: ('debug' | 'info' | 'warn' | 'error')?
}
