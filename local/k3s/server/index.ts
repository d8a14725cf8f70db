/**
 * One run of `k3s server`: from reading the configuration to its exit. Where it stops and what it prints follows what
 * K3s v1.21.2 was seen to do and, for texts, K3s' source. Newer versions wait within the process where this one exits
 * and systemd starts it again: "Waiting for other members to finish joining etcd cluster: etcdserver: too many learner
 * members in cluster", likewise "unhealthy cluster" (k3s#7000). To whoever watches from outside it is the same retry.
 */
import type { Listening } from '../../network';
import { Cluster } from '../cluster';
import { ConfigError, readConfig, type ServerConfig } from '../config';
import { answer } from '../endpoints';
import { EtcdError, type Member } from '../etcd';
import { aborted, type ServerMachine } from '../machine';
import { registerNode } from '../node';
import { DEFAULT_NODE_PORTS } from '../node-ports';
import { installPackaged } from '../packaged';
import { createAuthority, type Identity, issue } from '../pki';
import { PRIVILEGED } from '../pod-security';
import type { Release } from '../release';
import { memberName, RESET_FLAG, storedMember, storeMember, writeIdentity, writeKubeconfig } from './disk';
import { Exit } from './exit';
import { forgetPassword, verifyPassword } from './password';
import { addMember, bootstrapFrom } from './peer';
import { passwordOf } from './token';

/** Where K3s says it was when it could not start. */
export const PREPARING = 'starting kubernetes: preparing server: ';
const TEST_EVERY = 5_000;
/** How long a restarted server waits for its data store before it gives up; no published figure. */
const DATASTORE_TIMEOUT = 60_000;
/** A survivor without quorum exits some seconds after its etcd reports false (measured): leases last 10 to 15 s. */
const LEASE = { least: 10_000, spread: 4_000 };

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
  podSecurity = PRIVILEGED;
  nodePorts = DEFAULT_NODE_PORTS;
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
      this.podSecurity = config.podSecurity;
      this.nodePorts = config.nodePorts;
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
    const total = world.latency.sample('k3s.start-first', this.machine.instanceId);
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
    const total = world.latency.sample('k3s.join', this.machine.instanceId);
    await this.pause(0.2 * total);
    const cluster = await bootstrapFrom(this, url, config);
    await this.pause(0.15 * total);
    const member = addMember(this, cluster, this.memberName(), url);
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
    await this.serve(config, world.latency.sample('k3s.node-ready-after-join', this.machine.instanceId));
  }

  /** Data on disk: `server` and `cluster-init` are ignored. */
  private async restart(config: ServerConfig, stored: { cluster: string; member: string }): Promise<void> {
    const { machine } = this;
    const cluster = machine.model.clusters.get(stored.cluster);
    if (!cluster) throw new Error(`the data on ${machine.address} is of a cluster that never was: ${stored.cluster}`);
    this.cluster = cluster;
    this.log('info', 'Managed etcd cluster bootstrap already complete and initialized');
    const total = machine.model.world.latency.sample('k3s.restart', machine.instanceId);
    await this.pause(0.2 * total);
    if (cluster.etcd.wasRemoved(stored.member)) this.failRemoved();
    if (config.token && passwordOf(config.token).password !== cluster.identity.token) {
      this.fail(`${PREPARING}bootstrap data already found and encrypted with different token`);
    }
    // Measured: a server whose password does not fit never gets as far as starting its etcd again.
    if (cluster.etcd.writable) verifyPassword(this, cluster);
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
    writeKubeconfig(machine, cluster, config);
    this.apiReady = true;
    this.removeResetFlag(cluster);
    this.log('info', 'Kube API server is now running');
    await this.attempt(cluster, () => installPackaged(cluster, config.disable));
    this.log('info', 'k3s is up and running');
    this.notify();
    await this.pause(0.5 * nodeDelay);
    await this.attempt(cluster, () => {
      verifyPassword(this, cluster);
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

  private removeResetFlag(cluster: Cluster): void {
    const { files } = this.machine;
    if (files.read(RESET_FLAG) === undefined) return;
    files.remove(RESET_FLAG);
    forgetPassword(this, cluster);
  }

  private memberName(): string {
    return memberName(this.machine, this.nodeName);
  }

  private writeIdentity(cluster: Cluster, config: ServerConfig): void {
    writeIdentity(this.machine, cluster, config.critical['agent-token'] || undefined);
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
  fail(message: string): never {
    this.fatal(message);
    throw this.controller.signal.reason;
  }

  /** Logs and exits, from anywhere. */
  private fatal(message: string): void {
    this.log('fatal', message);
    this.controller.abort(new Exit(1));
  }

  log(level: 'info' | 'warning' | 'error' | 'fatal', message: string): void {
    this.machine.journal.k3s(level, message);
  }

  pause(ms: number): Promise<void> {
    return this.machine.pause(ms, this.controller.signal);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
