#!/bin/sh
# Requests of this agent to the Kubernetes API. SELFCONFIG.md beside it explains the commands.
# A newer openclaw-operator replaces this file.
exec node "$(dirname "$0")/selfconfig.mjs" "$@"
