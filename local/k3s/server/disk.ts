/** What a server keeps on its disk: which cluster and member it is, and the administrator's kubeconfig. */
import type { Cluster } from '../cluster';
import type { ServerConfig } from '../config';
import type { Member } from '../etcd';
import type { ServerMachine } from '../machine';
import { issue } from '../pki';

export const SERVER_DIR = '/var/lib/rancher/k3s/server';
export const KUBECONFIG = '/etc/rancher/k3s/k3s.yaml';
export const RESET_FLAG = `${SERVER_DIR}/db/reset-flag`;
const NAME_FILE = `${SERVER_DIR}/db/etcd/name`;
const WAL = `${SERVER_DIR}/db/etcd/member/wal/0000000000000000-0000000000000000.wal`;

/** Whoever is in this group may do everything. */
export const ADMINISTRATORS = 'system:masters';

/**
 * The etcd member name of a machine: its node name and 8 hex digits, made once and kept on disk. The v1.21.2 that was
 * measured took the host name; since k3s#4025 it is the node name (`e.config.ServerNodeName`, setName in k3s
 * pkg/etcd/etcd.go).
 * @param renew a reset makes a new name
 */
export function memberName(machine: ServerMachine, nodeName: string, renew = false): string {
  const stored = machine.files.read(NAME_FILE);
  if (stored && !renew) return stored;
  const name = `${nodeName}-${machine.model.world.random.hex(8)}`;
  machine.files.write(NAME_FILE, name, 0o600);
  return name;
}

/** After a duplicate name was refused, the next start makes another one (join in k3s pkg/etcd/etcd.go). */
export function forgetMemberName({ files }: ServerMachine): void {
  files.remove(NAME_FILE);
}

/** What tells on disk which cluster a server belongs to. */
export function writeIdentity(machine: ServerMachine, cluster: Cluster, agentToken?: string): void {
  const { files } = machine;
  const { authority } = cluster.identity;
  const token = `${cluster.secureToken}\n`;
  files.write(`${SERVER_DIR}/token`, token, 0o600);
  files.write(`${SERVER_DIR}/node-token`, token, 0o600);
  const agent = agentToken ? `K10${cluster.caHash}::node:${agentToken}\n` : token;
  files.write(`${SERVER_DIR}/agent-token`, agent, 0o600);
  files.write(`${SERVER_DIR}/tls/server-ca.crt`, authority.cert);
  files.write(`${SERVER_DIR}/tls/server-ca.key`, authority.key, 0o600);
}

/** Which cluster and member a machine's etcd data belongs to; undefined on a disk without any. */
export function storedMember(machine: ServerMachine): { cluster: string; member: string } | undefined {
  const text = machine.files.read(WAL);
  if (text === undefined) return undefined;
  const match = /^cluster (\S+)\nmember (\d+)\n$/.exec(text);
  if (!match) throw new Error(`${WAL} was not written by the model of K3s`);
  return { cluster: match[1]!, member: match[2]! };
}

/** Puts a member's data on a disk: K3s looks for this file to tell whether etcd ever ran here. */
export function storeMember(machine: ServerMachine, cluster: Cluster, member: Member): void {
  machine.files.write(WAL, `cluster ${cluster.uuid}\nmember ${member.id}\n`, 0o600);
}

/** A client certificate of the administrators, for whoever may read the file. */
export function writeKubeconfig(machine: ServerMachine, cluster: Cluster, config: ServerConfig): void {
  const { random, clock } = machine.model.world;
  const { authority, clientAuthority } = cluster.identity;
  const subject = { commonName: 'system:admin', organization: ADMINISTRATORS };
  const admin = issue(clientAuthority, subject, random, clock.now(), 'client');
  const encoded = (pem: string) => Buffer.from(pem).toString('base64');
  const text = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${encoded(authority.cert)}
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
preferences: {}
users:
- name: default
  user:
    client-certificate-data: ${encoded(admin.cert)}
    client-key-data: ${encoded(admin.key)}
`;
  machine.files.write(KUBECONFIG, text, config.kubeconfigMode);
}
