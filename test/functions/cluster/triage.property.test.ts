import type { Observation } from '../../../functions/cluster/observation';
import { type Healing, triage } from '../../../functions/cluster/triage';
import { assess } from '../../../functions/cluster/verdict';
import { POLICY } from './world';
import { always, alwaysOnce, shown } from './worlds';

const NOTHING: Healing = { attempt: null, refusal: null, announced: null };

/** As the check of every minute sees it. */
function glance(observation: Observation): Observation {
  return shown({
    ...observation,
    view: null,
    instances: observation.instances.map((instance) => ({
      ...instance,
      report: null,
      statusCheck: 'unknown',
      targets: { ...instance.targets, https: 'unknown' },
    })),
  });
}

describe('the check of every minute, whatever has happened,', () => {
  it('starts nothing that nobody wants, nothing before the creation, nothing while paused, nothing beside another', () => {
    always((observation) => {
      const { desired, phase, paused } = observation.cluster;
      const { decision } = triage(glance(observation), NOTHING, 'none');
      if (desired === 'absent' || phase.name !== 'initialised') expect(decision).toBe('none');
      if (paused) expect(decision).not.toBe('start');
      expect(triage(glance(observation), NOTHING, 'running').decision).toBe('none');
    });
  });

  it('overlooks no server that is gone, stopped or missing', () => {
    alwaysOnce((observation) => {
      const { desired, paused } = observation.cluster;
      if (desired === 'absent' || paused) return;
      if (observation.instances.every(({ state }) => state === 'unknown')) return;
      const lost = observation.slots.some(({ slot }) => {
        const own = observation.instances.filter((instance) => instance.slot === slot);
        return own.every(({ state }) => ['terminated', 'shutting-down', 'stopped'].includes(state));
      });
      if (lost) expect(triage(glance(observation), NOTHING, 'none').decision).toBe('start');
    });
  });

  it('starts nothing for a whole cluster', () => {
    alwaysOnce((observation) => {
      const verdict = assess(observation, POLICY);
      if (verdict.action !== 'none' || verdict.concern !== null) return;
      if (observation.instances.length > observation.slots.length) return;
      expect(triage(glance(observation), NOTHING, 'none').decision).toBe('none');
    });
  });

  it('does not start the same again within ten minutes of a refusal, and does afterwards', () => {
    alwaysOnce((observation) => {
      const first = triage(glance(observation), NOTHING, 'none');
      if (first.decision !== 'start') return;
      const { at } = observation;
      const refused: Healing = {
        attempt: { signature: first.signature, at, noticedAt: at },
        refusal: { incident: 'majority-at-risk', at: at + 5000 },
        announced: null,
      };
      const later = (ms: number) => triage({ ...glance(observation), at: at + ms }, refused, 'none');
      const soon = later(60_000);
      if (soon.decision === 'start') expect(soon.signature).not.toBe(first.signature);
      expect(later(700_000).decision).toBe('start');
    });
  });
});
