#!/usr/bin/env bash
# The inside of a pod, without a pod: nginx in front of the application, in a network of their own.
#   stage.sh FOLDER NODE APPLICATION: asks what FOLDER/knocks.json says; writes answers.json, log
# FOLDER has nginx.conf, openclaw.json, hosts; the environment of the application is this one's.
set -euo pipefail
folder=$1 node=$2 application=$3
here=$(dirname "${BASH_SOURCE[0]}")

mount --bind "$folder/hosts" /etc/hosts
ip link set lo up
for address in 10.42.0.5 10.42.0.7 10.42.0.9 10.43.0.8 fd00:42::5 fd00:42::7 fd00:43::8; do
    ip address add "$address" dev lo
done
# As root, nginx would look for a user of its own.
nginx -c "$folder/nginx.conf" -g 'daemon off; user root;' &
"$node" "$application" gateway --port 18789 >"$folder/log" 2>&1 &
"$node" "$here/knock.mjs" "$folder/knocks.json" "$folder/log" >"$folder/answers.json"
