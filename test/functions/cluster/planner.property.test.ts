import type { Observation } from '../../../functions/cluster/observation';
import { draft, plan } from '../../../functions/cluster/planner';
import { answersForItself, instanceOf, learnersOf, majorityOf, nodeOf, signalsAgainst, votersOf } from './oracle';
import { DWELL_MS, MANIFESTS, NOW } from './world';
import { always, alwaysOnce } from './worlds';

const planOf = (observation: Observation) => plan(observation, MANIFESTS);
const leavingIn = (observation: Observation) => planOf(observation).retire.map(({ instanceId }) => instanceId);

describe('the plan, whatever has happened,', () => {
  it('leaves a majority of voters that are proven healthy after all its removals', () => {
    alwaysOnce((observation) => {
      const leaving = leavingIn(observation);
      if (leaving.length === 0) return;
      const left = votersOf(observation).filter((instanceId) => !leaving.includes(instanceId));
      const proven = left.filter((instanceId) => answersForItself(observation, instanceId));
      expect(proven.length).toBeGreaterThanOrEqual(majorityOf(left.length));
    });
  });

  it('neither retires nor launches again what is unknown', () => {
    always((observation) => {
      const { launch } = planOf(observation);
      for (const instance of observation.instances.filter(({ state }) => state === 'unknown')) {
        expect(leavingIn(observation)).not.toContain(instance.instanceId);
        const others = observation.instances.filter((other) => other.slot === instance.slot && other !== instance);
        if (others.length === 0) expect(launch).not.toContainEqual({ slot: instance.slot });
      }
    });
  });

  it('retires a running voter only for two signals and the dwell time, or for a proven successor', () => {
    alwaysOnce((observation) => {
      for (const instanceId of leavingIn(observation)) {
        const instance = instanceOf(observation, instanceId);
        if (instance?.state !== 'running' || !votersOf(observation).includes(instanceId)) continue;
        if (!nodeOf(observation, instanceId)) continue;
        const suspicion = observation.slots[instance.slot]?.suspicion;
        const since = suspicion?.instanceId === instanceId ? suspicion.since : NOW;
        const sick = signalsAgainst(observation, instanceId) >= 2 && NOW - since >= DWELL_MS;
        const successor = observation.instances.some(
          (other) =>
            other.slot === instance.slot && other !== instance && answersForItself(observation, other.instanceId),
        );
        expect(sick || successor).toBe(true);
      }
    });
  });

  it('takes at most one living voter, and none while another server is a learner', () => {
    alwaysOnce((observation) => {
      const leaving = leavingIn(observation);
      const living = leaving.filter(
        (instanceId) =>
          votersOf(observation).includes(instanceId) &&
          ['running', 'stopped'].includes(instanceOf(observation, instanceId)?.state ?? ''),
      );
      expect(living.length).toBeLessThanOrEqual(1);
      const learners = learnersOf(observation).filter((learner) => !leaving.includes(learner));
      if (learners.length > 0) expect(living).toEqual([]);
    });
  });

  it('never names the same slot twice to launch or start, nor launches where a healthy server is', () => {
    always((observation) => {
      const { launch, start } = planOf(observation);
      const slots = [...launch, ...start].map(({ slot }) => slot);
      expect(new Set(slots).size).toBe(slots.length);
      for (const { slot } of launch) {
        const healthy = observation.instances.filter(
          (instance) =>
            instance.slot === slot &&
            votersOf(observation).includes(instance.instanceId) &&
            answersForItself(observation, instance.instanceId) &&
            signalsAgainst(observation, instance.instanceId) < 2,
        );
        expect(healthy).toEqual([]);
      }
    });
  });

  it('launches no successor for a server that may not leave yet', () => {
    alwaysOnce((observation) => {
      const { plan: planned, postponed } = draft(observation, MANIFESTS);
      const held = new Set(postponed.map(({ retirement }) => retirement.slot));
      const kept = new Set(planned.launch.map(({ slot }) => slot));
      expect([...held].filter((slot) => kept.has(slot))).toEqual([]);
    });
  });

  it('works through a peer that is alive, healthy and stays', () => {
    always((observation) => {
      const { peer } = planOf(observation);
      if (!peer) return;
      expect(answersForItself(observation, peer.instanceId)).toBe(true);
      expect(leavingIn(observation)).not.toContain(peer.instanceId);
    });
  });

  it('never initialises an initialised cluster, and an initialising one nowhere but where it began', () => {
    always((observation) => {
      const { phase } = observation.cluster;
      const { init, initInstanceId } = planOf(observation);
      if (phase.name === 'initialised') expect(init).toBe(false);
      if (initInstanceId !== null) expect(phase).toMatchObject({ name: 'initialising', instanceId: initInstanceId });
      if (phase.name !== 'initialising') return;
      const initialiser = instanceOf(observation, phase.instanceId);
      const lives = initialiser && initialiser.state !== 'terminated' && initialiser.state !== 'shutting-down';
      if (lives && !leavingIn(observation).includes(phase.instanceId)) expect(initInstanceId).toBe(phase.instanceId);
    });
  });
});
