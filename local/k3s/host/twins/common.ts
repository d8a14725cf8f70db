/** The twin of nodes/lib: what the node commands share. */
import { createHash } from 'node:crypto';
import type { CommandResult } from '../../command';
import type { Shell } from './shell';

export const STATE = '/var/lib/k3s-ha';
const SERVER_CA = '/var/lib/rancher/k3s/server/tls/server-ca.crt';

const NODE_COLUMNS = [
  'NAME:.metadata.name',
  'READY:.status.conditions[?(@.type=="Ready")].status',
  'VOTER:.status.conditions[?(@.type=="EtcdIsVoter")].status',
  'DELETING:.metadata.deletionTimestamp',
  'ADDRESS:.status.addresses[?(@.type=="InternalIP")].address',
  'PEER:.metadata.annotations.etcd\\.k3s\\.cattle\\.io/node-address',
  'MEMBER:.metadata.annotations.etcd\\.k3s\\.cattle\\.io/node-name',
].join(',');

export interface Settings {
  REGION: string;
  TOKEN_SECRET: string;
  INSTANCE_ID: string;
}

export function requireReady(shell: Shell): Settings {
  const reason = shell.files.read(`${STATE}/failed`);
  if (reason !== undefined) shell.fail(reason.trimEnd());
  if (shell.files.read(`${STATE}/ready`) === undefined) shell.again('user data has not finished');
  const text = shell.files.read('/etc/k3s-ha/node.env') ?? '';
  const setting = (name: string) =>
    new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? shell.fail(`${name}: unbound variable`);
  return {
    REGION: setting('REGION'),
    TOKEN_SECRET: setting('TOKEN_SECRET'),
    INSTANCE_ID: setting('INSTANCE_ID'),
  };
}

export const parameter = (shell: Shell, name: string): string =>
  shell.env[`SSM_${name}`] || shell.fail(`SSM_${name}: parameter null or not set`);

export const kubectl = (shell: Shell, ...args: string[]): Promise<CommandResult> =>
  shell.run('k3s', 'kubectl', '--request-timeout=5s', ...args);

/** A Node in the columns the scripts ask for; null where kubectl prints `<none>`. */
export interface NodeRow {
  name: string;
  ready: string | null;
  voter: string | null;
  deleting: boolean;
  address: string | null;
  peer: string | null;
  member: string | null;
}

function rows(text: string): NodeRow[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', ready, voter, deleting, address, peer, member = ''] = line
        .trim()
        .split(/\s+/)
        .map((word) => (word === '<none>' ? null : word));
      return {
        name: name ?? '',
        ready: ready ?? null,
        voter: voter ?? null,
        deleting: Boolean(deleting),
        address: address ?? null,
        peer: peer ?? null,
        member,
      };
    });
}

/** Undefined when the API server does not answer. */
export async function allNodes(shell: Shell): Promise<NodeRow[] | undefined> {
  const { exitCode, stdout } = await kubectl(
    shell,
    'get',
    'nodes',
    '--no-headers',
    `--output=custom-columns=${NODE_COLUMNS}`,
  );
  return exitCode === 0 ? rows(stdout) : undefined;
}

/** Null when there is no such Node, undefined when the API server does not answer. */
export async function oneNode(shell: Shell, name: string): Promise<NodeRow | null | undefined> {
  const { exitCode, stdout } = await kubectl(
    shell,
    'get',
    'node',
    name,
    '--ignore-not-found',
    '--no-headers',
    `--output=custom-columns=${NODE_COLUMNS}`,
  );
  return exitCode === 0 ? (rows(stdout)[0] ?? null) : undefined;
}

export async function etcdHealth(shell: Shell): Promise<boolean | null> {
  const { stdout } = await shell.run('curl', '--silent', '--max-time', '3', 'http://127.0.0.1:2381/health');
  if (stdout.includes('"health":"true"')) return true;
  return stdout.includes('"health":"false"') ? false : null;
}

/** The member list as K3s answers it; undefined while etcd is not healthy. */
export async function memberList(shell: Shell): Promise<string | undefined> {
  if ((await etcdHealth(shell)) !== true) return undefined;
  const url = 'https://127.0.0.1:6443/db/info';
  const { exitCode, stdout } = await shell.run('curl', '--silent', '--fail', '--insecure', '--max-time', '5', url);
  const body = stdout.trimEnd();
  if (exitCode !== 0 || !/^\{"members":\[.*\]\}$/.test(body)) return undefined;
  return (await etcdHealth(shell)) === true ? body : undefined;
}

/** Whether this member votes; false as well while etcd does not say. */
export async function votes(shell: Shell, member: string): Promise<boolean> {
  const list = (await memberList(shell)) ?? '';
  const object = list.split('}').find((part) => part.includes(`"name":"${member}"`));
  return object !== undefined && !object.includes('"isLearner":true');
}

/** Empty before K3s has created its CA. */
export function caHash(shell: Shell): string {
  const certificate = shell.files.read(SERVER_CA);
  return certificate === undefined ? '' : createHash('sha256').update(certificate).digest('hex');
}

export async function k3sVersion(shell: Shell): Promise<string | undefined> {
  const { exitCode, stdout } = await shell.run('k3s', '--version');
  return exitCode === 0 ? stdout.split('\n')[0]?.split(/\s+/)[2] : undefined;
}

export async function unitState(shell: Shell): Promise<string> {
  const state = (await shell.run('systemctl', 'is-active', 'k3s.service')).stdout.trim();
  if (state === 'reloading') return 'active';
  return ['active', 'activating', 'failed'].includes(state) ? state : 'inactive';
}

/** Epoch seconds. */
export const now = async (shell: Shell): Promise<number> => Number(await shell.must('date', '+%s'));
