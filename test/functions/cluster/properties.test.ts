import * as fc from 'fast-check';
import { Plan } from '../../../functions/assess-cluster/contract';
import type { Observation } from '../../../functions/cluster/observation';
import { isEmpty, plan } from '../../../functions/cluster/planner';
import { mayRemove } from '../../../functions/cluster/quorum';
import { majority } from '../../../functions/cluster/slots';
import { nextSuspicions } from '../../../functions/cluster/suspicion';
import { assess } from '../../../functions/cluster/verdict';
import { DWELL_MS, id, JOIN_MS, MANIFESTS, NOW, POLICY, World } from './world';

/** What may have happened to the server of a slot. */
const FATES = [
  'fine',
  'fine',
  'fine',
  'terminated',
  'terminated without Node',
  'terminated without member',
  'vanished',
  'absent',
  'stopped',
  'stopped for long',
  'hangs',
  'hangs for long',
  'impaired',
  'silent',
  'agent lost',
  'learner',
  'old learner',
  'unjoined',
  'never came up',
  'unknown',
  'replaced',
  'being deleted',
  'unregistered',
] as const;
type Fate = (typeof FATES)[number];

const HAPPEN: Record<Fate, (world: World, slot: number) => unknown> = {
  fine: () => {},
  terminated: (world, slot) => world.terminate(slot),
  'terminated without Node': (world, slot) => world.terminate(slot).forgetIn(slot, { node: true }),
  'terminated without member': (world, slot) => world.terminate(slot).forgetIn(slot, { member: true }),
  vanished: (world, slot) => world.vanish(slot),
  absent: (world, slot) => world.vanish(slot).forgetIn(slot, { node: true, member: true }),
  stopped: (world, slot) => world.stop(slot, 0),
  'stopped for long': (world, slot) => world.stop(slot, DWELL_MS),
  hangs: (world, slot) => world.hang(slot),
  'hangs for long': (world, slot) => world.hang(slot, { forMs: DWELL_MS }),
  impaired: (world, slot) => Object.assign(world.instance(slot), { statusCheck: 'impaired' }),
  silent: (world, slot) => Object.assign(world.instance(slot), { report: null }),
  'agent lost': (world, slot) => Object.assign(world.instance(slot), { report: null, agent: 'lost' }),
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
  unknown: (world, slot) => Object.assign(world.instance(slot), { state: 'unknown', report: null, agent: 'unknown' }),
  replaced: (world, slot) => world.boot(slot, 2).join(slot, 2).serve(slot, 2),
  'being deleted': (world, slot) => Object.assign(world.node(slot)!, { deleting: true }),
  unregistered: (world, slot) => Object.assign(world.instance(slot).targets, { api: 'unregistered' }),
};

const worlds = fc
  .record({
    fates: fc
      .constantFrom(3, 5)
      .chain((servers) => fc.array(fc.constantFrom(...FATES), { minLength: servers, maxLength: servers })),
    seen: fc.boolean(),
    phase: fc.constantFrom('initialised', 'initialised', 'initialised', 'initialising', 'uninitialised'),
    paused: fc.boolean(),
    replacements: fc.array(fc.integer({ min: NOW - 7_200_000, max: NOW }), { maxLength: 4 }),
  })
  .map(({ fates, seen, phase, paused, replacements }) => {
    const world = World.healthy(fates.length);
    for (const [slot, fate] of fates.entries()) HAPPEN[fate](world, slot);
    if (!seen) world.blindfold();
    const { cluster } = world.observation;
    if (phase === 'uninitialised') cluster.phase = { name: phase };
    if (phase === 'initialising') cluster.phase = { name: phase, instanceId: id(0) };
    return Object.assign(world.observation, { cluster: { ...cluster, paused, replacements } });
  });

const planOf = (observation: Observation) => plan(observation, MANIFESTS);
const holds = (property: (observation: Observation) => void) =>
  fc.assert(fc.property(worlds, property), { numRuns: 800 });

/** Instance ids of the voters, told by the member list alone. */
const votersOf = ({ view }: Observation) =>
  (view?.members ?? []).filter(({ learner }) => !learner).map(({ name }) => name.slice(0, -'-0123abcd'.length));
const instanceOf = (observation: Observation, instanceId: string) =>
  observation.instances.find((instance) => instance.instanceId === instanceId);
const nodeOf = ({ view }: Observation, instanceId: string) => view?.nodes.find(({ name }) => name === instanceId);

/** Deliberately written without the code under test. */
function answersForItself(observation: Observation, instanceId: string): boolean {
  const instance = instanceOf(observation, instanceId);
  const node = nodeOf(observation, instanceId);
  if (instance?.state !== 'running' || node?.ready !== 'True' || node.deleting) return false;
  if (instance.report) return instance.report.etcdHealthy === true && instance.report.apiReady;
  return instance.agent === 'lost' && instance.targets.api === 'healthy';
}

function signals(observation: Observation, instanceId: string): number {
  const instance = instanceOf(observation, instanceId);
  const node = nodeOf(observation, instanceId);
  return (
    Number(instance?.targets.api === 'unhealthy') +
    Number(node !== undefined && node.ready !== 'True') +
    Number(instance?.statusCheck === 'impaired')
  );
}

describe('whatever has happened,', () => {
  it('after the planned removals the voters left with proof of health are a majority', () => {
    holds((observation) => {
      if (observation.cluster.phase.name !== 'initialised') return;
      const leaving = planOf(observation).retire.map(({ instanceId }) => instanceId);
      if (leaving.length === 0) return;
      const left = votersOf(observation).filter((instanceId) => !leaving.includes(instanceId));
      const proven = left.filter((instanceId) => answersForItself(observation, instanceId));
      expect(proven.length).toBeGreaterThanOrEqual(majority(left.length));
    });
  });

  it('a permission to remove, taken alone, leaves a majority as well', () => {
    holds((observation) => {
      if (observation.cluster.phase.name !== 'initialised') return;
      for (const { instanceId } of observation.instances) {
        if (!mayRemove(observation, instanceId).allowed) continue;
        const left = votersOf(observation).filter((voter) => voter !== instanceId);
        const proven = left.filter((voter) => answersForItself(observation, voter));
        expect(proven.length).toBeGreaterThanOrEqual(majority(left.length));
      }
    });
  });

  it('what is unknown is never retired, nor launched again', () => {
    holds((observation) => {
      const { retire, launch } = planOf(observation);
      for (const instance of observation.instances.filter(({ state }) => state === 'unknown')) {
        expect(retire.map(({ instanceId }) => instanceId)).not.toContain(instance.instanceId);
        expect(launch).not.toContainEqual({ slot: instance.slot });
      }
    });
  });

  it('a running voter is retired only for two signals and the dwell time, or for a proven successor', () => {
    holds((observation) => {
      if (observation.cluster.phase.name !== 'initialised') return;
      for (const { instanceId, slot } of planOf(observation).retire) {
        const instance = instanceOf(observation, instanceId);
        if (instance?.state !== 'running' || !votersOf(observation).includes(instanceId)) continue;
        if (!nodeOf(observation, instanceId)) continue;
        const since = observation.slots[slot]?.suspicion?.since ?? NOW;
        const sick = signals(observation, instanceId) >= 2 && NOW - since >= DWELL_MS;
        const successor = observation.instances.some(
          (other) =>
            other.slot === slot && other.instanceId !== instanceId && answersForItself(observation, other.instanceId),
        );
        expect(sick || successor).toBe(true);
      }
    });
  });

  it('at most one living voter leaves in a round, and none while another server is a learner', () => {
    holds((observation) => {
      if (observation.cluster.phase.name !== 'initialised') return;
      const { retire } = planOf(observation);
      const living = retire.filter(
        ({ instanceId }) =>
          votersOf(observation).includes(instanceId) &&
          ['running', 'stopped'].includes(instanceOf(observation, instanceId)?.state ?? ''),
      );
      expect(living.length).toBeLessThanOrEqual(1);
      const learners = (observation.view?.members ?? [])
        .filter(({ learner }) => learner)
        .map(({ name }) => name.slice(0, -'-0123abcd'.length))
        .filter((learner) => !retire.some(({ instanceId }) => instanceId === learner));
      if (learners.length > 0) expect(living).toEqual([]);
    });
  });

  it('an initialised cluster is never initialised again', () => {
    holds((observation) => {
      const verdict = assess(observation, POLICY);
      if (observation.cluster.phase.name === 'initialised') expect(verdict.plan.init).toBe(false);
      if (verdict.action === 'converge' && !verdict.plan.init) expect(verdict.plan.peer).not.toBeNull();
    });
  });

  it('the peer is alive, healthy and stays', () => {
    holds((observation) => {
      const { peer, retire } = planOf(observation);
      if (!peer) return;
      expect(answersForItself(observation, peer.instanceId)).toBe(true);
      expect(retire.map(({ instanceId }) => instanceId)).not.toContain(peer.instanceId);
    });
  });

  it('only a verdict to converge comes with something to do, and no other does', () => {
    holds((observation) => {
      const verdict = assess(observation, POLICY);
      expect(isEmpty(verdict.plan)).toBe(verdict.action !== 'converge');
      expect(verdict.reason).not.toBe('');
      expect(Plan.safeParse(verdict.plan).error).toBeUndefined();
    });
  });

  it('a cluster called whole has one server in service per slot', () => {
    holds((observation) => {
      if (assess(observation, POLICY).action !== 'none') return;
      for (const { slot } of observation.slots) {
        const servers = observation.instances.filter(
          (instance) => instance.slot === slot && answersForItself(observation, instance.instanceId),
        );
        expect(servers).toHaveLength(1);
      }
    });
  });

  it('a paused or often repaired cluster loses nothing', () => {
    holds((observation) => {
      const { paused, phase, replacements } = observation.cluster;
      if (phase.name !== 'initialised') return;
      const { action, plan: planned } = assess(observation, POLICY);
      if (paused) expect(action).not.toBe('converge');
      if (replacements.filter((at) => at > NOW - 3_600_000).length < 3) return;
      const known = planned.retire.filter(({ reason }) => !/surplus|left/.test(reason));
      expect(known).toEqual([]);
    });
  });

  it('nothing is started, launched or joined twice', () => {
    holds((observation) => {
      const { launch, start } = planOf(observation);
      const slots = [...launch, ...start].map(({ slot }) => slot);
      expect(new Set(slots).size).toBe(slots.length);
    });
  });

  it('a second look a moment later keeps the same suspicions', () => {
    holds((observation) => {
      const suspicions = nextSuspicions(observation);
      const slots = observation.slots.map((record, slot) => ({
        ...record,
        suspicion: suspicions[slot]?.suspicion ?? null,
      }));
      const later = nextSuspicions({ ...observation, at: observation.at + 10_000, slots });
      const lasting = ({ slot, suspicion }: (typeof later)[number]) => ({
        slot,
        suspicion: suspicion && { ...suspicion, lastSeen: NOW },
      });
      expect(later.map(lasting)).toEqual(suspicions.map(lasting));
    });
  });
});
