/** What is true of the cluster, as nobody within it can know: what actions are judged by. */
import { z } from 'zod';
import type { Instance } from '../../local/aws/ec2';
import type { CensusMember, ClusterCensus } from '../../local/k3s';
import type { TestCluster } from '../support/embedded';

const text = z.object({ S: z.string() }).transform(({ S }) => S);

/** The item `cluster` of the table, as far as actions are judged by it. */
const WANTED = z.object({
  desired: text.pipe(z.enum(['present', 'absent'])),
  phase: text.pipe(z.enum(['uninitialised', 'initialising', 'initialised'])),
  caHash: text.optional(),
  initInstanceId: text.optional(),
  incarnation: text,
  paused: z.object({ BOOL: z.boolean() }).transform(({ BOOL }) => BOOL),
});
export type Wanted = z.infer<typeof WANTED>;

const LEASE = z.object({ holder: text.optional() });

const NOBODY_ASKED: Wanted = { desired: 'absent', phase: 'uninitialised', incarnation: '', paused: false };

interface Launched {
  instanceId: string;
  at: number;
  slot: number | undefined;
  generation: string | undefined;
  incarnation: string;
}

/** How long an instance has been in good health, and when it last was. */
interface Health {
  since: number | undefined;
  last: number;
  /** Since when one signal at most speaks against it: the load balancer may fail to reach it. */
  servesSince: number | undefined;
  /** When it last was. */
  served: number;
  /** When it last had been so for long enough that nothing can be held against it from before. */
  sound: number;
}

const UNKNOWN: Health = { since: undefined, last: 0, servesSince: undefined, served: 0, sound: 0 };

/** For how long a server must have been well before nobody can hold a signal against it, ms: the dwell and one look. */
const CLEARED_MS = 180_000;

/** The instance whose etcd a member is: Nodes are named after instances. */
export const instanceOf = ({ name }: Pick<CensusMember, 'name'>): string | undefined => /^i-[0-9a-f]+/.exec(name)?.[0];

export class Truth {
  /** K3s clusters of which a member runs. */
  clusters: ClusterCensus[] = [];
  /** Since when nobody could write although a cluster was wanted and initialised, epoch ms. */
  lostSince: number | undefined;
  /** When that was last over, epoch ms. */
  regainedAt = 0;
  /** Since when the cluster has been initialised, epoch ms. */
  initialisedSince: number | undefined;
  /** The CA of the cluster that was initialised when one was wanted last: there is to be no other until nobody wants one. */
  authority: string | undefined;
  /** Every launch so far, in this order. */
  private readonly launches: Launched[] = [];
  private readonly health = new Map<string, Health>();
  private pauseSeenAt: number | undefined;
  private lastVoting: { cluster: ClusterCensus; at: number } | undefined;
  private readonly slots = new Map<string, number>();
  private known: { wanted: Wanted; holder: string | undefined } | undefined;

  constructor(private readonly cluster: TestCluster) {}

  get now(): number {
    return this.cluster.clock.now();
  }

  /** Looks; to be called every second. */
  look(): void {
    const { now } = this;
    this.clusters = this.cluster.aws.k3s.clusters().filter(({ members }) => members.some(({ running }) => running));
    const idsOf = (instances: Instance[]) => new Set(instances.map(({ instanceId }) => instanceId));
    const servers = this.living.filter((instance) => this.serves(instance));
    const serving = idsOf(servers);
    const well = idsOf(servers.filter(({ privateIp }) => this.cluster.aws.network.reachable('nlb', privateIp)));
    for (const { instanceId } of this.living) {
      const known = this.health.get(instanceId) ?? UNKNOWN;
      const since = well.has(instanceId) ? (known.since ?? now) : undefined;
      const servesSince = serving.has(instanceId) ? (known.servesSince ?? now) : undefined;
      const sound = servesSince !== undefined && now - servesSince >= CLEARED_MS ? now : known.sound;
      const last = since === undefined ? known.last : now;
      const served = servesSince === undefined ? known.served : now;
      this.health.set(instanceId, { since, last, servesSince, served, sound });
    }
    const { desired, phase, paused, caHash } = this.wanted;
    this.authority = desired === 'absent' ? undefined : (this.authority ?? caHash);
    this.pauseSeenAt = paused ? (this.pauseSeenAt ?? now) : undefined;
    this.initialisedSince = phase === 'initialised' ? (this.initialisedSince ?? now) : undefined;
    if (this.voting) this.lastVoting = { cluster: this.voting, at: now };
    const lost = desired === 'present' && phase === 'initialised' && this.voting === undefined;
    if (this.lostSince !== undefined && !lost) this.regainedAt = now;
    this.lostSince = lost ? (this.lostSince ?? now) : undefined;
  }

  /** Instances that are not ended or about to. */
  get living(): Instance[] {
    return this.cluster.aws.services.ec2
      .instances()
      .filter(({ state }) => state !== 'terminated' && state !== 'shutting-down');
  }

  instance(instanceId: string): Instance | undefined {
    return this.cluster.aws.services.ec2.instance(instanceId);
  }

  /** Of any instance that ever was: its tags are gone soon after it. */
  slotOf(instanceId: string): number | undefined {
    const tag = this.instance(instanceId)?.tags.get('k3s:slot');
    if (tag !== undefined) this.slots.set(instanceId, Number(tag));
    return this.slots.get(instanceId);
  }

  /** An instance was launched. */
  noteLaunch({ instanceId }: Instance): void {
    const { incarnation } = this.wanted;
    const generation = this.instance(instanceId)?.tags.get('k3s:generation');
    this.launches.push({ instanceId, at: this.now, slot: this.slotOf(instanceId), generation, incarnation });
  }

  /** Those that were launched for the same slot and generation, in the order of their launches. */
  twinsOf(instanceId: string): string[] {
    const own = this.launches.find((launch) => launch.instanceId === instanceId);
    return this.launches
      .filter(({ slot, generation }) => slot === own?.slot && generation === own?.generation)
      .map((launch) => launch.instanceId);
  }

  /** Whether it was launched before the other one. */
  isOlder(instanceId: string, other: string): boolean {
    const ids = this.launches.map((launch) => launch.instanceId);
    return ids.indexOf(instanceId) < ids.indexOf(other);
  }

  /**
   * How many servers of this life of the cluster were replaced since then, epoch ms: they had done their work, and are gone,
   * and the first machine after them was launched in that time. A spare for one that is still there has replaced nobody.
   */
  replacementsSince(time: number): number {
    const own = this.launches.filter(({ incarnation }) => incarnation === this.wanted.incarnation);
    const living = new Set(this.living.map(({ instanceId }) => instanceId));
    return own.filter((lost) => {
      if (living.has(lost.instanceId) || (this.health.get(lost.instanceId)?.last ?? 0) === 0) return false;
      const successor = own.find(({ slot, at }) => slot === lost.slot && at > lost.at);
      return successor !== undefined && successor.at > time;
    }).length;
  }

  /** The cluster that can be written to. */
  get voting(): ClusterCensus | undefined {
    return this.clusters.find(({ leader }) => leader !== undefined);
  }

  /** The same, or the one that could be until so long ago, ms: nobody can know sooner that it has lost its leader. */
  votingLately(ms: number): ClusterCensus | undefined {
    const { voting, lastVoting, now } = this;
    return voting ?? (lastVoting && now - lastVoting.at <= ms ? lastVoting.cluster : undefined);
  }

  /** Since when healing has been paused, epoch ms: looked at every few seconds, except that a pause may be over since. */
  get pausedSince(): number | undefined {
    return this.wanted.paused ? this.pauseSeenAt : undefined;
  }

  /** For how long, ms, it has been in good health without a break. */
  wellFor(instanceId: string): number {
    const since = this.health.get(instanceId)?.since;
    return since === undefined ? 0 : this.now - since;
  }

  /** How long ago, ms, nothing could be held against it. */
  soundAgo(instanceId: string): number {
    return this.now - (this.health.get(instanceId)?.sound ?? 0);
  }

  /** How long ago, ms, it last voted and served, whether or not the load balancer reached it. */
  servedAgo(instanceId: string): number {
    return this.now - (this.health.get(instanceId)?.served ?? 0);
  }

  /** How long ago, ms, it was last in good health. */
  wellAgo(instanceId: string): number {
    return this.now - (this.health.get(instanceId)?.last ?? 0);
  }

  get wanted(): Wanted {
    return this.records.wanted;
  }

  /** ARN of the execution that holds the lease. */
  get holder(): string | undefined {
    return this.records.holder;
  }

  /** The table was written to. */
  recordChanged(): void {
    this.known = undefined;
  }

  private get records(): { wanted: Wanted; holder: string | undefined } {
    if (this.known) return this.known;
    const { cluster } = this;
    const items = cluster.aws.services.dynamodb.items(cluster.table);
    const item = (name: string) => items.find(({ id }) => id && 'S' in id && id.S === name);
    const wanted = item('cluster');
    this.known = {
      wanted: wanted ? WANTED.parse(wanted) : NOBODY_ASKED,
      holder: LEASE.parse(item('lease') ?? {}).holder?.split('#')[0],
    };
    return this.known;
  }

  /** It runs, votes and serves; well is one that the load balancer reaches, too. */
  private serves({ instanceId, privateIp, state }: Instance): boolean {
    if (state !== 'running' || !this.cluster.aws.network.reachable(privateIp, 'aws')) return false;
    return this.clusters.some(({ members }) =>
      members.some((member) => member.serving && !member.learner && instanceOf(member) === instanceId),
    );
  }
}
