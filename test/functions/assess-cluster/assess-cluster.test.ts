import { assessCluster } from '../../../functions/assess-cluster/assess-cluster';
import { Output } from '../../../functions/assess-cluster/contract';
import { Unavailable } from '../../../functions/aws/errors';
import type { Observation, Replacement, Suspicion } from '../../../functions/cluster/observation';
import type { ClusterEvent } from '../../../functions/events';
import { DWELL_MS, id, JOIN_MS, MANIFESTS, NOW, VERSION, World } from '../cluster/world';
import { heldByUs, OURS } from '../support/executions';
import { keptLog } from '../support/log';

function start(observation: Observation, applied: string | null = null) {
  const noted: { applied: string[]; suspicions: [number, Suspicion | null][] } = { applied: [], suspicions: [] };
  const told: ClusterEvent[] = [];
  const replacing: [number, Replacement][] = [];
  const { log, lines } = keptLog();
  const deps = {
    cluster: 'demo',
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
      setReplacing: async (slot: number, replacement: Replacement) => {
        replacing.push([slot, replacement]);
      },
    },
    healer: {
      read: async () => ({
        attempt: { signature: 'x', at: NOW - 1000, noticedAt: NOW - 2000 },
        refusal: null,
        announced: null,
      }),
    },
    bus: {
      publish: async (events: readonly ClusterEvent[]) => {
        told.push(...events);
      },
    },
    observe: async () => observation,
    now: () => NOW,
  };
  const assess = () => assessCluster({ execution: OURS, manifests: MANIFESTS, applied }, deps, log);
  return { assess, noted, told, replacing, deps, lines };
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

  it('counts the wait from the moment of the look, which may have taken a while', async () => {
    const { assess, deps } = start(World.healthy().hang(1, { forMs: 30_000 }).observation);
    expect(await assess()).toMatchObject({ recheckAfterSeconds: 60 });
    deps.now = () => NOW + 18_000;
    expect(await assess()).toMatchObject({ recheckAfterSeconds: 42 });
    deps.now = () => NOW + 600_000;
    expect(await assess()).toMatchObject({ recheckAfterSeconds: 5 });
  });

  it('forgets it when the server is well again', async () => {
    const world = World.healthy();
    world.observation.slots[1]!.suspicion = { instanceId: id(1), since: 1, lastSeen: 1, signals: ['Node not Ready'] };
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

describe('what begins', () => {
  it('is told when something starts to speak against a server, once', async () => {
    const world = World.healthy().hang(1);
    world.observation.slots[1]!.suspicion = null;
    const { assess, told } = start(world.observation);
    await assess();
    expect(told).toEqual([
      {
        detailType: 'Node Suspected',
        detail: expect.objectContaining({
          cluster: 'demo',
          incident: `suspected/${id(1)}/${NOW}`,
          slot: 1,
          instanceId: id(1),
          since: NOW,
          signals: ['API target unhealthy', 'Node not Ready'],
          execution: OURS.id,
          paused: false,
        }),
      },
    ]);
    const again = start(World.healthy().hang(1).observation);
    await again.assess();
    expect(again.told).toEqual([]);
  });

  it('is a replacement, noted with the moment at which its server was first seen sick', async () => {
    const { assess, told, replacing } = start(World.healthy().hang(1, { forMs: DWELL_MS }).observation);
    await assess();
    expect(replacing).toEqual([
      [1, expect.objectContaining({ instanceId: id(1), since: NOW - DWELL_MS, startedAt: NOW })],
    ]);
    expect(told).toMatchObject([{ detailType: 'Replacement Started', detail: { incident: `replacing/${id(1)}` } }]);
  });

  it('counts a termination from the event that told of it', async () => {
    const { assess, replacing } = start(World.healthy().terminate(1).observation);
    await assess();
    expect(replacing).toMatchObject([[1, { since: NOW - 2000, startedAt: NOW, reason: 'is terminated' }]]);
  });

  it('goes on with the first server when its successor fails as well', async () => {
    const world = World.healthy().terminate(1).boot(1, 2).terminate(1, 2);
    const first: Replacement = { instanceId: id(1), since: 1, startedAt: 2, reason: 'x', decision: 'y' };
    world.observation.slots[1]!.replacing = first;
    const { assess, replacing, told } = start(world.observation);
    await assess();
    expect({ replacing, told }).toEqual({ replacing: [], told: [] });
  });

  it('is none when a spare is given up and the server that it was for stays', async () => {
    const world = World.healthy().hang(1).boot(1, 2);
    world.instance(1, 2).report = { ...world.instance(1, 2).report!, k3s: 'failed' };
    world.instance(1, 2).launchedAt = NOW - JOIN_MS;
    const { assess, replacing, told } = start(world.observation);
    expect((await assess()).plan.retire).toMatchObject([{ instanceId: id(1, 2), kind: 'failed' }]);
    expect(replacing).toEqual([]);
    expect(told.map(({ detailType }) => detailType)).not.toContain('Replacement Started');
  });

  it('is no reason to fail when nobody can be told', async () => {
    const { assess, deps, lines } = start(World.healthy().terminate(1).observation);
    deps.bus.publish = () => Promise.reject(new Unavailable('EventBridge is down'));
    expect(await assess()).toMatchObject({ verdict: 'converge' });
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', message: 'publishing events failed' }));
  });
});
