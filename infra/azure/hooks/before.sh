#!/bin/sh
# Before a deployment: looks whether it can succeed.
set -eu
cd "$(dirname "$0")/../../.."
exec go run ./infra/azure/setup check
