#!/bin/sh
# Requests of this agent to the Kubernetes API. SELFCONFIG.md beside it explains the commands.
# openclaw-operator replaces this file whenever a pod starts.
exec node "$(dirname "$0")/selfconfig.mjs" "$@"
