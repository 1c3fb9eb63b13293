# Before a deployment: looks whether it can succeed.
$ErrorActionPreference = 'Stop'
Set-Location (Join-Path $PSScriptRoot '../../..')
go run ./infra/azure/setup check
exit $LASTEXITCODE
