/**
 * The embedded etcd of one K3s cluster: membership, leadership, quorum and the replicated data. Not a raft
 * implementation: one object knows the committed state, and every member's part in it is derived from which members run
 * and reach each other.
 *
 * Facts from K3s' use of etcd (k3s pkg/etcd/etcd.go): heartbeat 500 ms, election timeout 5 s, members join as learners,
 * the leader looks at them every 15 s and evicts one that made no progress for 5 min; and from etcd itself
 * (server/etcdserver/server.go, strict reconfiguration check, on by default).
 */
import type { World } from '../aws/service';
import type { Timer } from '../clock';
import type { Network } from '../network';

/** What a machine contributes while etcd runs on it. */
export interface Peer {
  readonly address: string;
  /** False while the machine hangs. */
  alive(): boolean;
  /** The cluster removed this member: its etcd stops for good. */
  removed(): void;
}

export interface Member {
  /** Decimal digits: an unsigned 64-bit number, too large for a JavaScript one. */
  readonly id: string;
  /** Empty until etcd ran on the machine for the first time. */
  name: string;
  readonly address: string;
  learner: boolean;
}

/** An error in etcd's words. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError';
}

/** etcd calls a peer healthy when it has been connected for this long (HealthInterval). */
const HEALTHY_AFTER = 5_000;
/** Changes that are remembered at least half of, for watches. etcd keeps them for five minutes. */
const HISTORY = 2000;
const MANAGE_EVERY = 15_000;
const LEARNER_STALL = 5 * 60_000;

/** One write. */
export interface Change<Value> {
  revision: number;
  key: string;
  before: Value | undefined;
  after: Value | undefined;
}

interface Part {
  member: Member;
  peer?: Peer;
  /** Since when the leader reaches it; undefined while it does not. */
  connectedSince?: number;
  /** When a learner will have received the data. */
  caughtUpAt?: number;
  lastProgress?: number;
  /** The data as of the moment this member lost contact; absent while it follows. */
  stale?: ReadonlyMap<string, unknown>;
}

export class Etcd<Value> {
  private readonly parts = new Map<string, Part>();
  private readonly removedIds = new Set<string>();
  private data: Map<string, Value>;
  private leaderId: string | undefined;
  /** When the leader was lost, and how long the voters wait before they elect another. */
  private leaderless: { since: number; timeout: number } | undefined;
  private manageAt = 0;
  /** Who leads, as long as a tick runs and nobody comes or goes: everything in it asks. */
  private known: { leader: Part | undefined } | undefined;
  private ticking = false;
  private timer: Timer | undefined;
  private revisionNumber = 1;
  private history: Change<Value>[] = [];

  constructor(
    private readonly world: World,
    private readonly network: Network,
    data: ReadonlyMap<string, Value>,
    /** Called once a second while any member runs, after membership is settled. */
    private readonly onTick: () => void,
  ) {
    this.data = new Map(data);
  }

  get members(): Member[] {
    return [...this.parts.values()].map(({ member }) => member);
  }

  get leader(): string | undefined {
    return this.leaderId;
  }

  get revision(): number {
    return this.revisionNumber;
  }

  member(id: string): Member | undefined {
    return this.parts.get(id)?.member;
  }

  wasRemoved(id: string): boolean {
    return this.removedIds.has(id);
  }

  /** The first member of a new cluster: a voter at once. */
  bootstrap(name: string, address: string): Member {
    const member: Member = { id: this.newId(), name, address, learner: false };
    this.parts.set(member.id, { member });
    return member;
  }

  /** etcd starts on a member's machine. The first start announces the member's name. */
  connect(id: string, name: string, peer: Peer): void {
    const part = this.parts.get(id);
    if (!part) throw new EtcdError('the member has been permanently removed from the cluster');
    part.peer = peer;
    part.member.name = name;
    if (part.member.learner && part.caughtUpAt === undefined) {
      // The name is the node's and a random part.
      const node = name.slice(0, name.lastIndexOf('-'));
      part.caughtUpAt = this.world.clock.now() + this.world.latency.sample('k3s.learner-catch-up', node);
    }
    this.timer ??= this.world.clock.every(1000, () => this.tick());
    this.settle();
  }

  /** etcd stops. A leader that stops in an orderly way hands over first; one that is killed does not. */
  disconnect(id: string, orderly: boolean): void {
    const part = this.parts.get(id);
    if (!part?.peer) return;
    part.peer = undefined;
    part.connectedSince = undefined;
    this.known = undefined;
    if (orderly && id === this.leaderId) this.leaderId = this.candidates()[0]?.member.id;
    this.settle();
    if (![...this.parts.values()].some((other) => other.peer)) this.stop();
  }

  /** Whether reads and writes through this member work: it runs and reaches a leader that has a quorum. */
  inContact(id: string): boolean {
    const leader = this.currentLeader();
    const part = this.parts.get(id);
    return leader !== undefined && part !== undefined && this.reaches(leader, part);
  }

  /** Whether any member could write. */
  get writable(): boolean {
    return this.currentLeader() !== undefined;
  }

  get(key: string): Value | undefined {
    return this.data.get(key);
  }

  values(): IterableIterator<Value> {
    return this.data.values();
  }

  /** Writes, or deletes with `undefined`. Throws when there is no quorum. */
  commit(key: string, value: Value | undefined): void {
    const leader = this.requireLeader();
    for (const part of this.parts.values()) {
      // A member that falls behind keeps what it has: a reset on its machine starts from that.
      if (!part.stale && !this.reaches(leader, part)) part.stale = new Map(this.data);
    }
    this.revisionNumber++;
    this.history.push({ revision: this.revisionNumber, key, before: this.data.get(key), after: value });
    if (this.history.length > HISTORY) this.history = this.history.slice(-HISTORY / 2);
    if (value === undefined) this.data.delete(key);
    else this.data.set(key, value);
  }

  /** What was written after a revision, oldest first; undefined when that is further back than it is remembered. */
  changesSince(revision: number): readonly Change<Value>[] | undefined {
    if (revision >= this.revisionNumber) return [];
    const index = this.history.findIndex((change) => change.revision === revision + 1);
    return index < 0 ? undefined : this.history.slice(index);
  }

  /** The data on a member's disk. */
  dataOf(id: string): ReadonlyMap<string, Value> {
    const stale = this.parts.get(id)?.stale;
    // Only `commit` makes copies, and only of this map.
    return (stale as ReadonlyMap<string, Value> | undefined) ?? this.data;
  }

  /** The current data, for a snapshot. */
  snapshot(): ReadonlyMap<string, Value> {
    return this.data;
  }

  /**
   * Adds a learner. Refused as etcd's strict reconfiguration check does: while any voter has not been connected for 5 s,
   * and while another learner is there. The order of the two is etcd's: the first is checked before the proposal.
   */
  addLearner(address: string): Member {
    const leader = this.requireLeader();
    const now = this.world.clock.now();
    for (const part of this.voters()) {
      if (part !== leader && (part.connectedSince === undefined || now - part.connectedSince < HEALTHY_AFTER)) {
        throw new EtcdError('etcdserver: unhealthy cluster');
      }
    }
    for (const { member } of this.parts.values()) {
      if (member.address === address) throw new EtcdError('etcdserver: Peer URLs already exists');
    }
    if ([...this.parts.values()].some(({ member }) => member.learner)) {
      throw new EtcdError('etcdserver: too many learner members in cluster');
    }
    const member: Member = { id: this.newId(), name: '', address, learner: true };
    this.parts.set(member.id, { member });
    return member;
  }

  /** Removes a member. A live voter stays while the rest would not keep a quorum of live ones. */
  remove(id: string): void {
    const leader = this.requireLeader();
    const part = this.parts.get(id);
    if (!part) throw new EtcdError('etcdserver: member not found');
    if (!part.member.learner) {
      const voters = this.voters();
      const active = voters.filter((voter) => this.reaches(leader, voter)).length;
      const down = !this.reaches(leader, part);
      if (!down && voters.length > 1 && active - 1 < 1 + Math.floor((voters.length - 1) / 2)) {
        throw new EtcdError('etcdserver: unhealthy cluster');
      }
      if (voters.length === 1) {
        throw new EtcdError('etcdserver: re-configuration failed due to not enough started members');
      }
    }
    this.parts.delete(id);
    this.removedIds.add(id);
    if (id === this.leaderId) this.leaderId = undefined;
    this.known = undefined;
    part.peer?.removed();
    this.settle();
  }

  /** Ends the clockwork; nothing else moves any more. */
  stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private tick(): void {
    this.settle();
    this.ticking = true;
    try {
      const leader = this.currentLeader();
      if (leader && this.world.clock.now() >= this.manageAt) {
        this.manageAt += MANAGE_EVERY;
        this.manageLearners(leader);
      }
      this.onTick();
    } finally {
      this.ticking = false;
      this.known = undefined;
    }
  }

  /** Brings leadership and connections up to date with who runs and who reaches whom. */
  private settle(): void {
    this.known = undefined;
    const now = this.world.clock.now();
    let leader = this.currentLeader();
    if (!leader) {
      this.leaderless ??= { since: now, timeout: this.electionDelay() };
      if (now - this.leaderless.since >= this.leaderless.timeout) {
        const candidates = this.candidates();
        leader = candidates.length > 0 ? this.world.random.pick(candidates) : undefined;
        this.leaderId = leader?.member.id;
      }
    }
    if (leader) {
      if (this.leaderless || this.manageAt === 0) this.manageAt = now + MANAGE_EVERY;
      this.leaderless = undefined;
    }
    for (const part of this.parts.values()) {
      const connected = leader !== undefined && this.reaches(leader, part);
      part.connectedSince = connected ? (part.connectedSince ?? now) : undefined;
      if (connected) part.stale = undefined;
    }
  }

  /** The leader, if it still is one: it runs and reaches a majority of the voters. */
  private currentLeader(): Part | undefined {
    if (this.known) return this.known.leader;
    const part = this.leaderId === undefined ? undefined : this.parts.get(this.leaderId);
    const leader = part && this.couldLead(part) ? part : undefined;
    if (this.ticking) this.known = { leader };
    return leader;
  }

  private couldLead(part: Part): boolean {
    if (part.member.learner || !part.peer?.alive()) return false;
    const voters = this.voters();
    return voters.filter((voter) => this.reaches(part, voter)).length > voters.length / 2;
  }

  /** Voters that a majority would elect: those whose data is the newest. */
  private candidates(): Part[] {
    const able = this.voters().filter((part) => this.couldLead(part));
    const current = able.filter((part) => !part.stale);
    return current.length > 0 ? current : able;
  }

  private voters(): Part[] {
    return [...this.parts.values()].filter(({ member }) => !member.learner);
  }

  private reaches(from: Part, to: Part): boolean {
    if (!from.peer?.alive() || !to.peer?.alive()) return false;
    if (from === to) return true;
    const { address: a } = from.peer;
    const { address: b } = to.peer;
    return this.network.reachable(a, b) && this.network.reachable(b, a);
  }

  private requireLeader(): Part {
    const leader = this.currentLeader();
    if (!leader) throw new EtcdError('etcdserver: request timed out');
    return leader;
  }

  private manageLearners(leader: Part): void {
    const now = this.world.clock.now();
    const learner = [...this.parts.values()].find(({ member }) => member.learner);
    if (!learner) return;
    const connected = this.reaches(leader, learner);
    if (connected && learner.caughtUpAt !== undefined && now >= learner.caughtUpAt) {
      learner.member.learner = false;
      this.known = undefined;
      return;
    }
    learner.lastProgress = connected ? now : (learner.lastProgress ?? now);
    if (now - learner.lastProgress > LEARNER_STALL) this.remove(learner.member.id);
  }

  /** A cluster that never had a leader elects itself one at once; later ones wait for the election timeout. */
  private electionDelay(): number {
    return this.manageAt === 0 ? 0 : this.world.latency.sample('k3s.election');
  }

  private newId(): string {
    return BigInt(`0x${this.world.random.hex(16)}`).toString();
  }
}
