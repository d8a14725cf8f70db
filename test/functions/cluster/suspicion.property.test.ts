import { isSufficient, nextSuspicion, nextSuspicions } from '../../../functions/cluster/suspicion';
import { instanceOf, signalsAgainst } from './oracle';
import { NOW } from './world';
import { always, alwaysOnce } from './worlds';

describe('suspicion, whatever has happened,', () => {
  it('is the same at a second look a moment later', () => {
    always((observation) => {
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

  it('neither arises nor grows when nothing can be seen', () => {
    always((observation) => {
      const unseen = {
        ...observation,
        view: null,
        instances: observation.instances.map((instance) => ({
          ...instance,
          state: 'unknown' as const,
          statusCheck: 'unknown' as const,
          targets: { http: 'unknown', https: 'unknown', api: 'unknown' } as const,
          report: null,
        })),
      };
      for (const { slot, suspicion: former } of observation.slots) {
        const next = nextSuspicion(unseen, slot);
        if (!next) continue;
        expect(next.since).toBe(former?.since);
        expect(next.lastSeen).toBe(former?.lastSeen);
        expect(former?.signals).toEqual(expect.arrayContaining(next.signals));
      }
    });
  });

  it('is about agreement of what was seen: one signal now, however old, is not enough', () => {
    alwaysOnce((observation) => {
      for (const { slot } of observation.slots) {
        const next = nextSuspicion(observation, slot);
        if (!next) continue;
        expect(next.since).toBeLessThanOrEqual(observation.at);
        const former = observation.slots[slot]?.suspicion;
        const grew = isSufficient(next.signals) && !(former && isSufficient(former.signals));
        if (grew) expect(next.since).toBe(observation.at);
      }
    });
  });

  it('names nobody against whom nothing speaks, now or at the look before', () => {
    alwaysOnce((observation) => {
      for (const { slot, suspicion: former } of observation.slots) {
        const next = nextSuspicion(observation, slot);
        if (!next || former?.instanceId === next.instanceId) continue;
        const state = instanceOf(observation, next.instanceId)?.state ?? '';
        const halted = state === 'stopped' || state === 'stopping';
        expect(halted || signalsAgainst(observation, next.instanceId) > 0).toBe(true);
      }
    });
  });
});
