# shellcheck shell=bash
# What etcd on this server says. Needs common.sh.

# This server's etcd by its own account: true, false, or null when nothing answers. etcd answers 503 when it has no
# leader, so the body counts and not the status.
etcd_health() {
  local body
  body=$(curl --silent --max-time 3 http://127.0.0.1:2381/health) || body=''
  case $body in
    *'"health":"true"'*) printf 'true' ;;
    *'"health":"false"'*) printf 'false' ;;
    *) printf 'null' ;;
  esac
}

# The etcd members as JSON, one line. K3s answers loopback without credentials (auth.IsLocalOrHasRole in k3s
# pkg/server/auth; measured on v1.21). Before 1.25 K3s named only itself when etcd did not answer it, so the list counts
# only while etcd is healthy before and after.
members() {
  local body
  [[ $(etcd_health) == true ]] || return 1
  body=$(curl --silent --fail --insecure --max-time 5 https://127.0.0.1:6443/db/info) || return 1
  [[ $body == '{"members":['*']}' && $body != *$'\n'* ]] || return 1
  [[ $(etcd_health) == true ]] || return 1
  printf '%s' "$body"
}

# Whether this member votes. False as well while etcd does not say: what is not known is not claimed.
votes() {
  local list object
  list=$(members) || return 1
  while IFS= read -r object; do
    [[ $object == *"\"name\":\"$1\""* ]] || continue
    [[ $object != *'"isLearner":true'* ]]
    return
  done <<<"${list//\}/$'\n'}"
  return 1
}
