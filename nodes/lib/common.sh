# shellcheck shell=bash
# What the node commands share. `source lib/common.sh` in a script is replaced by this text when the SSM document is
# rendered (nodes/render.ts), because a document carries one file.
#
# Conventions: logs go to stderr; the last line of stdout is one JSON object; exit 0 is done, 75 (EX_TEMPFAIL) is "try
# again", anything else is permanent. Absolute paths start with ${NODE_ROOT:-}, which is empty on an instance.
set -euo pipefail

ROOT=${NODE_ROOT:-}
STATE=$ROOT/var/lib/k3s-ha
K3S=$ROOT/usr/local/bin/k3s
SERVER_CA=$ROOT/var/lib/rancher/k3s/server/tls/server-ca.crt

log() { printf '%s\n' "$*" >&2; }
fail() {
  log "error: $*"
  exit 1
}
again() {
  log "try again: $*"
  exit 75
}

# Ends the script unless user data has finished, or when this machine has failed for good; loads the settings that user
# data wrote.
require_ready() {
  if [[ -f $STATE/failed ]]; then fail "$(<"$STATE/failed")"; fi
  [[ -f $STATE/ready ]] || again 'user data has not finished'
  # shellcheck source=/dev/null
  source "$ROOT/etc/k3s-ha/node.env"
}

kubectl() { "$K3S" kubectl --request-timeout=5s "$@"; }

# One line per Node, "<none>" where there is no value. The member's name comes last because it can be empty (a learner
# that never started has no name).
NODE_COLUMNS='NAME:.metadata.name,READY:.status.conditions[?(@.type=="Ready")].status'
NODE_COLUMNS+=',VOTER:.status.conditions[?(@.type=="EtcdIsVoter")].status,DELETING:.metadata.deletionTimestamp'
NODE_COLUMNS+=',ADDRESS:.status.addresses[?(@.type=="InternalIP")].address'
NODE_COLUMNS+=',PEER:.metadata.annotations.etcd\.k3s\.cattle\.io/node-address'
NODE_COLUMNS+=',MEMBER:.metadata.annotations.etcd\.k3s\.cattle\.io/node-name'

# Prints nothing when there is no such Node; fails when the API server does not answer.
node() { kubectl get node "$1" --ignore-not-found --no-headers "--output=custom-columns=$NODE_COLUMNS"; }

# The hash in K10<hash>::server:<token>: for a single self-signed CA certificate K3s takes the SHA-256 of the file's
# bytes (hashCA in k3s pkg/clientaccess/token.go). Prints nothing before K3s has created it.
ca_hash() {
  local hash
  [[ -f $SERVER_CA ]] || return 0
  hash=$(sha256sum "$SERVER_CA")
  printf '%s' "${hash%% *}"
}

# "k3s version v1.33.5+k3s1 (…)": the third word of the first line.
k3s_version() {
  local output words
  output=$("$K3S" --version)
  read -r -a words <<<"$output"
  printf '%s' "${words[2]}"
}

unit_state() {
  local state
  state=$(systemctl is-active k3s.service) || true
  case $state in
    active | activating | failed) printf '%s' "$state" ;;
    reloading) printf 'active' ;;
    *) printf 'inactive' ;;
  esac
}

now() { date +%s; }
