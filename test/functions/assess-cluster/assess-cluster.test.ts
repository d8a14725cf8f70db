import { assessCluster } from '../../../functions/assess-cluster/assess-cluster';
import { Output } from '../../../functions/assess-cluster/contract';
import type { Observation, Suspicion } from '../../../functions/cluster/observation';
import { id, MANIFESTS, VERSION, World } from '../cluster/world';
import { heldByUs, OURS } from '../support/executions';
import { silent } from '../support/log';

function start(observation: Observation, applied: string | null = null) {
  const noted: { applied: string[]; suspicions: [number, Suspicion | null][] } = { applied: [], suspicions: [] };
  const deps = {
    k3sVersion: VERSION,
    leases: heldByUs(),
    records: {
      setAppliedManifests: async (sha256: string) => {
        noted.applied.push(sha256);
      },
    },
    slots: {
      setSuspicion: async (slot: number, suspicion: Suspicion | null) => {
        noted.suspicions.push([slot, suspicion]);
      },
    },
    observe: async () => observation,
  };
  const assess = () => assessCluster({ execution: OURS, manifests: MANIFESTS, applied }, deps, silent);
  return { assess, noted };
}

describe('assessing the cluster', () => {
  it('finds a healthy one converged, with its servers, and notes nothing', async () => {
    const { assess, noted } = start(World.healthy().observation);
    const output = await assess();
    expect(Output.parse(output)).toMatchObject({ verdict: 'converged', plan: { launch: [], retire: [] } });
    expect(output.servers).toHaveLength(3);
    expect(output.servers[0]).toMatchObject({ slot: 0, ready: true, etcdVoter: true, healthyTargets: 3 });
    expect(noted).toEqual({ applied: [], suspicions: [] });
  });

  it('plans to launch every server when nothing exists', async () => {
    const { assess } = start(World.empty().observation);
    expect(Output.parse(await assess())).toMatchObject({
      verdict: 'converge',
      plan: { launch: [{ slot: 0 }, { slot: 1 }, { slot: 2 }], init: true, peer: null },
    });
  });

  it('remembers since when something speaks against a server', async () => {
    const world = World.healthy().hang(1);
    const slot = world.observation.slots[1]!;
    slot.suspicion = null;
    const { assess, noted } = start(world.observation);
    expect(await assess()).toMatchObject({ verdict: 'watch' });
    expect(noted.suspicions).toEqual([
      [1, expect.objectContaining({ instanceId: id(1), since: world.observation.at })],
    ]);
  });

  it('does not write down what is written down already', async () => {
    const { assess, noted } = start(World.healthy().hang(1).observation);
    await assess();
    expect(noted.suspicions).toEqual([]);
  });

  it('forgets it when the server is well again', async () => {
    const world = World.healthy();
    world.observation.slots[1]!.suspicion = { instanceId: id(1), since: 1, signals: ['Node not Ready'] };
    const { assess, noted } = start(world.observation);
    await assess();
    expect(noted.suspicions).toEqual([[1, null]]);
  });

  it('notes which manifests this execution has applied', async () => {
    const { assess, noted } = start(World.healthy().observation, MANIFESTS);
    await assess();
    expect(noted.applied).toEqual([MANIFESTS]);
  });
});
