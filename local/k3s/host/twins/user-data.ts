import { createHash } from 'node:crypto';
import { STATE } from './common';
import { Exit, type Shell, type Twin } from './shell';

const IMDS = 'http://169.254.169.254/latest';
const QUIET = ['--silent', '--show-error', '--fail'];

async function retry(shell: Shell, what: string, attempt: () => Promise<boolean>): Promise<void> {
  for (let count = 1; count <= 5; count++) {
    if (await attempt()) return;
    shell.log(`k3s-ha: ${what}: attempt ${count} failed`);
    if (count < 5) await shell.must('sleep', '10');
  }
  shell.fail(`${what} failed 5 times`);
}

async function fetch(shell: Shell, url: string, file: string): Promise<boolean> {
  const bounds = ['--location', '--connect-timeout', '10', '--max-time', '300', '--output', file];
  return (await shell.run('curl', ...QUIET, ...bounds, url)).exitCode === 0;
}

async function metadata(shell: Shell, path: string): Promise<string | undefined> {
  const put = ['--request', 'PUT', '--header', 'X-aws-ec2-metadata-token-ttl-seconds: 60', `${IMDS}/api/token`];
  const token = await shell.run('curl', ...QUIET, '--max-time', '5', ...put);
  if (token.exitCode !== 0) return undefined;
  const get = ['--header', `X-aws-ec2-metadata-token: ${token.stdout}`, `${IMDS}/meta-data/${path}`];
  const answer = await shell.run('curl', ...QUIET, '--max-time', '5', ...get);
  return answer.exitCode === 0 ? answer.stdout : undefined;
}

async function installK3s(shell: Shell, version: string, pinned: string): Promise<void> {
  const machine = (await shell.must('uname', '-m')).trim();
  const arch = { x86_64: 'amd64', aarch64: 'arm64' }[machine] ?? shell.fail(`K3s is not installed on ${machine}`);
  const asset = arch === 'amd64' ? 'k3s' : 'k3s-arm64';
  const release = `https://github.com/k3s-io/k3s/releases/download/${version.replaceAll('+', '%2B')}`;
  let checksum = pinned;
  if (pinned) shell.log('k3s-ha: verifying K3s against the pinned checksum');
  else {
    shell.log("k3s-ha: verifying K3s against its release's own checksum file, no checksum is pinned");
    const file = `${STATE}/sha256sum.txt`;
    await retry(shell, 'downloading the checksums', () => fetch(shell, `${release}/sha256sum-${arch}.txt`, file));
    const lines = (shell.files.read(file) ?? '').split('\n').map((line) => line.split(/\s+/));
    checksum = lines.find(([, name]) => name === asset)?.[0] ?? '';
    shell.files.remove(file);
    if (!/^[0-9a-f]{64}$/.test(checksum)) shell.fail(`the release's checksum file does not name ${asset}`);
  }
  const download = '/usr/local/bin/k3s.new';
  await retry(shell, 'downloading K3s', () => fetch(shell, `${release}/${asset}`, download));
  const binary = shell.files.read(download) ?? '';
  shell.files.remove(download);
  const actual = createHash('sha256').update(binary).digest('hex');
  if (actual !== checksum) shell.fail(`the checksum of K3s ${version} is ${actual}, expected ${checksum}`);
  shell.files.write('/usr/local/bin/k3s', binary, 0o755);
}

/** nodes/user-data.sh as it was rendered: `settings` are the variables at its top. */
export function userData(settings: Record<string, string>): Twin {
  return async (shell) => {
    const { files } = shell;
    const setting = (name: string) => settings[name] ?? shell.fail(`${name}: unbound variable`);
    try {
      files.remove(`${STATE}/ready`);
      files.remove(`${STATE}/failed`);
      const identity: Record<string, string> = {};
      await retry(shell, 'reading the instance metadata', async () => {
        for (const [name, path] of [
          ['INSTANCE_ID', 'instance-id'],
          ['PRIVATE_IP', 'local-ipv4'],
          ['AVAILABILITY_ZONE', 'placement/availability-zone'],
        ] as const) {
          const value = await metadata(shell, path);
          if (value === undefined) return false;
          identity[name] = value;
        }
        return true;
      });
      const { INSTANCE_ID, PRIVATE_IP, AVAILABILITY_ZONE } = identity;
      const region = setting('REGION');
      const names = ['CLUSTER', 'REGION', 'TOKEN_SECRET', 'TLS_SAN', 'K3S_VERSION'];
      const environment = { ...Object.fromEntries(names.map((name) => [name, setting(name)])), ...identity };
      const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
      files.write('/etc/k3s-ha/node.env', assignments.join(''));

      const sysctl = '/etc/sysctl.d/90-k3s.conf';
      files.write(sysctl, SYSCTL);
      const { exitCode } = await shell.run('sysctl', '--quiet', `--load=${sysctl}`);
      if (exitCode !== 0) shell.fail('cannot set the kernel parameters');
      const config = [
        `node-name: ${INSTANCE_ID}`,
        `node-ip: ${PRIVATE_IP}`,
        'node-label:',
        `  - topology.kubernetes.io/region=${region}`,
        `  - topology.kubernetes.io/zone=${AVAILABILITY_ZONE}`,
        'tls-san:',
        `  - ${setting('TLS_SAN')}`,
        'secrets-encryption: true',
        'protect-kernel-defaults: true',
        'write-kubeconfig-mode: "0600"',
        'service-node-port-range: 32000-32767',
        COMPONENTS,
      ];
      files.write('/etc/rancher/k3s/config.yaml', config.join('\n'), 0o600);
      files.write('/etc/rancher/k3s/admission.yaml', ADMISSION, 0o600);
      files.write('/etc/rancher/k3s/audit.yaml', AUDIT, 0o600);
      writeProvider(shell, setting('REGISTRY'), region);
      files.write('/etc/systemd/system/k3s.service', UNIT);
      await installK3s(shell, setting('K3S_VERSION'), setting('K3S_SHA256'));
      await shell.must('systemctl', 'daemon-reload');
      files.write(`${STATE}/ready`, `${setting('K3S_VERSION')}\n`);
      return '';
    } catch (error) {
      if (error instanceof Exit)
        files.write(`${STATE}/failed`, `user data failed: ${error.message.replace(/^error: /, '')}\n`);
      throw error;
    }
  };
}

/** What lets the kubelet log in to the cluster's own registry. */
function writeProvider({ files }: Shell, registry: string, region: string): void {
  if (!registry) return;
  const directory = '/var/lib/rancher/credentialprovider';
  const head = '"apiVersion":"credentialprovider.kubelet.k8s.io/v1","kind":"CredentialProviderResponse"';
  const cache = '"cacheKeyType":"Registry","cacheDuration":"6h0m0s"';
  const response = `{${head},${cache},"auth":{"${registry}":{"username":"AWS","password":"%s"}}}`;
  const script = [
    '#!/bin/bash',
    'set -euo pipefail',
    `password=$(aws ecr get-login-password --region ${region})`,
    `printf '${response}\\n' "$password"`,
    '',
  ];
  files.write(`${directory}/bin/ecr-login`, script.join('\n'), 0o755);
  const config = [
    'apiVersion: kubelet.config.k8s.io/v1',
    'kind: CredentialProviderConfig',
    'providers:',
    '  - name: ecr-login',
    '    apiVersion: credentialprovider.kubelet.k8s.io/v1',
    '    matchImages:',
    `      - ${registry}`,
    '    defaultCacheDuration: 6h',
    '',
  ];
  files.write(`${directory}/config.yaml`, config.join('\n'));
}

const COMPONENTS = `kube-apiserver-arg:
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
`;

const ADMISSION = `apiVersion: apiserver.config.k8s.io/v1
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
`;

const AUDIT = `apiVersion: audit.k8s.io/v1
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
`;

const SYSCTL = `vm.panic_on_oom = 0
vm.overcommit_memory = 1
kernel.panic = 10
kernel.panic_on_oops = 1
kernel.keys.root_maxkeys = 1000000
kernel.keys.root_maxbytes = 25000000
`;

const UNIT = `[Unit]
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
`;
