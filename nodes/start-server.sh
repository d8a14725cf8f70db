#!/bin/bash
# node command: StartServer
# Makes this machine a K3s server: the first one (init) or one more (join), and waits until its Node is Ready and an
# etcd voter. Safe to run again at any time; on such a server it changes nothing.
#
# Whether a machine starts a new cluster is decided here once and then remembered on its disk: K3s on an empty disk
# without `server:` would start one (https://docs.k3s.io/datastore/ha-embedded), so a joiner always has it.
source lib/common.sh
source lib/etcd.sh

WAIT=100 # seconds; the workflow sends the command again after exit 75
SERVER=$ROOT/var/lib/rancher/k3s/server
CONFIG=$ROOT/etc/rancher/k3s/config.yaml.d/50-cluster.yaml
TOKEN_FILE=/etc/rancher/k3s/cluster-token
# What K3s logs when trying again cannot help. Everything else ("too many learner members", "unhealthy cluster",
# "connection refused") passes by itself: systemd restarts K3s every five seconds.
PERMANENT='critical configuration value mismatch'
PERMANENT+='|bootstrap data already found and encrypted with different token'
PERMANENT+='|server-bootstrap: 401 Unauthorized|token CA hash does not match|failed to normalize (server )?token'
PERMANENT+='|duplicate node name found|Node password rejected'
# K3s keeps the disk of a member that was removed, and does not come back with it (measured).
REMOVED='permanently removed from the cluster|data-dir used by this member must be removed'
PERMANENT+="|$REMOVED"

# Writes stdin to a file that nobody ever sees half written.
put() {
  mkdir -p "${2%/*}"
  (umask 077 && cat >"$2.new")
  chmod "$1" "$2.new"
  mv -f "$2.new" "$2"
}

# Ready=True, its member known, not being deleted, and a voter by etcd's own list. The Node's condition EtcdIsVoter says the
# same up to 15 s later: the leader writes it when it next looks. K3s tells systemd when its API server is up; to run
# kubectl before would only take time from K3s.
in_service() {
  local row _ ready deleting member
  [[ $(unit_state) == active ]] || return 1
  row=$(node "$INSTANCE_ID" 2>/dev/null) || return 1
  read -r _ ready _ deleting _ _ member <<<"$row"
  [[ $ready == True && $deleting == '<none>' && -n $member && $member != '<none>' ]] && votes "$member"
}

succeed() {
  local hash
  hash=$(ca_hash)
  [[ -z $ca_hash || $hash == "$ca_hash" ]] || fail "this server belongs to another cluster: its CA is $hash, not $ca_hash"
  printf '{"ready":true,"voter":true,"caHash":"%s","k3sVersion":"%s"}\n' "$hash" "$(k3s_version)"
  exit 0
}

# Writes the token where only root and K3s read it. It is never an argument, an output or a log line.
write_token() {
  { set +x; } 2>/dev/null
  local token errors=$STATE/errors
  if ! token=$(aws secretsmanager get-secret-value --region "$REGION" --secret-id "$TOKEN_SECRET" \
    --query SecretString --output text 2>"$errors"); then
    log "$(<"$errors")"
    case $(<"$errors") in
      *AccessDenied* | *ResourceNotFoundException* | *InvalidRequestException* | *DecryptionFailure*)
        fail "cannot read the join token $TOKEN_SECRET" ;;
      *) again "cannot read the join token $TOKEN_SECRET" ;;
    esac
  fi
  rm -f "$errors"
  [[ -n $token && $token != *[[:space:]]* ]] || fail "the join token in $TOKEN_SECRET is empty or contains spaces"
  # The secure form makes K3s verify the peer's CA before it shows the token. The first server only takes the short
  # form: there is no CA yet (https://docs.k3s.io/cli/token).
  if [[ $mode == join && -n $ca_hash ]]; then token="K10$ca_hash::server:$token"; fi
  printf '%s\n' "$token" | put 600 "$ROOT$TOKEN_FILE"
}

configure() {
  local config previous
  previous=$(cat "$STATE/mode" 2>/dev/null || printf '%s' "$mode")
  [[ $previous == "$mode" ]] || fail "this machine was told to $previous before and cannot $mode now"
  printf '%s\n' "$mode" | put 644 "$STATE/mode"
  write_token
  if [[ $mode == init ]]; then config='cluster-init: true'; else config="server: https://$peer:6443"; fi
  config+=$'\n'"token-file: $TOKEN_FILE"
  [[ $(cat "$CONFIG" 2>/dev/null) != "$config" ]] || return 0
  printf '%s\n' "$config" | put 600 "$CONFIG"
  changed=true
}

mode=${SSM_mode:?} peer=${SSM_peerAddress:-} ca_hash=${SSM_caHash:-} changed=false
case $mode in
  init) [[ -z $peer ]] || fail 'init takes no peerAddress: it would start a second cluster beside that peer' ;;
  join) [[ -n $peer ]] || fail 'join needs peerAddress: without it K3s would start a new cluster' ;;
  *) fail "mode must be init or join, is $mode" ;;
esac
require_ready
if in_service; then
  log 'already a voter'
  succeed
fi

if [[ -d $SERVER/db/etcd/member/wal ]]; then
  # K3s continues with the data and ignores `server:` and `cluster-init:`.
  [[ -f $STATE/mode ]] || fail "etcd data of unknown origin in $SERVER/db/etcd"
  hash=$(ca_hash)
  [[ -z $ca_hash || -z $hash || $hash == "$ca_hash" ]] || fail "etcd data of another cluster (CA $hash) in $SERVER/db/etcd"
  log 'continuing with the etcd data on this disk'
else
  configure
fi

started=$(now)
systemctl enable k3s.service >&2
if [[ $changed == true && $(unit_state) != inactive ]]; then
  log 'restarting k3s with another configuration'
  systemctl restart --no-block k3s.service
else
  log "starting k3s ($mode${peer:+ through $peer})"
  systemctl start --no-block k3s.service
fi

while ! in_service; do
  journal=$(journalctl --unit=k3s.service --no-pager --output=cat --lines=500 "--since=@$started") || journal=''
  if reason=$(grep -E -m 1 "$PERMANENT|(hash|password) for node '?$INSTANCE_ID" <<<"$journal"); then
    # Left running it would go on trying, and might join long after it was given up.
    systemctl disable k3s.service >&2
    systemctl stop --no-block k3s.service
    reason="K3s cannot $mode: ${reason:0:500}"
    # Without etcd data this machine never was a member, and a removed one is none any more: the mark gets it replaced.
    # Any other with data may be a voter, about which only the cluster decides.
    if [[ ! -d $SERVER/db/etcd/member/wal ]] || grep -qE "$REMOVED" <<<"$reason"; then
      printf '%s\n' "$reason" >"$STATE/failed"
    fi
    fail "$reason"
  fi
  if (($(now) - started >= WAIT)); then
    last=${journal##*$'\n'}
    again "not Ready and a voter after $WAIT s, k3s is $(unit_state); it said last: ${last:0:500}"
  fi
  sleep 1
done
log 'Ready and a voter'
succeed
