/**
 * K3s' configuration as a server reads it: `config.yaml`, then `config.yaml.d/*.yaml` in alphabetical order, then the
 * command line; keys are flag names, a later value replaces an earlier one, `key+` appends
 * (https://docs.k3s.io/installation/configuration#configuration-file).
 */
import { parse } from 'yaml';
import { z } from 'zod';
import type { Files } from './command';
import { ComponentError, checkComponents } from './components';
import { DEFAULT_NODE_PORTS, type PortRange, parsePortRange } from './node-ports';
import type { PodSecurityDefaults } from './pod-security';

export const CONFIG = '/etc/rancher/k3s/config.yaml';

/** What stops K3s with a message of its own. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

type Kind = 'string' | 'boolean' | 'list';

/**
 * The flags of `k3s server` (k3s pkg/cli/cmds/server.go, log.go, agent.go). The first group changes what the model does;
 * the others are accepted because they do not matter to it. Flags that would change the model's behaviour but are not
 * modelled are in UNMODELLED.
 */
const FLAGS = new Map<string, Kind>([
  ['agent-token', 'string'],
  ['agent-token-file', 'string'],
  ['cluster-cidr', 'list'],
  ['cluster-dns', 'list'],
  ['cluster-domain', 'string'],
  ['cluster-init', 'boolean'],
  ['cluster-reset', 'boolean'],
  ['cluster-reset-restore-path', 'string'],
  ['disable', 'list'],
  ['disable-cloud-controller', 'boolean'],
  ['disable-helm-controller', 'boolean'],
  ['disable-kube-proxy', 'boolean'],
  ['disable-network-policy', 'boolean'],
  ['egress-selector-mode', 'string'],
  ['embedded-registry', 'boolean'],
  ['flannel-backend', 'string'],
  ['flannel-external-ip', 'boolean'],
  ['flannel-ipv6-masq', 'boolean'],
  ['kube-apiserver-arg', 'list'],
  ['node-ip', 'list'],
  ['node-label', 'list'],
  ['node-name', 'string'],
  ['node-taint', 'list'],
  ['secrets-encryption', 'boolean'],
  ['server', 'string'],
  ['service-cidr', 'list'],
  ['service-node-port-range', 'string'],
  ['tls-san', 'list'],
  ['token', 'string'],
  ['token-file', 'string'],
  ['write-kubeconfig-mode', 'string'],

  ['advertise-address', 'string'],
  ['advertise-port', 'string'],
  ['alsologtostderr', 'boolean'],
  ['debug', 'boolean'],
  ['default-local-storage-path', 'string'],
  ['disable-default-registry-endpoint', 'boolean'],
  ['enable-pprof', 'boolean'],
  ['etcd-arg', 'list'],
  ['etcd-disable-snapshots', 'boolean'],
  ['etcd-expose-metrics', 'boolean'],
  ['etcd-snapshot-compress', 'boolean'],
  ['etcd-snapshot-name', 'string'],
  ['etcd-snapshot-retention', 'string'],
  ['etcd-snapshot-schedule-cron', 'string'],
  ['flannel-cni-conf', 'string'],
  ['flannel-conf', 'string'],
  ['flannel-iface', 'string'],
  ['image-credential-provider-bin-dir', 'string'],
  ['image-credential-provider-config', 'string'],
  ['image-service-endpoint', 'string'],
  ['kube-cloud-controller-manager-arg', 'list'],
  ['kube-controller-manager-arg', 'list'],
  ['kube-proxy-arg', 'list'],
  ['kube-scheduler-arg', 'list'],
  ['kubelet-arg', 'list'],
  ['log', 'string'],
  ['node-external-ip', 'list'],
  ['pause-image', 'string'],
  ['prefer-bundled-bin', 'boolean'],
  ['private-registry', 'string'],
  ['protect-kernel-defaults', 'boolean'],
  ['resolv-conf', 'string'],
  ['selinux', 'boolean'],
  ['servicelb-namespace', 'string'],
  ['snapshotter', 'string'],
  ['supervisor-metrics', 'boolean'],
  ['system-default-registry', 'string'],
  ['tls-san-security', 'boolean'],
  ['v', 'string'],
  ['vmodule', 'string'],
  ['write-kubeconfig-group', 'string'],
]);

/** Real flags whose effect the model does not have: refusing them by name is better than ignoring them. */
const UNMODELLED = new Set([
  'airgap-extra-registry',
  'bind-address',
  'container-runtime-endpoint',
  'data-dir',
  'datastore-cafile',
  'datastore-certfile',
  'datastore-endpoint',
  'datastore-keyfile',
  'default-runtime',
  'disable-agent',
  'disable-apiserver',
  'disable-controller-manager',
  'disable-etcd',
  'disable-scheduler',
  'docker',
  'etcd-s3',
  'etcd-s3-access-key',
  'etcd-s3-bucket',
  'etcd-s3-bucket-lookup-type',
  'etcd-s3-config-secret',
  'etcd-s3-endpoint',
  'etcd-s3-endpoint-ca',
  'etcd-s3-folder',
  'etcd-s3-insecure',
  'etcd-s3-proxy',
  'etcd-s3-region',
  'etcd-s3-retention',
  'etcd-s3-secret-key',
  'etcd-s3-session-token',
  'etcd-s3-skip-ssl-verify',
  'etcd-s3-timeout',
  'etcd-snapshot-dir',
  'helm-job-image',
  'https-listen-port',
  'kine-tls',
  'lb-server-port',
  'rootless',
  'vpn-auth',
  'vpn-auth-file',
  'with-node-id',
  'write-kubeconfig',
]);

/** What `--disable` takes (https://docs.k3s.io/installation/packaged-components). */
export const PACKAGED = ['coredns', 'servicelb', 'traefik', 'local-storage', 'metrics-server', 'runtimes'] as const;

export interface ServerConfig {
  clusterInit: boolean;
  clusterReset: boolean;
  restorePath: string | undefined;
  /** The URL of `server:`. */
  server: string | undefined;
  token: string | undefined;
  nodeName: string | undefined;
  nodeIp: string | undefined;
  labels: Record<string, string>;
  tlsSan: string[];
  kubeconfigMode: number;
  disable: string[];
  /** Seconds a pod without tolerations of its own stays on a node that is gone. */
  tolerationSeconds: number;
  /** Of namespaces that say nothing themselves. */
  podSecurity: PodSecurityDefaults;
  nodePorts: PortRange;
  /** What must be equal on all servers, by flag name. */
  critical: Record<string, string>;
}

type Values = Map<string, string[]>;

/** Reads and checks everything. Throws ConfigError with what K3s prints before it exits. */
export function readConfig(files: Files, args: readonly string[], environment: Record<string, string>): ServerConfig {
  const values: Values = new Map();
  for (const [variable, flag] of ENVIRONMENT) {
    const value = environment[variable];
    if (value) values.set(flag, [value]);
  }
  readFile(files, CONFIG, values);
  for (const name of files.list(`${CONFIG}.d`)) {
    if (/\.ya?ml$/.test(name)) readFile(files, `${CONFIG}.d/${name}`, values);
  }
  readArguments(args, values);
  return interpret(files, values);
}

/** https://docs.k3s.io/cli/server names the variable of each flag. */
const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ['K3S_TOKEN', 'token'],
  ['K3S_TOKEN_FILE', 'token-file'],
  ['K3S_AGENT_TOKEN', 'agent-token'],
  ['K3S_AGENT_TOKEN_FILE', 'agent-token-file'],
  ['K3S_URL', 'server'],
  ['K3S_NODE_NAME', 'node-name'],
  ['K3S_CLUSTER_INIT', 'cluster-init'],
];

const Scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const Document = z.record(z.string(), z.union([Scalar.transform((value) => [value]), z.array(Scalar)])).nullable();

function readFile(files: Files, path: string, values: Values): void {
  const text = files.read(path);
  if (text === undefined) return;
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new ConfigError(`failed to load config file ${path}: ${error instanceof Error ? error.message : error}`);
  }
  const document = Document.safeParse(content ?? null);
  if (!document.success) throw new ConfigError(`failed to load config file ${path}: not a map of flags to values`);
  for (const [key, given] of Object.entries(document.data ?? {})) {
    const appends = key.endsWith('+');
    const flag = knownFlag(appends ? key.slice(0, -1) : key);
    values.set(flag, appends ? [...(values.get(flag) ?? []), ...given] : given);
  }
}

function readArguments(args: readonly string[], values: Values): void {
  const given: Values = new Map();
  for (let index = 0; index < args.length; index++) {
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(args[index]!);
    if (!match) throw new ConfigError(`the model of K3s takes no argument ${args[index]}`);
    const flag = knownFlag(match[1]!);
    const boolean = FLAGS.get(flag) === 'boolean';
    const value = match[2] ?? (boolean ? 'true' : args[++index]);
    if (value === undefined) throw new ConfigError(`flag needs an argument: -${match[1]}`);
    given.set(flag, [...(given.get(flag) ?? []), value]);
  }
  for (const [flag, list] of given) values.set(flag, list);
}

/**
 * Newer K3s skips a key it does not know with a warning ("Unknown flag --x found in config.yaml, skipping"); v1.21 exits
 * with the text below. The model exits: a misspelt setting must not get lost.
 */
function knownFlag(name: string): string {
  const flag = { s: 'server', t: 'token' }[name] ?? name;
  if (UNMODELLED.has(flag)) throw new ConfigError(`the model of K3s has no --${flag}`);
  if (!FLAGS.has(flag)) throw new ConfigError(`flag provided but not defined: -${flag}`);
  return flag;
}

function interpret(files: Files, values: Values): ServerConfig {
  const list = (flag: string) => (values.get(flag) ?? []).flatMap((value) => value.split(',')).filter(Boolean);
  const text = (flag: string) => values.get(flag)?.at(-1);
  const boolean = (flag: string) => {
    const value = text(flag);
    if (value === undefined || value === 'false') return false;
    if (value === 'true') return true;
    throw new ConfigError(`invalid boolean value "${value}" for -${flag}: parse error`);
  };
  const secret = (flag: string) => {
    const path = text(`${flag}-file`);
    if (path === undefined) return text(flag);
    const content = files.read(path);
    if (content === undefined) throw new ConfigError(`open ${path}: no such file or directory`);
    return content.trim();
  };
  const pair = (label: string): [string, string] => {
    const at = label.indexOf('=');
    if (at < 1) throw new ConfigError(`invalid label ${label}: expected <key>=<value>`);
    return [label.slice(0, at), label.slice(at + 1)];
  };

  if (list('node-taint').length > 0) throw new ConfigError('the model of K3s has no --node-taint');
  const disable = list('disable').sort();
  for (const component of disable) {
    if (!PACKAGED.some((known) => known === component)) {
      throw new ConfigError(`the model of K3s has no packaged component ${component}`);
    }
  }
  const mode = text('write-kubeconfig-mode') ?? '0600';
  if (!/^0?[0-7]{3}$/.test(mode)) throw new ConfigError(`invalid value "${mode}" for --write-kubeconfig-mode`);
  const server = text('server');
  if (server !== undefined && !/^https:\/\//.test(server)) {
    throw new ConfigError(`only https:// URLs are supported, invalid scheme: ${server}`);
  }

  return {
    clusterInit: boolean('cluster-init'),
    clusterReset: boolean('cluster-reset'),
    restorePath: text('cluster-reset-restore-path'),
    server,
    token: secret('token'),
    nodeName: text('node-name'),
    nodeIp: list('node-ip')[0],
    labels: Object.fromEntries(list('node-label').map(pair)),
    tlsSan: list('tls-san'),
    kubeconfigMode: Number.parseInt(mode, 8),
    disable,
    tolerationSeconds: tolerationSeconds(list('kube-apiserver-arg')),
    podSecurity: components(files, values),
    nodePorts: nodePorts(text('service-node-port-range')),
    critical: {
      'agent-token': secret('agent-token') ?? '',
      'cluster-cidr': text('cluster-cidr') ?? '10.42.0.0/16',
      'cluster-dns': text('cluster-dns') ?? '10.43.0.10',
      'cluster-domain': text('cluster-domain') ?? 'cluster.local',
      // "any component passed to --disable" must be equal everywhere: https://docs.k3s.io/datastore/ha-embedded.
      disable: disable.join(','),
      'disable-cloud-controller': String(boolean('disable-cloud-controller')),
      'disable-helm-controller': String(boolean('disable-helm-controller')),
      'disable-kube-proxy': String(boolean('disable-kube-proxy')),
      'disable-network-policy': String(boolean('disable-network-policy')),
      'egress-selector-mode': text('egress-selector-mode') ?? 'agent',
      'embedded-registry': String(boolean('embedded-registry')),
      'flannel-backend': text('flannel-backend') ?? 'vxlan',
      'flannel-external-ip': String(boolean('flannel-external-ip')),
      'flannel-ipv6-masq': String(boolean('flannel-ipv6-masq')),
      'secrets-encryption': String(boolean('secrets-encryption')),
      'service-cidr': text('service-cidr') ?? '10.43.0.0/16',
    },
  };
}

/** The arguments of the components, whose values may contain commas. */
function components(files: Files, values: Values): PodSecurityDefaults {
  try {
    return checkComponents(files, (component) => values.get(`${component}-arg`) ?? []).podSecurity;
  } catch (error) {
    if (error instanceof ComponentError) throw new ConfigError(error.message);
    throw error;
  }
}

function nodePorts(text: string | undefined): PortRange {
  if (text === undefined) return DEFAULT_NODE_PORTS;
  const range = parsePortRange(text);
  // pkg/cli/server/server.go: errors.Wrapf(err, "invalid port range %s", …).
  if (!range) throw new ConfigError(`invalid port range ${text}: not a port range`);
  return range;
}

/** The API server's defaults; the model has one figure for not-ready and unreachable, and wants them equal. */
function tolerationSeconds(args: readonly string[]): number {
  const found = ['not-ready', 'unreachable'].map((kind) => {
    const prefix = `default-${kind}-toleration-seconds=`;
    const value = args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length) ?? '300';
    if (!/^\d+$/.test(value)) throw new ConfigError(`invalid argument "${value}" for "--${prefix.slice(0, -1)}" flag`);
    return Number(value);
  });
  if (found[0] !== found[1]) {
    throw new ConfigError('the model of K3s wants the not-ready and the unreachable toleration seconds to be equal');
  }
  return found[0]!;
}
