#!/bin/bash
# node command: ApplyManifests
# Applies the cluster's manifests, one file in S3 whose checksum the caller knows, and deletes what earlier files brought
# and this one does not. Server-side apply, so that running it again changes nothing and a field that somebody else took
# over is taken back.
#
# The cluster keeps a list of what it was given: the file's first object. What is to go is noted in an annotation of it
# before the new list is applied, so that a run that is cut short is finished by the next one.
#
# It ends when Traefik takes connections on every server. The load balancer cannot tell: its health check asks the echo
# service, and K3s installs Traefik anew when its values change.
source lib/common.sh

WAIT=60 # seconds; the workflow sends the command again after exit 75

uri=${SSM_manifestsUri:?}
sha256=${SSM_manifestsSha256:?} repository=${SSM_echoRepository:-}
require_ready

# Both names are also in infra/manifests/delivery.ts.
INVENTORY=(configmap k3s-ha-aws-manifests --namespace=kube-system)
MARK=k3s-ha-aws/manifests
NOTE=k3s-ha-aws/to-delete

file=$STATE/manifests.yaml
errors=$STATE/errors
trap 'rm -f "$file" "$errors"' EXIT

ask() { "$K3S" kubectl --request-timeout=60s "$@" 2>"$errors"; }

# Called after a question that failed. A kind without a definition: K3s and charts install theirs some time after it is Ready;
# then a chart's webhook is asked before its pods run (InternalError).
give_up() {
  log "$(<"$errors")"
  if grep -E -q 'no matches for kind|onnection refused|was refused|nable to connect|timed? ?out|deadline exceeded|etcdserver|ServiceUnavailable|TooManyRequests|InternalError|currently unable to handle|not ready' "$errors"; then
    again "$1"
  fi
  fail "$1"
}

log "downloading $uri"
if ! aws s3 cp "$uri" "$file" --region "$REGION" --only-show-errors 2>"$errors"; then
  log "$(<"$errors")"
  case $(<"$errors") in
    *'(403)'* | *'(404)'* | *AccessDenied* | *NoSuchKey* | *NoSuchBucket*) fail "cannot read $uri" ;;
    *) again "cannot read $uri" ;;
  esac
fi
actual=$(sha256sum "$file")
[[ ${actual%% *} == "$sha256" ]] || fail "the checksum of $uri is ${actual%% *}, expected $sha256"

# The manifests are written before it is known which account they are for, and so in which repository an image is.
if [[ -n $repository ]]; then
  content=$(<"$file")
  printf '%s\n' "${content//repository.invalid\/tcpecho:/"$repository":}" >"$file"
fi

# One object a line, "Deployment.apps nginx-demo nginx-demo"; the namespace is "-" where there is none.
wanted=$(sed -n 's/^# object: //p' "$file")
format='jsonpath={.data.objects}{"\n"}{.metadata.annotations.'"$NOTE}"
known=$(ask get "${INVENTORY[@]}" --ignore-not-found "--output=$format") ||
  give_up 'the API server does not tell what it was given'
gone=$(tr , '\n' <<<"$known" | grep -v -x -F "$wanted" | grep . | LC_ALL=C sort -u) || true

if [[ -n $gone ]]; then
  ask annotate "${INVENTORY[@]}" --overwrite "$NOTE=${gone//$'\n'/,}" >/dev/null ||
    give_up 'the API server does not note what is to be deleted'
fi

log 'applying'
output=$(ask apply --server-side --force-conflicts "--filename=$file") ||
  give_up 'the API server does not take the manifests'
log "$output"

# What carries no mark is not ours any more: somebody took it over.
pruned=0
while read -r kind namespace name; do
  [[ -n $kind ]] || continue
  log "deleting $kind $name"
  where=()
  [[ $namespace == - ]] || where=("--namespace=$namespace")
  if deleted=$(ask delete "$kind" "${where[@]}" "--selector=$MARK" "--field-selector=metadata.name=$name" --wait=false); then
    if [[ $deleted == *' deleted'* ]]; then pruned=$((pruned + 1)); fi
    log "$deleted"
  elif grep -q "doesn't have a resource type" "$errors"; then
    log "there is no kind $kind any more"
  else
    give_up "the API server does not delete $kind $name"
  fi
done <<<"$gone"
if [[ -n $gone ]]; then
  ask annotate "${INVENTORY[@]}" "$NOTE-" >/dev/null || give_up 'the API server does not note what was deleted'
fi

applied=$(grep -c . <<<"$output") || true
started=$(now)
while true; do
  # "3/3": ready, wanted. Nothing while the DaemonSet is still to be made.
  pods=$(ask get daemonset traefik --namespace=kube-system --ignore-not-found \
    '--output=jsonpath={.status.numberReady}/{.status.desiredNumberScheduled}') || give_up 'the API server does not tell of Traefik'
  [[ ! $pods =~ ^([1-9][0-9]*)/([0-9]+)$ || ${BASH_REMATCH[1]} != "${BASH_REMATCH[2]}" ]] || break
  (($(now) - started < WAIT)) || again "Traefik is not ready on every server after $WAIT s: ${pods:-not installed yet}"
  sleep 2
done
printf '{"applied":%d,"pruned":%d}\n' "$applied" "$pruned"
