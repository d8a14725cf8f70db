#!/bin/bash
# node command: RemoveMember
# Removes a server that is gone, through this healthy one: its Node and its etcd member, whichever exist. Safe to run
# again. Deleting the Node makes a K3s controller remove the member (etcd.RemovePeer in k3s pkg/etcd), so no etcdctl.
# The member list is the truth: the Node may vanish without its member, and the member without its Node.
source lib/common.sh
source lib/etcd.sh

WAIT=60       # seconds for the removal
STILL_READY=60 # seconds that a dead server's Node may still say Ready; measured: 37 to 43

name=${SSM_nodeName:?} address=${SSM_address:-}
require_ready
[[ $name != "$INSTANCE_ID" ]] || fail 'a server does not remove itself: K3s would need its own etcd to do it'

# Sets owner and owner_ready: the other Node that names this member as its own; both empty when there is none.
find_owner() {
  local candidate condition _ annotated
  owner='' owner_ready=''
  [[ -n $1 ]] || return 0
  while read -r candidate condition _ _ _ _ annotated; do
    if [[ $annotated == "$1" && $candidate != "$name" ]]; then owner=$candidate owner_ready=$condition; fi
  done <<<"$nodes"
}

# Whether the address may tell whose member this is: VPC addresses are used again, so not when its name, or a Node, says
# that it is another server's.
is_anonymous() { [[ -z $owner && ! $member_name =~ ^i-[0-9a-f]{8,17}- ]]; }

# Sets found, and member_name and member_address of the member that is this server's, by name or else by address.
find_member() {
  local list object nodes owner owner_ready
  found=false
  list=$(members) || again "etcd on $INSTANCE_ID is not healthy: removing a member needs a quorum"
  nodes=$(kubectl get nodes --no-headers "--output=custom-columns=$NODE_COLUMNS") || again 'the API server does not answer'
  while IFS= read -r object; do
    [[ $object =~ \"peerURLs\":\[\"https?://([0-9.]+): ]] || continue
    member_address=${BASH_REMATCH[1]} member_name=
    if [[ $object =~ \"name\":\"([^\"]*)\" ]]; then member_name=${BASH_REMATCH[1]}; fi
    find_owner "$member_name"
    if [[ ($member != '<none>' && -n $member && $member_name == "$member") || $member_name == "$name"-* ]] ||
      { [[ $member_address == "$address" ]] && is_anonymous; }; then
      [[ $owner_ready != True ]] || fail "the member $member_name of $name is the one of the Node $owner, which is Ready"
      found=true
      return
    fi
  done <<<"${list//\}/$'\n'}"
}

# Sets exists, ready, deleting, member and, unless it was given, address.
find_node() {
  local row _ internal peer
  row=$(node "$name") || again 'the API server does not answer'
  exists=true ready='<none>' deleting='<none>' member='<none>'
  if [[ -z $row ]]; then
    exists=false
    return
  fi
  read -r _ ready _ deleting internal peer member <<<"$row"
  if [[ $internal == '<none>' ]]; then internal=$peer; fi
  if [[ -z $address && $internal != '<none>' ]]; then address=$internal; fi
}

# A member without a Node: a Node that says what K3s notes on a server's Node gets the controller's finalizer, and
# deleting it removes the member (measured on v1.21). Nothing is ever scheduled there.
create_node() {
  local file=$STATE/departed-node.yaml
  printf '%s\n' 'apiVersion: v1' 'kind: Node' 'metadata:' "  name: $name" '  labels:' \
    '    node-role.kubernetes.io/etcd: "true"' '  annotations:' "    etcd.k3s.cattle.io/node-name: \"$member_name\"" \
    "    etcd.k3s.cattle.io/node-address: \"$member_address\"" 'spec:' '  unschedulable: true' >"$file"
  kubectl create "--filename=$file" >&2 || log "cannot create the Node $name"
  rm -f "$file"
}

delete_node() { kubectl delete node "$name" --ignore-not-found --wait=false >&2 || log "cannot delete the Node $name"; }
clear_finalizers() {
  kubectl patch node "$name" --type=merge '--patch={"metadata":{"finalizers":null}}' >&2 ||
    log "cannot clear the finalizers of the Node $name"
}

started=$(now)
find_node
while [[ $exists == true && $ready == True && $deleting == '<none>' ]]; do
  (($(now) - started < STILL_READY)) || fail "the Node $name stays Ready: its server may be alive"
  log "the Node $name still says Ready"
  sleep 5
  find_node
done

started=$(now)
while true; do
  find_member
  if [[ $exists == false && $found == false ]]; then break; fi
  (($(now) - started < WAIT)) || again "the Node or the member of $name is still there after $WAIT s"
  if [[ $exists == false ]]; then
    log "creating a Node for the member ${member_name:-without a name} at $member_address"
    create_node
  elif [[ $deleting == '<none>' ]]; then
    log "deleting the Node $name"
    delete_node
  elif [[ $found == false || $member == '<none>' ]]; then
    # The member is gone, or this Node can never remove it because it does not name it.
    log "clearing what holds the Node $name"
    clear_finalizers
  fi
  sleep 2
  find_node
done
log "$name is removed"
printf '{"removed":true}\n'
