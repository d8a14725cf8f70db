import { Plan } from '../../../functions/assess-cluster/contract';
import { isReplacement } from '../../../functions/cluster/judgement';
import { EMPTY_PLAN, isEmpty } from '../../../functions/cluster/planner';
import { assess } from '../../../functions/cluster/verdict';
import { answersForItself, instanceOf, majorityOf, signalsAgainst, votersOf } from './oracle';
import { NOW, POLICY } from './world';
import { always, alwaysOnce } from './worlds';

describe('the verdict, whatever has happened,', () => {
  it('comes with something to do when it is to converge, and never otherwise, but for a spare', () => {
    always((observation) => {
      const verdict = assess(observation, POLICY);
      const spare = verdict.action === 'watch' && verdict.plan.launch.length > 0;
      expect(isEmpty(verdict.plan)).toBe(verdict.action !== 'converge' && !spare);
      expect(Plan.safeParse(verdict.plan).error).toBeUndefined();
    });
  });

  it('launches one spare at most while it waits, and only for a server that might be replaced but for the dwell', () => {
    always((observation) => {
      const { action, plan } = assess(observation, POLICY);
      if (action !== 'watch' || plan.launch.length === 0) return;
      expect(plan).toEqual({ ...EMPTY_PLAN, launch: [{ slot: expect.any(Number), after: expect.any(Number) }] });
      const living = observation.instances.filter(({ state }) => state !== 'terminated' && state !== 'shutting-down');
      expect(living).toHaveLength(observation.slots.length);
      const suspect = living.find(({ slot }) => slot === plan.launch[0]?.slot);
      const stopped = suspect?.state === 'stopped' || suspect?.state === 'stopping';
      expect(stopped || signalsAgainst(observation, suspect?.instanceId ?? '') >= 2).toBe(true);
      expect(observation.cluster.paused).toBe(false);
    });
  });

  it('has a reason, and names what a person should know of when it refuses or waits', () => {
    always((observation) => {
      const { action, reason, concern } = assess(observation, POLICY);
      expect(reason).not.toBe('');
      if (action === 'refuse' || action === 'watch') expect(concern).not.toBeNull();
      if (action === 'converge') expect(concern?.code ?? 'replacement-limit').toBe('replacement-limit');
    });
  });

  it('waits for a while, and not for ever, when it waits', () => {
    always((observation) => {
      const { action, recheckAfterSeconds } = assess(observation, POLICY);
      if (action !== 'watch') return;
      expect(recheckAfterSeconds).toBeGreaterThan(0);
      expect(recheckAfterSeconds).toBeLessThanOrEqual(90);
    });
  });

  it('calls whole only what has one server in service per slot, and traffic for it', () => {
    always((observation) => {
      if (assess(observation, POLICY).action !== 'none') return;
      for (const { slot } of observation.slots) {
        const servers = observation.instances.filter(
          (instance) => instance.slot === slot && answersForItself(observation, instance.instanceId),
        );
        expect(servers).toHaveLength(1);
        expect(servers[0]?.targets).toEqual({ http: 'healthy', https: 'healthy', api: 'healthy' });
      }
    });
  });

  it('changes nothing of an initialised cluster that is paused, without a peer, or of another version', () => {
    alwaysOnce((observation) => {
      const { action, plan } = assess(observation, POLICY);
      if (observation.cluster.paused) expect(action).not.toBe('converge');
      if (action !== 'converge') return;
      expect(plan.peer).not.toBeNull();
      if (observation.cluster.k3sVersion !== POLICY.k3sVersion) expect([...plan.launch, ...plan.start]).toEqual([]);
    });
  });

  it('replaces no fourth server within an hour', () => {
    alwaysOnce((observation) => {
      const left = observation.slots.flatMap(({ departures }) => departures);
      const recent = left.filter(({ at }) => at > NOW - 3_600_000);
      const more = assess(observation, POLICY).plan.retire.filter(({ kind }) => isReplacement(kind));
      if (more.length > 0) expect(recent.length + more.length).toBeLessThanOrEqual(3);
    });
  });

  it('touches nothing that nobody wants', () => {
    always((observation) => {
      if (observation.cluster.desired === 'absent') expect(assess(observation, POLICY).action).toBe('refuse');
    });
  });

  it('touches nothing when nobody can describe an initialised cluster', () => {
    alwaysOnce((observation) => {
      if (observation.view === null) expect(['watch', 'refuse']).toContain(assess(observation, POLICY).action);
    });
  });

  it('destroys nothing when the majority is lost', () => {
    alwaysOnce((observation) => {
      const voters = votersOf(observation);
      const alive = voters.filter((instanceId) => answersForItself(observation, instanceId));
      if (alive.length >= majorityOf(voters.length)) return;
      // With leftovers gone the rest may be a majority: then the removals themselves are what the quorum allows.
      const { plan } = assess(observation, POLICY);
      const left = voters.filter((instanceId) => !plan.retire.some((leaving) => leaving.instanceId === instanceId));
      if (alive.length < majorityOf(left.length)) expect(plan.retire).toEqual([]);
    });
  });

  it('creates no cluster beside one that answers', () => {
    always((observation) => {
      const { phase } = observation.cluster;
      if (phase.name === 'initialised' || observation.view === null) return;
      const initialiser = phase.name === 'initialising' ? phase.instanceId : null;
      const others = votersOf(observation).filter(
        (instanceId) => instanceId !== initialiser || !instanceOf(observation, instanceId),
      );
      if (others.length > 0) expect(assess(observation, POLICY).plan.init).toBe(false);
    });
  });
});
