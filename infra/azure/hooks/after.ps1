# After a deployment: publishes the app, makes keys and events, tries it all.
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '../../..')
go run ./infra/azure/setup after
exit $LASTEXITCODE
