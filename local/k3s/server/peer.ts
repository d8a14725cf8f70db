/** What a joiner asks of the peer that it joins through. Each refusal ends the process, with K3s' own text. */
import type { Cluster } from '../cluster';
import { ConfigError, type ServerConfig } from '../config';
import { EtcdError, type Member } from '../etcd';
import { forgetMemberName } from './disk';
import { PREPARING, type ServerProcess } from './index';
import { passwordOf, type Token } from './token';

/** Before it touches etcd: the peer's CA, the token, the critical settings. */
export async function bootstrapFrom(server: ServerProcess, url: string, config: ServerConfig): Promise<Cluster> {
  const peer = await dial(server, url);
  const { cluster } = peer;
  const { hash, user, password } = parseToken(server, config.token ?? '');
  if (hash === undefined) {
    server.log(
      'warning',
      'Cluster CA certificate is not trusted by the host CA bundle, but the token does not include a CA hash. ' +
        "Use the full token from the server's node-token file to enable Cluster CA validation.",
    );
  } else if (hash !== cluster.caHash) {
    server.fail(
      `${PREPARING}token CA hash does not match the Cluster CA certificate hash: ${hash} != ${cluster.caHash}`,
    );
  }
  server.log('info', 'Managed etcd cluster not yet initialized');
  if ((user !== '' && user !== 'server') || password !== cluster.identity.token) {
    server.fail(`${PREPARING}${new URL('/v1-k3s/server-bootstrap', url)}: 401 Unauthorized`);
  }
  const differing = Object.entries(config.critical).filter(
    ([flag, value]) => cluster.identity.critical[flag] !== value,
  );
  for (const [flag] of differing) server.log('error', `Critical configuration mismatched: ${flag}`);
  if (differing.length > 0) {
    server.fail(
      `${PREPARING}failed to validate server configuration: critical configuration value mismatch between servers`,
    );
  }
  if (!peer.process.etcdRunning || !cluster.etcd.inContact(peer.process.memberId!)) {
    server.fail(
      `${PREPARING}start managed database: joining etcd cluster: failed to get MemberList from server: ` +
        `${new URL('/db/info', url)}: 500 Internal Server Error`,
    );
  }
  return cluster;
}

/** The K3s that answers at a URL. */
async function dial(server: ServerProcess, url: string): Promise<{ process: ServerProcess; cluster: Cluster }> {
  const { model, address } = server.machine;
  const { hostname, port } = new URL(url);
  const target = `${hostname}:${port || '443'}`;
  const unanswered = (reason: string) =>
    server.fail(`${PREPARING}failed to get CA certs: Get "${new URL('/cacerts', url)}": ${reason}`);
  if (!/^[\d.]+$/.test(hostname)) unanswered(`dial tcp: lookup ${hostname}: no such host`);
  const machine = model.machineAt(hostname);
  if (!machine?.on) return unanswered(`dial tcp ${target}: connect: no route to host`);
  if (!machine.alive() || !model.network.reachable(address, hostname)) {
    await server.pause(10_000);
    unanswered('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
  }
  const { process } = machine.unit;
  if (!process?.listening || !process.cluster || port !== '6443') {
    return unanswered(`dial tcp ${target}: connect: connection refused`);
  }
  return { process, cluster: process.cluster };
}

/**
 * `join` in k3s pkg/etcd/etcd.go: itself, when an earlier attempt got so far; refused when another member has its node
 * name; else a new learner.
 */
export function addMember(server: ServerProcess, cluster: Cluster, name: string, url: string): Member {
  const { machine, nodeName } = server;
  const { address } = machine;
  const refused = (message: string) =>
    server.fail(`${PREPARING}start managed database: joining etcd cluster: ${message}`);
  for (const member of cluster.etcd.members) {
    // A member that never started has no name; with this address it is an earlier attempt of this machine.
    if (member.address === address && (member.name === '' || member.name === name)) return member;
    if (member.name !== name && member.name.slice(0, member.name.lastIndexOf('-')) === nodeName) {
      forgetMemberName(machine);
      return refused('duplicate node name found, please use a unique name for this node');
    }
  }
  server.log('info', `Adding member ${name}=https://${address}:2380 to etcd cluster of ${url}`);
  try {
    return cluster.etcd.addLearner(address);
  } catch (error) {
    if (error instanceof EtcdError) return refused(error.message);
    throw error;
  }
}

function parseToken(server: ServerProcess, token: string): Token {
  try {
    return passwordOf(token);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return server.fail(`${PREPARING}${error.message}`);
  }
}
