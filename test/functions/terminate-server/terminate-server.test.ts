import { LeaseLost } from '../../../functions/cluster/errors';
import type { Observation } from '../../../functions/cluster/observation';
import { type Deps, terminateServer } from '../../../functions/terminate-server/terminate-server';
import { DWELL_MS, id, World } from '../cluster/world';
import { heldByUs, OURS } from '../support/executions';
import { silent } from '../support/log';
import { machine } from '../support/machine';

function start(observation: Observation) {
  const terminated: string[] = [];
  const deps: Deps = {
    leases: heldByUs(),
    records: { read: async () => observation.cluster },
    slots: {
      readAll: async () => observation.slots.map((slot) => ({ ...slot, launching: null, launchedBy: null })),
    },
    instances: {
      find: async (instanceId) => machine(instanceId, { tags: null }),
      terminate: async (instanceId) => {
        terminated.push(instanceId);
      },
    },
    observe: async () => observation,
  };
  const terminate = (slot: number, purpose: 'retire' | 'delete', instanceId = id(slot)) =>
    terminateServer({ execution: OURS, slot, instanceId, purpose, reason: 'test' }, deps, silent);
  return { deps, terminated, terminate };
}

const hung = () => World.healthy().hang(1, { forMs: DWELL_MS + 1000 });

describe('retiring a server', () => {
  it('terminates one that is sick while the others prove healthy', async () => {
    const { terminate, terminated } = start(hung().observation);
    expect(await terminate(1, 'retire')).toEqual({ instanceId: id(1) });
    expect(terminated).toEqual([id(1)]);
  });

  it('leaves one alone that is healthy again', async () => {
    const { terminate, terminated } = start(World.healthy().observation);
    await expect(terminate(1, 'retire')).rejects.toMatchObject({ name: 'RetirementRefused' });
    expect(terminated).toEqual([]);
  });

  it('leaves one alone when another has fallen sick meanwhile', async () => {
    const { terminate, terminated } = start(hung().hang(2, { forMs: 5000 }).observation);
    await expect(terminate(1, 'retire')).rejects.toMatchObject({ name: 'RetirementRefused' });
    expect(terminated).toEqual([]);
  });

  it('has nothing to do for one that is gone', async () => {
    const { terminate, terminated } = start(World.healthy().terminate(1).observation);
    expect(await terminate(1, 'retire')).toEqual({ instanceId: id(1) });
    expect(terminated).toEqual([]);
  });

  it('is refused for one that is gone while its removal would leave no majority', async () => {
    const { terminate } = start(World.healthy().terminate(1).hang(2).observation);
    await expect(terminate(1, 'retire')).rejects.toMatchObject({ name: 'RetirementRefused' });
  });

  it('stops when the lease is lost while it looks', async () => {
    const { terminate, terminated, deps } = start(hung().observation);
    let asked = 0;
    const { require } = deps.leases;
    deps.leases.require = (execution) =>
      ++asked === 1 ? require(execution) : Promise.reject(new LeaseLost('taken over'));
    await expect(terminate(1, 'retire')).rejects.toMatchObject({ name: 'LeaseLost' });
    expect(terminated).toEqual([]);
  });
});

describe('deleting a server', () => {
  const absent = () => {
    const { observation } = World.healthy();
    observation.cluster.desired = 'absent';
    return observation;
  };

  it('needs no majority, only a cluster that is to be absent', async () => {
    const { terminate, terminated } = start(absent());
    for (const slot of [0, 1, 2]) await terminate(slot, 'delete');
    expect(terminated).toEqual([id(0), id(1), id(2)]);
  });

  it('is refused while the cluster is wanted', async () => {
    const { terminate, terminated } = start(World.healthy().observation);
    await expect(terminate(0, 'delete')).rejects.toMatchObject({ name: 'RetirementRefused' });
    expect(terminated).toEqual([]);
  });

  it('touches nothing that is not of this cluster', async () => {
    const { terminate, terminated } = start(absent());
    await expect(terminate(0, 'delete', 'i-0123456789abcdef0')).rejects.toMatchObject({ name: 'RetirementRefused' });
    expect(terminated).toEqual([]);
  });

  it('has nothing to do for one that is gone', async () => {
    const { terminate, terminated, deps } = start(absent());
    deps.instances.find = async (instanceId) => machine(instanceId, { state: 'terminated' });
    expect(await terminate(0, 'delete')).toEqual({ instanceId: id(0) });
    expect(terminated).toEqual([]);
  });
});
