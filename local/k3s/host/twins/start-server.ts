import {
  caHash,
  k3sVersion,
  now,
  oneNode,
  parameter,
  requireReady,
  type Settings,
  STATE,
  unitState,
  votes,
} from './common';
import type { Shell, Twin } from './shell';

/** Seconds. */
const WAIT = 100;
const DATA = '/var/lib/rancher/k3s/server/db/etcd/member/wal';
const CONFIG = '/etc/rancher/k3s/config.yaml.d/50-cluster.yaml';
const TOKEN_FILE = '/etc/rancher/k3s/cluster-token';
const REMOVED = ['permanently removed from the cluster', 'data-dir used by this member must be removed'];
const PERMANENT = [
  'critical configuration value mismatch',
  'bootstrap data already found and encrypted with different token',
  'server-bootstrap: 401 Unauthorized',
  'token CA hash does not match',
  'failed to normalize (server )?token',
  'duplicate node name found',
  'Node password rejected',
  ...REMOVED,
].join('|');
const SECRET_DENIED = /AccessDenied|ResourceNotFoundException|InvalidRequestException|DecryptionFailure/;

async function inService(shell: Shell, { INSTANCE_ID }: Settings): Promise<boolean> {
  if ((await unitState(shell)) !== 'active') return false;
  const node = await oneNode(shell, INSTANCE_ID);
  return Boolean(node?.ready === 'True' && !node.deleting && node.member && (await votes(shell, node.member)));
}

async function configure(shell: Shell, settings: Settings, mode: string, peer: string, hash: string): Promise<boolean> {
  const previous = shell.files.read(`${STATE}/mode`)?.trimEnd() ?? mode;
  if (previous !== mode) shell.fail(`this machine was told to ${previous} before and cannot ${mode} now`);
  shell.files.write(`${STATE}/mode`, `${mode}\n`);

  const { REGION, TOKEN_SECRET } = settings;
  const read = ['secretsmanager', 'get-secret-value', '--region', REGION, '--secret-id', TOKEN_SECRET];
  const answer = await shell.run('aws', ...read, '--query', 'SecretString', '--output', 'text');
  if (answer.exitCode !== 0) {
    shell.files.write(`${STATE}/errors`, answer.stderr);
    shell.log(answer.stderr.trim());
    if (SECRET_DENIED.test(answer.stderr)) shell.fail(`cannot read the join token ${TOKEN_SECRET}`);
    shell.again(`cannot read the join token ${TOKEN_SECRET}`);
  }
  shell.files.remove(`${STATE}/errors`);
  const secret = answer.stdout.replace(/\n+$/, '');
  if (!/^\S+$/.test(secret)) shell.fail(`the join token in ${TOKEN_SECRET} is empty or contains spaces`);
  const token = mode === 'join' && hash ? `K10${hash}::server:${secret}` : secret;
  shell.files.write(TOKEN_FILE, `${token}\n`, 0o600);

  const how = mode === 'init' ? 'cluster-init: true' : `server: https://${peer}:6443`;
  const config = `${how}\ntoken-file: ${TOKEN_FILE}\n`;
  if (shell.files.read(CONFIG) === config) return false;
  shell.files.write(CONFIG, config, 0o600);
  return true;
}

/** nodes/start-server.sh */
export const startServer: Twin = async (shell) => {
  const mode = parameter(shell, 'mode');
  const peer = shell.env.SSM_peerAddress ?? '';
  const expected = shell.env.SSM_caHash ?? '';
  if (mode !== 'init' && mode !== 'join') shell.fail(`mode must be init or join, is ${mode}`);
  if (mode === 'init' && peer) {
    shell.fail('init takes no peerAddress: it would start a second cluster beside that peer');
  }
  if (mode === 'join' && !peer) shell.fail('join needs peerAddress: without it K3s would start a new cluster');
  const settings = requireReady(shell);

  const succeed = async () => {
    const hash = caHash(shell);
    if (expected && hash !== expected) {
      shell.fail(`this server belongs to another cluster: its CA is ${hash}, not ${expected}`);
    }
    return JSON.stringify({ ready: true, voter: true, caHash: hash, k3sVersion: await k3sVersion(shell) });
  };
  if (await inService(shell, settings)) return succeed();

  let changed = false;
  if (shell.files.list(DATA).length > 0) {
    const hash = caHash(shell);
    if (shell.files.read(`${STATE}/mode`) === undefined) shell.fail('etcd data of unknown origin');
    if (expected && hash && hash !== expected) shell.fail(`etcd data of another cluster (CA ${hash})`);
  } else {
    changed = await configure(shell, settings, mode, peer, expected);
  }

  const started = await now(shell);
  await shell.must('systemctl', 'enable', 'k3s.service');
  const verb = changed && (await unitState(shell)) !== 'inactive' ? 'restart' : 'start';
  await shell.must('systemctl', verb, '--no-block', 'k3s.service');

  const permanent = new RegExp(`^.*(${PERMANENT}|(hash|password) for node '?${settings.INSTANCE_ID}).*$`, 'm');
  while (!(await inService(shell, settings))) {
    const selection = ['--unit=k3s.service', '--no-pager', '--output=cat', '--lines=500', `--since=@${started}`];
    const journal = (await shell.run('journalctl', ...selection)).stdout.trimEnd();
    const reason = permanent.exec(journal)?.[0];
    if (reason !== undefined) {
      await shell.must('systemctl', 'disable', 'k3s.service');
      await shell.must('systemctl', 'stop', '--no-block', 'k3s.service');
      const failure = `K3s cannot ${mode}: ${reason.slice(0, 500)}`;
      const removed = REMOVED.some((words) => reason.includes(words));
      if (removed || shell.files.list(DATA).length === 0) shell.files.write(`${STATE}/failed`, `${failure}\n`);
      shell.fail(failure);
    }
    if ((await now(shell)) - started >= WAIT) {
      const last = journal.split('\n').at(-1) ?? '';
      const state = await unitState(shell);
      shell.again(`not Ready and a voter after ${WAIT} s, k3s is ${state}; it said last: ${last.slice(0, 500)}`);
    }
    await shell.must('sleep', '1');
  }
  return succeed();
};
