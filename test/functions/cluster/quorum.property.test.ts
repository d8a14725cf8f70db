import { mayRemove } from '../../../functions/cluster/quorum';
import { answersForItself, instanceOf, learnersOf, majorityOf, nodeOf, sickVoters, votersOf } from './oracle';
import { DWELL_MS, JOIN_MS } from './world';
import { alwaysOnce } from './worlds';

const permitted = (observation: Parameters<typeof mayRemove>[0]) =>
  [...observation.instances.map(({ instanceId }) => instanceId), ...votersOf(observation)].filter(
    (instanceId) => mayRemove(observation, instanceId).allowed,
  );

describe('a permission to remove a server, whatever has happened,', () => {
  it('leaves a majority of voters that are proven healthy', () => {
    alwaysOnce((observation) => {
      for (const instanceId of permitted(observation)) {
        const left = votersOf(observation).filter((voter) => voter !== instanceId);
        const proven = left.filter((voter) => answersForItself(observation, voter));
        expect(proven.length).toBeGreaterThanOrEqual(majorityOf(left.length));
      }
    });
  });

  it('is given to nobody while more voters are sick than the quorum tolerates, or two in one zone', () => {
    alwaysOnce((observation) => {
      const sick = sickVoters(observation);
      const zones = sick
        .map((instanceId) => instanceOf(observation, instanceId)?.availabilityZone)
        .filter((zone) => zone !== null);
      const total = votersOf(observation).length;
      const mass = sick.length > total - majorityOf(total) || new Set(zones).size < zones.length;
      if (mass) expect(permitted(observation)).toEqual([]);
    });
  });

  it('is given to nobody while another living server is a learner or being deleted', () => {
    alwaysOnce((observation) => {
      const living = observation.instances.filter(({ state }) => state !== 'terminated' && state !== 'shutting-down');
      const busy = living.filter(
        ({ instanceId }) => learnersOf(observation).includes(instanceId) || nodeOf(observation, instanceId)?.deleting,
      );
      for (const instanceId of permitted(observation)) {
        expect(busy.filter((server) => server.instanceId !== instanceId)).toEqual([]);
      }
    });
  });

  it('is given to nobody when no server could say who votes', () => {
    alwaysOnce((observation) => {
      if (observation.view === null) expect(permitted(observation)).toEqual([]);
    });
  });

  it('is never given for what EC2 does not tell the state of', () => {
    alwaysOnce((observation) => {
      for (const instanceId of permitted(observation)) {
        expect(instanceOf(observation, instanceId)?.state ?? 'no instance').not.toBe('unknown');
      }
    });
  });

  it('is given for a voter that proves its health only when its slot has another that does', () => {
    alwaysOnce((observation) => {
      for (const instanceId of permitted(observation)) {
        const instance = instanceOf(observation, instanceId);
        if (!instance || !answersForItself(observation, instanceId) || !votersOf(observation).includes(instanceId)) {
          continue;
        }
        const suspicion = observation.slots[instance.slot]?.suspicion;
        const suspected = suspicion?.instanceId === instanceId && observation.at - suspicion.since >= DWELL_MS;
        const rivals = observation.instances.filter(
          (other) =>
            other.slot === instance.slot && other !== instance && answersForItself(observation, other.instanceId),
        );
        expect(suspected || rivals.length > 0).toBe(true);
      }
    });
  });

  it('is given for a machine that has not joined only when it had its time, or says that it never will', () => {
    alwaysOnce((observation) => {
      for (const instanceId of permitted(observation)) {
        const instance = instanceOf(observation, instanceId);
        const isMember = [...votersOf(observation), ...learnersOf(observation)].includes(instanceId);
        if (instance?.state !== 'running' || isMember || nodeOf(observation, instanceId)) continue;
        const rivals = observation.instances.filter(
          (other) => other.slot === instance.slot && other !== instance && other.state !== 'terminated',
        );
        const late = instance.launchedAt !== null && observation.at - instance.launchedAt >= JOIN_MS;
        expect(late || instance.report?.k3s === 'failed' || rivals.length > 0).toBe(true);
      }
    });
  });
});
