/**
 * One run of `k3s server`: from reading the configuration to its exit. Where it stops and what it prints follows what
 * K3s v1.21.2 was seen to do and, for texts, K3s' source. Newer versions wait within the process where this one exits
 * and systemd starts it again: "Waiting for other members to finish joining etcd cluster: etcdserver: too many learner
 * members in cluster", likewise "unhealthy cluster" (k3s#7000). To whoever watches from outside it is the same retry.
 */
import { createHash } from 'node:crypto';
import type { Listening } from '../network';
import { Cluster } from './cluster';
import { ConfigError, readConfig, type ServerConfig } from './config';
import { ADMINISTRATORS, answer } from './endpoints';
import { EtcdError, type Member } from './etcd';
import { aborted, type ServerMachine } from './machine';
import { registerNode } from './node';
import type { KubeObject } from './objects';
import { installPackaged } from './packaged';
import { createAuthority, type Identity, issue } from './pki';
import type { Release } from './release';

export const SERVER_DIR = '/var/lib/rancher/k3s/server';
export const KUBECONFIG = '/etc/rancher/k3s/k3s.yaml';
const NAME_FILE = `${SERVER_DIR}/db/etcd/name`;
const WAL = `${SERVER_DIR}/db/etcd/member/wal/0000000000000000-0000000000000000.wal`;
export const RESET_FLAG = `${SERVER_DIR}/db/reset-flag`;
const PASSWORD_FILE = '/etc/rancher/node/password';

const PREPARING = 'starting kubernetes: preparing server: ';
const TEST_EVERY = 5_000;
/** How long a restarted server waits for its data store before it gives up; no published figure. */
const DATASTORE_TIMEOUT = 60_000;
/** A survivor without quorum exits some seconds after its etcd reports false (measured): leases last 10 to 15 s. */
const LEASE = { least: 10_000, spread: 4_000 };

/** The process exited. */
export class Exit extends Error {
  override readonly name = 'Exit';

  constructor(readonly code: number) {
    super(`exit status ${code}`);
  }
}

export class ServerProcess {
  nodeName = '';
  cluster: Cluster | undefined;
  memberId: string | undefined;
  /** The supervisor listens on 6443: `/ping` and `/cacerts` answer. */
  listening = false;
  /** The API server passed its own checks. */
  apiReady = false;
  /** The kubelet posts the node's status. */
  kubeletReady = false;
  /** Seconds; from the configuration. */
  tolerationSeconds = 300;
  private readonly controller = new AbortController();
  private listener: Promise<Listening> | undefined;
  private lostSince: number | undefined;
  private lease = LEASE.least;

  constructor(
    readonly machine: ServerMachine,
    readonly release: Release,
    /** sd_notify: systemd calls the unit active from here on. */
    private readonly notify: () => void,
  ) {}

  /** Whether etcd runs in this process. */
  get etcdRunning(): boolean {
    return this.memberId !== undefined && this.cluster?.servers.get(this.memberId) === this;
  }

  /** Runs until it exits (rejects with Exit) or is ended (rejects with the reason of `signal`). */
  async run(args: readonly string[], environment: Record<string, string>, signal: AbortSignal): Promise<never> {
    signal.throwIfAborted();
    const stop = () => this.controller.abort(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const config = readConfig(this.machine.files, args, environment);
      if (config.clusterReset) throw new ConfigError('the model of K3s resets a cluster from a command only');
      this.nodeName = config.nodeName ?? this.machine.hostname;
      this.tolerationSeconds = config.tolerationSeconds;
      await this.start(config);
      return await aborted(this.controller.signal);
    } catch (error) {
      if (error instanceof ConfigError) this.fatal(error.message);
      else if (!this.controller.signal.aborted) throw error;
      throw this.controller.signal.reason;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Releases what the process holds. An orderly end lets etcd hand over its leadership. */
  end(orderly: boolean): void {
    this.apiReady = false;
    this.kubeletReady = false;
    this.listening = false;
    if (this.etcdRunning) {
      this.cluster!.servers.delete(this.memberId!);
      this.cluster!.etcd.disconnect(this.memberId!, orderly);
    }
    const { listener } = this;
    this.listener = undefined;
    listener?.then(
      (listening) => listening.close(),
      // It never listened: the process said so and exited.
      () => {},
    );
  }

  /** SIGKILL. */
  crash(): void {
    this.controller.abort(new Exit(137));
  }

  /** Called every second while etcd runs: without quorum the controllers lose their leases and K3s exits. */
  tick(): void {
    if (!this.machine.alive() || !this.apiReady) return;
    const { clock, random } = this.machine.model.world;
    if (this.cluster!.etcd.inContact(this.memberId!)) {
      this.lostSince = undefined;
      return;
    }
    if (this.lostSince === undefined) {
      this.lostSince = clock.now();
      this.lease = LEASE.least + LEASE.spread * random.next();
    } else if (clock.now() - this.lostSince >= this.lease) {
      this.fatal('leaderelection lost for k3s');
    }
  }

  private async start(config: ServerConfig): Promise<void> {
    this.log('info', `Starting k3s ${this.release.version}`);
    const stored = storedMember(this.machine);
    if (stored) return this.restart(config, stored);
    if (config.server !== undefined) return this.join(config, config.server);
    if (!config.clusterInit) {
      throw new ConfigError('the model of K3s has no SQLite datastore: set cluster-init, or server to join');
    }
    return this.initialise(config);
  }

  /** `cluster-init` on an empty disk: always a new cluster, whatever else may exist. */
  private async initialise(config: ServerConfig): Promise<void> {
    const { world } = this.machine.model;
    this.log('info', 'Managed etcd cluster initializing');
    const total = world.latency.sample('k3s.start-first');
    await this.pause(0.3 * total);
    const now = world.clock.now();
    const second = Math.floor(now / 1000);
    const authority = createAuthority(`k3s-server-ca@${second}`, world.random, now);
    const clientAuthority = createAuthority(`k3s-client-ca@${second}`, world.random, now);
    const token = config.token === undefined ? world.random.hex(32) : passwordOf(config.token).password;
    const identity = { authority, clientAuthority, token, critical: config.critical };
    const cluster = new Cluster(this.machine.model, identity);
    this.cluster = cluster;
    this.writeIdentity(cluster, config);
    const member = cluster.etcd.bootstrap(this.memberName(), this.machine.address);
    this.listen(cluster, config);
    this.startEtcd(cluster, member);
    await this.pause(0.4 * total);
    await this.serve(config, 0.3 * total);
  }

  private async join(config: ServerConfig, url: string): Promise<void> {
    const { world } = this.machine.model;
    if (!config.token) throw new ConfigError(`${PREPARING}K3S_TOKEN is required to join a cluster`);
    const total = world.latency.sample('k3s.join');
    await this.pause(0.2 * total);
    const { cluster } = await this.bootstrapFrom(url, config);
    await this.pause(0.15 * total);
    const member = this.addMember(cluster, url);
    await this.pause(1000);
    this.writeIdentity(cluster, config);
    this.listen(cluster, config);
    try {
      this.startEtcd(cluster, member);
    } catch (error) {
      // Evicted, or removed by somebody, in that second.
      if (error instanceof EtcdError) this.fail(`${PREPARING}${error.message}`);
      throw error;
    }
    await this.untilVoter(cluster, member);
    await this.pause(0.3 * total);
    await this.serve(config, world.latency.sample('k3s.node-ready-after-join'));
  }

  /** Data on disk: `server` and `cluster-init` are ignored. */
  private async restart(config: ServerConfig, stored: { cluster: string; member: string }): Promise<void> {
    const { machine } = this;
    const cluster = machine.model.clusters.get(stored.cluster);
    if (!cluster) throw new Error(`${WAL} is of a cluster that never was: ${stored.cluster}`);
    this.cluster = cluster;
    this.log('info', 'Managed etcd cluster bootstrap already complete and initialized');
    const total = machine.model.world.latency.sample('k3s.restart');
    await this.pause(0.2 * total);
    if (cluster.etcd.wasRemoved(stored.member)) this.failRemoved();
    if (config.token && passwordOf(config.token).password !== cluster.identity.token) {
      this.fail(`${PREPARING}bootstrap data already found and encrypted with different token`);
    }
    // Measured: a server whose password does not fit never gets as far as starting its etcd again.
    if (cluster.etcd.writable) this.verifyPassword(cluster);
    const member = cluster.etcd.member(stored.member)!;
    this.listen(cluster, config);
    this.startEtcd(cluster, member);
    const deadline = machine.model.world.clock.now() + DATASTORE_TIMEOUT;
    await this.pause(1000);
    while (!cluster.etcd.inContact(member.id)) {
      this.log('info', 'Failed to test data store connection: context deadline exceeded');
      if (machine.model.world.clock.now() >= deadline) {
        this.fail(`${PREPARING}failed to test data store connection: context deadline exceeded`);
      }
      await this.pause(TEST_EVERY);
    }
    await this.untilVoter(cluster, member);
    await this.pause(0.4 * total);
    await this.serve(config, 0.4 * total);
  }

  /** The API server comes up; then the kubelet registers the Node, which is Ready `nodeDelay` later. */
  private async serve(config: ServerConfig, nodeDelay: number): Promise<void> {
    const { machine } = this;
    const cluster = this.cluster!;
    await this.whileInContact(cluster);
    this.writeKubeconfig(cluster, config);
    this.apiReady = true;
    this.removeResetFlag(cluster);
    this.log('info', 'Kube API server is now running');
    await this.attempt(cluster, () => installPackaged(cluster, config.disable));
    this.log('info', 'k3s is up and running');
    this.notify();
    await this.pause(0.5 * nodeDelay);
    await this.attempt(cluster, () => {
      this.verifyPassword(cluster);
      registerNode(cluster, this, config, cluster.etcd.member(this.memberId!)!.name);
    });
    await this.pause(0.5 * nodeDelay);
    this.kubeletReady = true;
    machine.containers.sync();
  }

  /** A write at start, tried again until there is a quorum for it. */
  private async attempt(cluster: Cluster, write: () => void): Promise<void> {
    for (;;) {
      await this.whileInContact(cluster);
      try {
        write();
        return;
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        await this.pause(1000);
      }
    }
  }

  private async whileInContact(cluster: Cluster): Promise<void> {
    while (!cluster.etcd.inContact(this.memberId!)) await this.pause(1000);
  }

  /** What a joiner does before it touches etcd: the peer's CA, the token, the critical settings. */
  private async bootstrapFrom(url: string, config: ServerConfig): Promise<{ cluster: Cluster }> {
    const peer = await this.dial(url);
    const { cluster } = peer;
    const { hash, user, password } = this.parseToken(config.token!);
    if (hash === undefined) {
      this.log(
        'warning',
        'Cluster CA certificate is not trusted by the host CA bundle, but the token does not include a CA hash. ' +
          "Use the full token from the server's node-token file to enable Cluster CA validation.",
      );
    } else if (hash !== cluster.caHash) {
      this.fail(
        `${PREPARING}token CA hash does not match the Cluster CA certificate hash: ${hash} != ${cluster.caHash}`,
      );
    }
    this.log('info', 'Managed etcd cluster not yet initialized');
    if ((user !== '' && user !== 'server') || password !== cluster.identity.token) {
      this.fail(`${PREPARING}${new URL('/v1-k3s/server-bootstrap', url)}: 401 Unauthorized`);
    }
    const differing = Object.entries(config.critical).filter(
      ([flag, value]) => cluster.identity.critical[flag] !== value,
    );
    for (const [flag] of differing) this.log('error', `Critical configuration mismatched: ${flag}`);
    if (differing.length > 0) {
      this.fail(
        `${PREPARING}failed to validate server configuration: critical configuration value mismatch between servers`,
      );
    }
    if (!peer.process.etcdRunning || !cluster.etcd.inContact(peer.process.memberId!)) {
      this.fail(
        `${PREPARING}start managed database: joining etcd cluster: failed to get MemberList from server: ` +
          `${new URL('/db/info', url)}: 500 Internal Server Error`,
      );
    }
    return { cluster };
  }

  /** The K3s that answers at a URL. */
  private async dial(url: string): Promise<{ process: ServerProcess; cluster: Cluster }> {
    const { model, address } = this.machine;
    const { hostname, port } = new URL(url);
    const target = `${hostname}:${port || '443'}`;
    const unanswered = (reason: string) =>
      this.fail(`${PREPARING}failed to get CA certs: Get "${new URL('/cacerts', url)}": ${reason}`);
    if (!/^[\d.]+$/.test(hostname)) unanswered(`dial tcp: lookup ${hostname}: no such host`);
    const machine = model.machineAt(hostname);
    if (!machine?.on) return unanswered(`dial tcp ${target}: connect: no route to host`);
    if (!machine.alive() || !model.network.reachable(address, hostname)) {
      await this.pause(10_000);
      unanswered('context deadline exceeded (Client.Timeout exceeded while awaiting headers)');
    }
    const { process } = machine.unit;
    if (!process?.listening || !process.cluster || port !== '6443') {
      return unanswered(`dial tcp ${target}: connect: connection refused`);
    }
    return { process, cluster: process.cluster };
  }

  private addMember(cluster: Cluster, url: string): Member {
    const { address, hostname, files } = this.machine;
    const name = this.memberName();
    const refused = (message: string) =>
      this.fail(`${PREPARING}start managed database: joining etcd cluster: ${message}`);
    for (const member of cluster.etcd.members) {
      // A member that never started has no name; with this address it is an earlier attempt of this machine.
      if (member.address === address && (member.name === '' || member.name === name)) return member;
      if (member.name !== name && member.name.slice(0, member.name.lastIndexOf('-')) === hostname) {
        files.remove(NAME_FILE);
        return refused('duplicate node name found, please use a unique name for this node');
      }
    }
    this.log('info', `Adding member ${name}=https://${address}:2380 to etcd cluster of ${url}`);
    try {
      return cluster.etcd.addLearner(address);
    } catch (error) {
      if (error instanceof EtcdError) return refused(error.message);
      throw error;
    }
  }

  private startEtcd(cluster: Cluster, member: Member): void {
    const { machine } = this;
    this.cluster = cluster;
    cluster.etcd.connect(member.id, this.memberName(), {
      address: machine.address,
      alive: () => machine.alive(),
      removed: () => this.stopRemoved(),
    });
    this.memberId = member.id;
    cluster.servers.set(member.id, this);
    storeMember(machine, cluster, member);
  }

  private async untilVoter(cluster: Cluster, member: Member): Promise<void> {
    while (member.learner || !cluster.etcd.inContact(member.id)) {
      const reason = member.learner
        ? 'this server has not yet been promoted from learner to voting member'
        : 'context deadline exceeded';
      this.log('info', `Failed to test data store connection: ${reason}`);
      await this.pause(TEST_EVERY);
    }
    this.log('info', 'etcd data store connection OK');
  }

  /** A Node's first registration stores the hash of its machine's password; later ones must match it. */
  private verifyPassword(cluster: Cluster): void {
    const { files, model } = this.machine;
    let password = files.read(PASSWORD_FILE)?.trim();
    if (password === undefined) {
      password = model.world.random.hex(32);
      files.write(PASSWORD_FILE, `${password}\n`, 0o600);
    }
    const hash = createHash('sha256').update(password).digest('hex');
    const name = `${this.nodeName}.node-password.k3s`;
    const secret = cluster.api.get('Secret', name, 'kube-system');
    if (!secret) {
      const metadata = { name, namespace: 'kube-system' };
      if (cluster.api.get('Namespace', 'kube-system')) {
        cluster.api.create({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata,
          type: 'Opaque',
          data: { hash },
          immutable: true,
        });
      }
    } else if (passwordHash(secret) !== hash) {
      this.log(
        'error',
        `Sending HTTP 403 response: unable to verify hash for node '${this.nodeName}': hash does not match`,
      );
      this.fail(
        `Node password rejected, duplicate hostname or contents of '${PASSWORD_FILE}' may not match server ` +
          `node-passwd entry: unable to verify hash for node '${this.nodeName}': hash does not match`,
      );
    }
  }

  /** After a reset the node's stored password may be older than the disk's. */
  private removeResetFlag(cluster: Cluster): void {
    const { files } = this.machine;
    if (files.read(RESET_FLAG) === undefined) return;
    files.remove(RESET_FLAG);
    const secret = cluster.api.get('Secret', `${this.nodeName}.node-password.k3s`, 'kube-system');
    if (secret) cluster.api.forget(secret);
  }

  private memberName(): string {
    return memberName(this.machine);
  }

  private writeIdentity(cluster: Cluster, config: ServerConfig): void {
    writeIdentity(this.machine, cluster, config.critical['agent-token'] || undefined);
  }

  private writeKubeconfig(cluster: Cluster, config: ServerConfig): void {
    const { random, clock } = this.machine.model.world;
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
    this.machine.files.write(KUBECONFIG, text, config.kubeconfigMode);
  }

  private listen(cluster: Cluster, config: ServerConfig): void {
    const { machine } = this;
    const { world, network } = machine.model;
    const subject = {
      commonName: 'k3s',
      addresses: ['127.0.0.1', '10.43.0.1', machine.address],
      names: ['kubernetes', 'kubernetes.default', 'localhost', machine.hostname, ...config.tlsSan],
    };
    const tls: Identity = issue(cluster.identity.authority, subject, world.random, world.clock.now());
    this.cluster = cluster;
    this.listening = true;
    const listener = network.listen(machine.address, 6443, {
      kind: 'http',
      tls: { ...tls, clientAuthority: cluster.identity.clientAuthority.cert },
      respond: (request) => (machine.alive() ? answer(this, request, false) : aborted(machine.signal)),
    });
    this.listener = listener;
    listener.catch((error: unknown) => {
      if (!this.controller.signal.aborted) this.fatal(`listen tcp :6443: bind: ${describe(error)}`);
    });
  }

  private parseToken(token: string): Token {
    try {
      return passwordOf(token);
    } catch (error) {
      return this.fail(`${PREPARING}${describe(error)}`);
    }
  }

  /** etcd in this process was removed from the cluster while it ran. */
  private stopRemoved(): void {
    this.log('error', 'the member has been permanently removed from the cluster');
    this.fatal('etcd: the member has been permanently removed from the cluster');
  }

  private failRemoved(): never {
    this.log('error', 'the member has been permanently removed from the cluster');
    this.log('error', 'the data-dir used by this member must be removed.');
    return this.fail(`${PREPARING}start managed database: the member has been permanently removed from the cluster`);
  }

  /** Logs and exits, from within the run. */
  private fail(message: string): never {
    this.fatal(message);
    throw this.controller.signal.reason;
  }

  /** Logs and exits, from anywhere. */
  private fatal(message: string): void {
    this.log('fatal', message);
    this.controller.abort(new Exit(1));
  }

  private log(level: 'info' | 'warning' | 'error' | 'fatal', message: string): void {
    this.machine.journal.k3s(level, message);
  }

  private pause(ms: number): Promise<void> {
    return this.machine.pause(ms, this.controller.signal);
  }
}

interface Token {
  /** Of the CA; undefined in the short form. */
  hash: string | undefined;
  user: string;
  password: string;
}

/** `K10<hash>::<user>:<password>` or a bare password. Throws with K3s' own text. */
export function passwordOf(token: string): Token {
  if (!token.startsWith('K10')) return { hash: undefined, user: '', password: token };
  const [hash, credentials] = token.slice(3).split('::', 2);
  if (credentials === undefined || !hash) throw new ConfigError('failed to normalize token: invalid token format');
  if (hash.length !== 64) throw new ConfigError('failed to normalize token: invalid token CA hash length');
  const colon = credentials.indexOf(':');
  if (colon < 0) throw new ConfigError('failed to normalize token: invalid token format');
  return { hash, user: credentials.slice(0, colon), password: credentials.slice(colon + 1) };
}

/** The etcd member name of a machine: made once, kept on disk (setName in k3s pkg/etcd/etcd.go). */
export function memberName(machine: ServerMachine, renew = false): string {
  const stored = machine.files.read(NAME_FILE);
  if (stored && !renew) return stored;
  const name = `${machine.hostname}-${machine.model.world.random.hex(8)}`;
  machine.files.write(NAME_FILE, name, 0o600);
  return name;
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

function passwordHash(secret: KubeObject): string | undefined {
  const { data } = secret;
  if (typeof data !== 'object' || data === null || !('hash' in data)) return undefined;
  return typeof data.hash === 'string' ? data.hash : undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
