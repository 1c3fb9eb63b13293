#!/bin/sh
# After a deployment: publishes the app, makes keys and events, tries it all.
set -eu
cd "$(dirname "$0")/../../.."
exec go run ./infra/azure/setup after
