/** Generated observations: everything that can have happened to the servers, and everything that can fail to be seen. */
import * as fc from 'fast-check';
import type { Observation, ObservedInstance } from '../../../functions/cluster/observation';
import { tableOf } from './table';
import { DWELL_MS, id, JOIN_MS, NOW, World } from './world';

/** What may have happened to the server of a slot. The first is what a failing case shrinks towards. */
const FATES: Record<string, (world: World, slot: number) => unknown> = {
  fine: () => {},
  terminated: (world, slot) => world.terminate(slot),
  'terminated without Node': (world, slot) => world.terminate(slot).forgetIn(slot, { node: true }),
  'terminated without member': (world, slot) => world.terminate(slot).forgetIn(slot, { member: true }),
  vanished: (world, slot) => world.vanish(slot),
  'vanished without Node': (world, slot) => world.vanish(slot).forgetIn(slot, { node: true }),
  absent: (world, slot) => world.vanish(slot).forgetIn(slot, { node: true, member: true }),
  stopped: (world, slot) => world.stop(slot, 0),
  'stopped for long': (world, slot) => world.stop(slot, DWELL_MS),
  hangs: (world, slot) => world.hang(slot),
  'hangs for long': (world, slot) => world.hang(slot, { forMs: DWELL_MS }),
  learner: (world, slot) => Object.assign(world.member(slot)!, { learner: true }),
  'old learner': (world, slot) => {
    world.member(slot)!.learner = true;
    world.instance(slot).launchedAt = NOW - JOIN_MS;
  },
  unjoined: (world, slot) =>
    world
      .vanish(slot)
      .forgetIn(slot, { node: true, member: true })
      .boot(slot, 2, { inventoried: slot % 2 === 0 }),
  'never came up': (world, slot) => {
    world.vanish(slot).forgetIn(slot, { node: true, member: true });
    world.boot(slot, 2, { agent: 'never', report: null, launchedAt: NOW - JOIN_MS });
  },
  'failed for good': (world, slot) => {
    world.vanish(slot).forgetIn(slot, { node: true, member: true }).boot(slot, 2);
    world.instance(slot, 2).report!.k3s = 'failed';
  },
  'in its user data': (world, slot) => {
    world.vanish(slot).forgetIn(slot, { node: true, member: true }).boot(slot, 2);
    world.instance(slot, 2).report!.k3s = 'preparing';
  },
  'stuck in its user data': (world, slot) => {
    world
      .vanish(slot)
      .forgetIn(slot, { node: true, member: true })
      .boot(slot, 2, { launchedAt: NOW - JOIN_MS });
    world.instance(slot, 2).report!.k3s = 'preparing';
  },
  replaced: (world, slot) => world.boot(slot, 2).join(slot, 2).serve(slot, 2),
  'has a spare': (world, slot) => world.hang(slot).boot(slot, 2),
  'terminated, with a successor': (world, slot) => world.terminate(slot).boot(slot, 2),
};

/** What may be wrong with a server, or not be seen of it, on top of that. */
const BLEMISHES: Record<string, (observation: Observation, instance: ObservedInstance) => unknown> = {
  'says nothing': (_, instance) => Object.assign(instance, { report: null }),
  'has lost its agent': (_, instance) => Object.assign(instance, { report: null, agent: 'lost' }),
  'is unknown to EC2': (_, instance) => Object.assign(instance, { state: 'unknown', report: null, agent: 'unknown' }),
  'is impaired': (_, instance) => Object.assign(instance, { statusCheck: 'impaired' }),
  'has an unseen status check': (_, instance) => Object.assign(instance, { statusCheck: 'unknown' }),
  'has unseen targets': (_, { targets }) =>
    Object.assign(targets, { http: 'unknown', https: 'unknown', api: 'unknown' }),
  'is unhealthy for the load balancer': (_, { targets }) => Object.assign(targets, { api: 'unhealthy' }),
  'is healthy for the load balancer': (_, { targets }) => Object.assign(targets, { api: 'healthy' }),
  'is not registered': (_, { targets }) => Object.assign(targets, { api: 'unregistered' }),
  'has no healthy etcd': (_, { report }) => report && Object.assign(report, { etcdHealthy: false }),
  'says that it is in its user data': (_, { report }) =>
    report && Object.assign(report, { k3s: 'preparing', etcdHealthy: null, apiReady: false }),
  'is not Ready': (observation, instance) => nodeIn(observation, instance, { ready: 'Unknown' }),
  'is Ready': (observation, instance) => nodeIn(observation, instance, { ready: 'True' }),
  'is being deleted': (observation, instance) => nodeIn(observation, instance, { deleting: true }),
  'describes no cluster': ({ view }, { instanceId }) => {
    if (view) view.reporters = view.reporters.filter((reporter) => reporter !== instanceId);
  },
};

function nodeIn({ view }: Observation, { instanceId }: ObservedInstance, change: object): void {
  const node = view?.nodes.find(({ name }) => name === instanceId);
  if (node) Object.assign(node, change);
}

const fates = fc.constantFrom(...Object.keys(FATES));
const fatesOfMany = fc.constantFrom(3, 5).chain((servers) =>
  fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant('fine') }, { weight: 3, arbitrary: fates }), {
    minLength: servers,
    maxLength: servers,
  }),
);

/** Observations that a cluster can come to, printed as a table when a property fails for one. */
export const worlds = fc
  .record({
    fates: fatesOfMany,
    blemishes: fc.array(fc.record({ server: fc.nat(9), what: fc.constantFrom(...Object.keys(BLEMISHES)) }), {
      maxLength: 4,
    }),
    seen: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.constant(false)),
    phase: fc.constantFrom('initialised', 'initialised', 'initialised', 'initialising', 'uninitialised'),
    desired: fc.oneof({ weight: 9, arbitrary: fc.constant('present' as const) }, fc.constant('absent' as const)),
    paused: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    version: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, fc.constant(false)),
    replacements: fc.array(fc.integer({ min: NOW - 7_200_000, max: NOW }), { maxLength: 4 }),
  })
  .map(({ fates, blemishes, seen, phase, desired, paused, version, replacements }) => {
    const world = World.healthy(fates.length);
    for (const [slot, fate] of fates.entries()) FATES[fate]!(world, slot);
    const { observation } = world;
    for (const { server, what } of blemishes) {
      const instance = observation.instances[server % Math.max(observation.instances.length, 1)];
      if (instance) BLEMISHES[what]!(observation, instance);
    }
    if (!seen) world.blindfold('reports: Throttled');
    const { cluster } = observation;
    if (phase === 'uninitialised') cluster.phase = { name: phase };
    if (phase === 'initialising') cluster.phase = { name: phase, instanceId: id(0) };
    Object.assign(cluster, { desired, paused });
    for (const [index, at] of replacements.entries()) world.left(index % fates.length, at);
    if (!version) cluster.k3sVersion = 'v1.33.0+k3s1';
    return shown(observation);
  });

/** Makes a failing property print the observation as a table. */
export function shown(observation: Observation): Observation {
  return Object.defineProperty(observation, fc.toStringMethod, { value: () => tableOf(observation) });
}

/**
 * How often, and from where: fixed, so that a failure is a change of the code. `PROPERTY_RUNS=20000` looks longer,
 * `PROPERTY_SEED=7` elsewhere.
 */
export function runs(usually: number): { numRuns: number; seed: number } {
  const { PROPERTY_RUNS, PROPERTY_SEED } = process.env;
  return { numRuns: Number(PROPERTY_RUNS ?? usually), seed: Number(PROPERTY_SEED ?? 20261122) };
}

/** Asserts something of every generated observation. */
export function always(property: (observation: Observation) => void): void {
  fc.assert(fc.property(worlds, property), runs(500));
}

/** Asserts something of every generated observation of an initialised cluster. */
export function alwaysOnce(initialised: (observation: Observation) => void): void {
  always((observation) => {
    if (observation.cluster.phase.name === 'initialised') initialised(observation);
  });
}
