import { DEFAULT_LIMITS } from '../../../functions/cluster/limits';
import type {
  ClusterNode,
  EtcdMember,
  Observation,
  ObservedInstance,
  Phase,
  ServerReport,
} from '../../../functions/cluster/observation';
import type { Policy } from '../../../functions/cluster/verdict';

export const NOW = Date.UTC(2026, 10, 22, 14, 0, 0);
export const MANIFESTS = 'a'.repeat(64);
export const CA_HASH = 'c'.repeat(64);
export const VERSION = 'v1.34.1+k3s1';
export const POLICY: Policy = { k3sVersion: VERSION, manifests: MANIFESTS, limits: DEFAULT_LIMITS };
export const DWELL_MS = DEFAULT_LIMITS.dwellSeconds * 1000;
export const JOIN_MS = DEFAULT_LIMITS.joinSeconds * 1000;

/** Id of the instance of a slot and generation: `i-00000001` is the first one of server-0. */
export const id = (slot: number, generation = 1) => `i-${slot}${String(generation).padStart(7, '0')}`;
export const address = (slot: number, generation = 1) => `10.0.${slot}.${generation}`;
export const memberName = (slot: number, generation = 1) => `${id(slot, generation)}-0123abcd`;

/** What the world looks like, changed step by step towards the case of a test. */
export class World {
  readonly observation: Observation;

  private constructor(
    readonly servers: number,
    phase: Phase,
  ) {
    this.observation = {
      at: NOW,
      cluster: {
        desired: 'present',
        phase,
        incarnation: 'b9a3a1f0-0000-4000-a000-000000000000',
        k3sVersion: phase.name === 'uninitialised' ? null : VERSION,
        paused: false,
        appliedManifests: phase.name === 'initialised' ? MANIFESTS : null,
      },
      slots: Array.from({ length: servers }, (_, slot) => ({
        slot,
        generation: 0,
        instances: [],
        suspicion: null,
        departures: [],
        replacing: null,
      })),
      instances: [],
      view: null,
      blind: [],
    };
  }

  /** A person has asked for a cluster; nothing exists. */
  static empty(servers = 3): World {
    return new World(servers, { name: 'uninitialised' });
  }

  /** Every server in service. */
  static healthy(servers = 3): World {
    const world = new World(servers, { name: 'initialised', caHash: CA_HASH });
    for (let slot = 0; slot < servers; slot++) world.boot(slot).join(slot).serve(slot);
    return world;
  }

  /** A machine runs and nobody has told it to start K3s. */
  boot(slot: number, generation = 1, fields: Partial<ObservedInstance> = {}): this {
    const instance: ObservedInstance = {
      instanceId: id(slot, generation),
      slot,
      generation,
      inventoried: true,
      state: 'running',
      availabilityZone: `eu-west-3${'abc'[slot % 3]}`,
      privateIp: address(slot, generation),
      launchedAt: NOW - 60_000,
      statusCheck: 'ok',
      agent: 'online',
      targets: { http: 'unregistered', https: 'unregistered', api: 'unregistered' },
      report: idle(),
      ...fields,
    };
    this.observation.instances.push(instance);
    const record = this.observation.slots[slot];
    if (record && instance.inventoried) {
      record.generation = Math.max(record.generation, generation);
      record.instances.push({ instanceId: instance.instanceId, generation, launchedAt: instance.launchedAt ?? NOW });
    }
    return this;
  }

  /** K3s runs on it, Ready and a voter; it reports, as the others do. */
  join(slot: number, generation = 1): this {
    const view = this.observation.view ?? { reporters: [], members: [], nodes: [] };
    this.observation.view = view;
    view.reporters.push(id(slot, generation));
    view.members.push({ name: memberName(slot, generation), address: address(slot, generation), learner: false });
    view.nodes.push({
      name: id(slot, generation),
      ready: 'True',
      voter: true,
      deleting: false,
      member: memberName(slot, generation),
      address: address(slot, generation),
    });
    this.instance(slot, generation).report = {
      ...idle(),
      k3s: 'active',
      etcdHealthy: true,
      apiReady: true,
      caHash: CA_HASH,
      k3sVersion: VERSION,
    };
    return this;
  }

  /** The load balancer sends it traffic. */
  serve(slot: number, generation = 1): this {
    this.instance(slot, generation).targets = { http: 'healthy', https: 'healthy', api: 'healthy' };
    return this;
  }

  /** It does not answer any more: EC2 still says running. */
  hang(slot: number, options: { forMs?: number; generation?: number } = {}): this {
    const { forMs = 0, generation = 1 } = options;
    const instance = this.instance(slot, generation);
    instance.report = null;
    instance.targets.api = 'unhealthy';
    this.silence(slot, generation);
    const node = this.node(slot, generation);
    if (node) node.ready = 'Unknown';
    return this.suspect(slot, ['API target unhealthy', 'Node not Ready'], forMs, generation);
  }

  /** A server of the slot had to be replaced at this time, epoch ms, and has been forgotten. */
  left(slot: number, at: number, { failed = false } = {}): this {
    const { slots, cluster } = this.observation;
    const departures = slots[slot]?.departures;
    const instanceId = `i-0${slot}${String(departures?.length ?? 0).padStart(15, 'f')}`;
    const incarnation = cluster.phase.name === 'initialised' ? cluster.incarnation : null;
    departures?.push({ instanceId, at, failed, incarnation });
    return this;
  }

  terminate(slot: number, generation = 1): this {
    const instance = this.instance(slot, generation);
    Object.assign(instance, { state: 'terminated', privateIp: null, report: null, agent: 'unknown' });
    instance.targets.api = 'unused';
    return this.silence(slot, generation);
  }

  stop(slot: number, forMs: number): this {
    Object.assign(this.instance(slot), { state: 'stopped', report: null, agent: 'lost' });
    return this.silence(slot).suspect(slot, ['stopped'], forMs);
  }

  suspect(slot: number, signals: string[], forMs: number, generation = 1): this {
    const record = this.observation.slots[slot];
    if (record)
      record.suspicion = {
        instanceId: id(slot, generation),
        since: NOW - forMs,
        lastSeen: NOW - Math.min(forMs, 20_000),
        signals,
      };
    return this;
  }

  /** Nobody can describe the cluster. */
  blindfold(...reasons: string[]): this {
    this.observation.view = null;
    this.observation.blind.push(...reasons);
    for (const instance of this.observation.instances) instance.report = null;
    return this;
  }

  instance(slot: number, generation = 1): ObservedInstance {
    const found = this.observation.instances.find(({ instanceId }) => instanceId === id(slot, generation));
    if (!found) throw new Error(`the world has no ${id(slot, generation)}`);
    return found;
  }

  node(slot: number, generation = 1): ClusterNode | undefined {
    return this.observation.view?.nodes.find(({ name }) => name === id(slot, generation));
  }

  member(slot: number, generation = 1): EtcdMember | undefined {
    return this.observation.view?.members.find(({ name }) => name === memberName(slot, generation));
  }

  /** The Node is gone from the view, the member or both. */
  forgetIn(slot: number, what: { node?: boolean; member?: boolean }, generation = 1): this {
    const { view } = this.observation;
    if (!view) return this;
    if (what.node) view.nodes = view.nodes.filter(({ name }) => name !== id(slot, generation));
    if (what.member) view.members = view.members.filter(({ name }) => name !== memberName(slot, generation));
    return this;
  }

  /** Not in the table and not in EC2. */
  vanish(slot: number, generation = 1): this {
    const { instances, slots } = this.observation;
    instances.splice(instances.indexOf(this.instance(slot, generation)), 1);
    const record = slots[slot];
    if (record) record.instances = record.instances.filter(({ instanceId }) => instanceId !== id(slot, generation));
    return this.silence(slot, generation);
  }

  private silence(slot: number, generation = 1): this {
    const { view } = this.observation;
    if (view) view.reporters = view.reporters.filter((reporter) => reporter !== id(slot, generation));
    return this;
  }
}

function idle(): ServerReport {
  return {
    k3s: 'inactive',
    etcdHealthy: null,
    apiReady: false,
    members: null,
    nodes: null,
    caHash: null,
    k3sVersion: null,
  };
}
