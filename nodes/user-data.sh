#!/bin/bash
# User data of a server: prepares Amazon Linux 2023 for K3s and installs it, but neither enables nor starts it, so that a
# reboot before the machine was told to init or join can never start a new cluster. cloud-init runs it as root, once per
# instance (https://docs.aws.amazon.com/linux/al2023/ug/cloud-init.html); its output goes to the console log.
# The last thing it does is to write a marker; the node commands wait for it. If it fails it says why in another one.
#
# @…@ is filled in when the launch template is rendered (nodes/render.ts).
set -euo pipefail

CLUSTER='@CLUSTER@'
REGION='@REGION@'
TOKEN_SECRET='@TOKEN_SECRET@'
REGISTRY='@REGISTRY@'
TLS_SAN='@TLS_SAN@'
K3S_VERSION='@K3S_VERSION@'
K3S_SHA256='@K3S_SHA256@'

ROOT=${NODE_ROOT:-}
STATE=$ROOT/var/lib/k3s-ha
BIN=$ROOT/usr/local/bin
CREDENTIALS=$ROOT/var/lib/rancher/credentialprovider
IMDS=http://169.254.169.254/latest
reason='unexpected end, see the console log'

log() { printf 'k3s-ha: %s\n' "$*" >&2; }
fail() {
  reason=$*
  exit 1
}
finish() {
  local code=$?
  if ((code != 0)); then
    log "failed: $reason"
    mkdir -p "$STATE"
    printf 'user data failed: %s\n' "$reason" >"$STATE/failed"
  fi
}
trap finish EXIT

# retry <what> <command…>: five attempts, ten seconds apart.
retry() {
  local what=$1 attempt
  shift
  for attempt in 1 2 3 4 5; do
    if "$@"; then return; fi
    log "$what: attempt $attempt failed"
    if ((attempt < 5)); then sleep 10; fi
  done
  fail "$what failed $attempt times"
}

fetch() { curl --silent --show-error --fail --location --connect-timeout 10 --max-time 300 --output "$2" "$1"; }

# IMDSv2: nothing without a token (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html).
metadata() {
  local token
  token=$(curl --silent --show-error --fail --max-time 5 --request PUT \
    --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$IMDS/api/token") || return 1
  curl --silent --show-error --fail --max-time 5 --header "X-aws-ec2-metadata-token: $token" "$IMDS/meta-data/$1"
}
identify() {
  INSTANCE_ID=$(metadata instance-id) || return 1
  PRIVATE_IP=$(metadata local-ipv4) || return 1
  AVAILABILITY_ZONE=$(metadata placement/availability-zone) || return 1
}

# put <mode> <path>: writes stdin.
put() {
  mkdir -p "${2%/*}"
  cat >"$2"
  chmod "$1" "$2"
}

# The release's own checksum file proves that the download is intact, not that it is the binary somebody reviewed: that
# takes a pinned K3S_SHA256.
expected_checksum() {
  local file=$STATE/sha256sum.txt sum name
  if [[ -n $K3S_SHA256 ]]; then
    log 'verifying K3s against the pinned checksum'
    checksum=$K3S_SHA256
    return
  fi
  log "verifying K3s against its release's own checksum file, no checksum is pinned"
  retry 'downloading the checksums' fetch "$release/sha256sum-$arch.txt" "$file"
  checksum=
  while read -r sum name; do
    if [[ $name == "$asset" ]]; then checksum=$sum; fi
  done <"$file"
  rm -f "$file"
  [[ $checksum =~ ^[0-9a-f]{64}$ ]] || fail "the release's checksum file does not name $asset"
}

install_k3s() {
  local arch asset=k3s release checksum actual link
  case $(uname -m) in
    x86_64) arch=amd64 ;;
    aarch64) arch=arm64 asset=k3s-arm64 ;;
    *) fail "K3s is not installed on $(uname -m)" ;;
  esac
  release=https://github.com/k3s-io/k3s/releases/download/${K3S_VERSION//+/%2B}
  expected_checksum
  mkdir -p "$BIN"
  retry 'downloading K3s' fetch "$release/$asset" "$BIN/k3s.new"
  actual=$(sha256sum "$BIN/k3s.new")
  if [[ ${actual%% *} != "$checksum" ]]; then
    rm -f "$BIN/k3s.new"
    fail "the checksum of K3s $K3S_VERSION is ${actual%% *}, expected $checksum"
  fi
  chmod 755 "$BIN/k3s.new"
  mv -f "$BIN/k3s.new" "$BIN/k3s"
  for link in kubectl crictl ctr; do ln -sf k3s "$BIN/$link"; done
}

mkdir -p "$STATE"
rm -f "$STATE/ready" "$STATE/failed"
retry 'reading the instance metadata' identify
log "preparing $INSTANCE_ID ($PRIVATE_IP, $AVAILABILITY_ZONE) for the cluster $CLUSTER"

put 644 "$ROOT/etc/k3s-ha/node.env" <<END
CLUSTER=$CLUSTER
REGION=$REGION
TOKEN_SECRET=$TOKEN_SECRET
TLS_SAN=$TLS_SAN
K3S_VERSION=$K3S_VERSION
INSTANCE_ID=$INSTANCE_ID
PRIVATE_IP=$PRIVATE_IP
AVAILABILITY_ZONE=$AVAILABILITY_ZONE
END

# What protect-kernel-defaults makes the kubelet insist on (https://docs.k3s.io/security/hardening-guide).
put 644 "$ROOT/etc/sysctl.d/90-k3s.conf" <<'END'
vm.panic_on_oom = 0
vm.overcommit_memory = 1
kernel.panic = 10
kernel.panic_on_oops = 1
kernel.keys.root_maxkeys = 1000000
kernel.keys.root_maxbytes = 25000000
END
sysctl --quiet "--load=$ROOT/etc/sysctl.d/90-k3s.conf" || fail 'cannot set the kernel parameters'

# The settings that never change. The node's name is its instance id: a replacement never meets a stale Node or its
# password. Tolerations make pods leave a dead node after 30 s instead of 300 s. The health check's NodePort is the first of
# the range: Kubernetes never gives the first ones to a service that names none, such as Traefik's, which is there earlier
# (https://kubernetes.io/docs/concepts/services-networking/service/#avoid-nodeport-collisions). The rest is K3s' hardening
# guide (https://docs.k3s.io/security/hardening-guide); docs/security.md goes through it.
put 600 "$ROOT/etc/rancher/k3s/config.yaml" <<END
node-name: $INSTANCE_ID
node-ip: $PRIVATE_IP
node-label:
  - topology.kubernetes.io/region=$REGION
  - topology.kubernetes.io/zone=$AVAILABILITY_ZONE
tls-san:
  - $TLS_SAN
secrets-encryption: true
protect-kernel-defaults: true
write-kubeconfig-mode: "0600"
service-node-port-range: 32000-32767
kube-apiserver-arg:
  - default-not-ready-toleration-seconds=30
  - default-unreachable-toleration-seconds=30
  - enable-admission-plugins=NodeRestriction,EventRateLimit
  - admission-control-config-file=/etc/rancher/k3s/admission.yaml
  - audit-policy-file=/etc/rancher/k3s/audit.yaml
  - audit-log-path=/var/log/k3s/audit.log
  - audit-log-maxage=30
  - audit-log-maxbackup=10
  - audit-log-maxsize=100
  - service-account-extend-token-expiration=false
kube-controller-manager-arg:
  - terminated-pod-gc-threshold=100
kubelet-arg:
  - streaming-connection-idle-timeout=5m
  - pod-max-pids=4096
  - tls-cipher-suites=TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305,TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305
END

# New namespaces refuse pods that could take over the node; whoever wants more, or less, labels the namespace.
put 600 "$ROOT/etc/rancher/k3s/admission.yaml" <<'END'
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: PodSecurity
    configuration:
      apiVersion: pod-security.admission.config.k8s.io/v1
      kind: PodSecurityConfiguration
      defaults:
        enforce: baseline
        enforce-version: latest
        audit: restricted
        audit-version: latest
        warn: restricted
        warn-version: latest
      exemptions:
        usernames: []
        runtimeClasses: []
        namespaces: [kube-system]
  - name: EventRateLimit
    configuration:
      apiVersion: eventratelimit.admission.k8s.io/v1alpha1
      kind: Configuration
      limits:
        - type: Server
          qps: 5000
          burst: 20000
END

# Who asked for what, never what was in it: of a secret the name. What asks all the time and changes nothing is left out.
put 600 "$ROOT/etc/rancher/k3s/audit.yaml" <<'END'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    nonResourceURLs: [/healthz*, /livez*, /readyz*, /version]
  - level: None
    resources:
      - group: coordination.k8s.io
        resources: [leases]
      - resources: [events]
      - group: events.k8s.io
        resources: [events]
  - level: Metadata
END
mkdir -p "$ROOT/var/log/k3s"
chmod 700 "$ROOT/var/log/k3s"

# The kubelet asks it for a login whenever it pulls from the registry, and keeps the answer for six of the token's twelve
# hours. K3s tells the kubelet of these two places when they exist (ImageCredProvAvailable in k3s pkg/daemons/agent). The
# password goes through pipes only: printf is no process.
# https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/
if [[ -n $REGISTRY ]]; then
  put 755 "$CREDENTIALS/bin/ecr-login" <<END
#!/bin/bash
set -euo pipefail
password=\$(aws ecr get-login-password --region $REGION)
printf '{"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderResponse","cacheKeyType":"Registry","cacheDuration":"6h0m0s","auth":{"$REGISTRY":{"username":"AWS","password":"%s"}}}\n' "\$password"
END
  put 644 "$CREDENTIALS/config.yaml" <<END
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
  - name: ecr-login
    apiVersion: credentialprovider.kubelet.k8s.io/v1
    matchImages:
      - $REGISTRY
    defaultCacheDuration: 6h
END
fi

# As K3s' own installer writes it (https://github.com/k3s-io/k3s/blob/master/install.sh).
put 644 "$ROOT/etc/systemd/system/k3s.service" <<'END'
[Unit]
Description=Lightweight Kubernetes
Documentation=https://k3s.io
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
KillMode=process
Delegate=yes
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/k3s server

[Install]
WantedBy=multi-user.target
END

install_k3s
systemctl daemon-reload
printf '%s\n' "$K3S_VERSION" | put 644 "$STATE/ready"
log 'ready for a node command'
