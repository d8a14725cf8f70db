#!/bin/bash
# node command: ApplyManifests
# Applies the cluster's manifests, one file in S3 whose checksum the caller knows. Server-side apply, so that running it
# again changes nothing and a field that somebody else took over is taken back.
source lib/common.sh

uri=${SSM_manifestsUri:?}
sha256=${SSM_manifestsSha256:?}
require_ready

file=$STATE/manifests.yaml
errors=$STATE/errors
trap 'rm -f "$file" "$errors"' EXIT

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

log 'applying'
if ! output=$("$K3S" kubectl --request-timeout=60s apply --server-side --force-conflicts "--filename=$file" 2>"$errors"); then
  log "$(<"$errors")"
  # A kind without a definition: K3s installs its own (HelmChartConfig, Traefik's) some time after it is Ready.
  if grep -E -q 'no matches for kind|onnection refused|timed? ?out|deadline exceeded|etcdserver|ServiceUnavailable|TooManyRequests|InternalError|currently unable to handle|not ready' "$errors"; then
    again 'the API server does not take the manifests yet'
  fi
  fail 'the API server refuses the manifests'
fi
log "$output"
printf '{"applied":%d}\n' "$(grep -c . <<<"$output")"
