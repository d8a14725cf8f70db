#!/bin/bash
# node command: ReportStatus
# What this server says of itself and of the cluster. Changes nothing, answers within seconds, and succeeds when K3s is
# down: what cannot be known is null.
source lib/common.sh
source lib/etcd.sh

json_string() { if [[ -z $1 || $1 == '<none>' ]]; then printf 'null'; else printf '"%s"' "$1"; fi; }

# report_without_k3s <state> <why>: that K3s does not run is a report, not the lack of one.
report_without_k3s() {
  log "$2"
  printf '{"k3s":"%s","etcdHealthy":null,"apiReady":false,"dbInfo":null,"nodes":null,"caHash":null,"k3sVersion":null}\n' "$1"
  exit 0
}

# User data or StartServer has failed for good: K3s will never run here.
if [[ -f $STATE/failed ]]; then report_without_k3s failed "$(<"$STATE/failed")"; fi
# It never will either when the machine went down in the middle of its user data: cloud-init does not run it again. From
# here that looks like user data that takes its time; the caller knows since when this machine exists.
if [[ ! -f $STATE/ready ]]; then report_without_k3s preparing 'user data has not finished'; fi

state=$(unit_state)
etcd=$(etcd_health)
members=$(members) || members=null

api=false nodes=null
if rows=$(kubectl get nodes --no-headers "--output=custom-columns=$NODE_COLUMNS" 2>/dev/null); then
  api=true nodes=
  while read -r name ready voter deleting address peer member; do
    [[ -n $name ]] || continue
    case $ready in True | False) ;; *) ready=Unknown ;; esac
    if [[ $voter == True ]]; then voter=true; else voter=false; fi
    if [[ $deleting == '<none>' ]]; then deleting=false; else deleting=true; fi
    if [[ $address == '<none>' ]]; then address=$peer; fi
    printf -v row '{"name":"%s","ready":"%s","voter":%s,"deleting":%s,"member":%s,"address":%s}' \
      "$name" "$ready" "$voter" "$deleting" "$(json_string "$member")" "$(json_string "$address")"
    nodes+="${nodes:+,}$row"
  done <<<"$rows"
  nodes="[$nodes]"
fi

version=$(k3s_version) || version=''
printf '{"k3s":"%s","etcdHealthy":%s,"apiReady":%s,"dbInfo":%s,"nodes":%s,"caHash":%s,"k3sVersion":%s}\n' \
  "$state" "$etcd" "$api" "$members" "$nodes" "$(json_string "$(ca_hash)")" "$(json_string "$version")"
