import type * as z from 'zod/mini';
import { Unavailable } from '../../../functions/aws/errors';
import { Healer } from '../../../functions/aws/healer';
import type { ClusterEvent } from '../../../functions/events';
import { DETAILS } from '../../../functions/events';
import type { Input } from '../../../functions/publish-event/contract';
import { publishEvent } from '../../../functions/publish-event/publish-event';
import { OURS } from '../support/executions';
import { silent } from '../support/log';
import { emulatedTable } from '../support/table';

type Outcome = z.infer<typeof Input>['outcome'];
const OLD = 'i-10000001';
const NEW = 'i-10000002';

const servers = [OLD.replace('1', '0'), NEW, 'i-20000001'].map((instanceId, slot) => ({
  slot,
  instanceId,
  availabilityZone: null,
  privateIp: null,
  ready: true,
  etcdVoter: true,
  healthyTargets: 3,
}));
const converged = (fields: Partial<Extract<Outcome, { status: 'converged' }>> = {}): Outcome => ({
  status: 'converged',
  changed: true,
  origin: 'healer',
  cause: 'server-1 is terminated',
  reason: '3 of 3 servers are in service',
  concern: null,
  launchedAt: null,
  joinedAt: null,
  servers,
  ...fields,
});
const failed = (fields: Partial<Extract<Outcome, { status: 'failed' }>> = {}): Outcome => ({
  status: 'failed',
  changed: false,
  stage: 'AssessCluster',
  error: 'Refused',
  cause: 'server-1 i-10000001 is terminated, but 2 of 3 voters are sick',
  concern: { code: 'majority-at-risk', slot: 1, instanceId: OLD },
  ...fields,
});

/** A cluster that was created and announced, unless told otherwise. */
async function start({ announced = true } = {}) {
  const emulated = await emulatedTable();
  const { records, slots, table, run, now } = emulated;
  const healer = new Healer(table);
  await run(() => records.want('present', 'life-1'));
  if (announced) await run(() => healer.noteAnnounced('life-1'));
  await run(() => slots.beginLaunch(1, 0, 't4g.medium', OURS));
  const told: ClusterEvent[] = [];
  const bus = {
    publish: async (events: readonly ClusterEvent[]) => {
      told.push(...events);
    },
  };
  const deps = { cluster: 'demo', records, slots, healer, bus, now };
  const publish = (outcome: Outcome) => run(() => publishEvent({ execution: OURS, outcome }, deps, silent));
  const replace = (startedAgoMs: number) =>
    run(() =>
      slots.setReplacing(1, {
        instanceId: OLD,
        since: now() - startedAgoMs - 10_000,
        startedAt: now() - startedAgoMs,
        reason: 'is terminated',
        decision: 'replace server-1: a majority remains',
      }),
    );
  return { ...emulated, healer, told, bus, publish, replace };
}

it('every event that is published is what the schema says', async () => {
  const { publish, told, replace } = await start();
  await replace(60_000);
  await publish(converged({ concern: { code: 'agent-lost', slot: 2, instanceId: 'i-20000001' } }));
  await publish(failed());
  await publish(failed({ error: 'TypeError' }));
  expect(told).toHaveLength(4);
  for (const { detailType, detail } of told) expect(DETAILS[detailType].safeParse(detail).error).toBeUndefined();
});

describe('an execution that left a whole cluster', () => {
  it('tells nothing when there was nothing to do', async () => {
    const { publish } = await start();
    expect(await publish(converged({ changed: false }))).toEqual({ published: [] });
    expect(await publish(converged({ changed: true, origin: 'person' }))).toEqual({ published: [] });
  });

  it('tells of the creation, once in the life of a cluster', async () => {
    const { publish, told } = await start({ announced: false });
    await publish(converged({ origin: 'person', cause: 'started by a person' }));
    await publish(converged({ origin: 'person' }));
    expect(told).toMatchObject([
      {
        detailType: 'Cluster Ready',
        detail: { incident: 'ready/life-1', servers: 3, decision: 'created the cluster: started by a person' },
      },
    ]);
  });

  it('tells of a replacement from whom to whom, why and how long it took, once', async () => {
    const { publish, told, replace, now } = await start();
    await replace(80_000);
    const began = now() - 80_000;
    await publish(converged({ launchedAt: began + 20_000, joinedAt: began + 60_000 }));
    await publish(converged());
    expect(told[0]).toMatchObject({
      detailType: 'Node Replaced',
      detail: {
        incident: `replaced/${OLD}`,
        slot: 1,
        instanceId: OLD,
        newInstanceId: NEW,
        reason: `server-1 ${OLD} is terminated`,
        decision: 'replace server-1: a majority remains',
        todo: 'nothing',
        seconds: { detect: 10, launch: 20, join: 40, inService: 20, total: 90 },
      },
    });
    expect(told.filter(({ detailType }) => detailType === 'Node Replaced')).toHaveLength(1);
  });

  it('knows no stage that takes less than no time', async () => {
    const { publish, told, replace, now } = await start();
    await replace(10_000);
    await publish(converged({ launchedAt: now() - 3_600_000, joinedAt: null }));
    expect(told).toMatchObject([{ detail: { seconds: { detect: 10, launch: 0, join: 0, inService: 10, total: 20 } } }]);
  });

  it('tells that a server recovered before it was replaced', async () => {
    const { publish, told, replace, run, slots } = await start();
    await replace(10_000);
    await publish(
      converged({ servers: servers.map((server) => (server.slot === 1 ? { ...server, instanceId: OLD } : server)) }),
    );
    expect(told).toMatchObject([
      { detailType: 'Cluster Ready', detail: { decision: 'server-1 recovered by itself and was not replaced' } },
    ]);
    expect((await run(() => slots.read(1))).replacing).toBeNull();
  });

  it('tells that what was refused is over, and lets the healer forget it', async () => {
    const { publish, told, run, healer } = await start();
    await publish(failed());
    await publish(converged({ changed: false }));
    expect(told[1]).toMatchObject({
      detailType: 'Cluster Ready',
      detail: { decision: `majority-at-risk/${OLD} is over` },
    });
    expect(await run(() => healer.read())).toMatchObject({ attempt: null, refusal: null });
  });

  it('tells what the healer repaired without replacing a server', async () => {
    const { publish, told } = await start();
    await publish(converged({ cause: 'server-1 is not registered with api' }));
    expect(told).toMatchObject([
      { detail: { decision: 'repaired without replacing a server: server-1 is not registered with api' } },
    ]);
  });

  it('tells what deserves a look all the same, and keeps the healer from asking every minute', async () => {
    const { publish, told, run, healer } = await start();
    await publish(converged({ changed: false, concern: { code: 'agent-lost', slot: 2, instanceId: 'i-20000001' } }));
    expect(told).toMatchObject([
      {
        detailType: 'Cluster Degraded',
        detail: { incident: 'agent-lost/i-20000001', slot: 2, todo: expect.stringContaining('Restart the SSM agent') },
      },
    ]);
    expect(await run(() => healer.read())).toMatchObject({ refusal: { incident: 'agent-lost/i-20000001' } });
  });

  it('forgets nothing that could not be told', async () => {
    const { publish, bus, replace, run, slots } = await start();
    await replace(10_000);
    bus.publish = () => Promise.reject(new Unavailable('EventBridge is down'));
    await expect(publish(converged())).rejects.toMatchObject({ name: 'Unavailable' });
    expect((await run(() => slots.read(1))).replacing).toMatchObject({ instanceId: OLD });
  });
});

describe('an execution that did not', () => {
  it('tells that a replacement is deferred, why, and what to do', async () => {
    const { publish, told } = await start();
    await publish(failed());
    expect(told).toMatchObject([
      {
        detailType: 'Replacement Deferred',
        detail: {
          incident: `majority-at-risk/${OLD}`,
          slot: 1,
          instanceId: OLD,
          reason: 'server-1 i-10000001 is terminated, but 2 of 3 voters are sick',
          todo: expect.stringContaining('Bring the sick servers back'),
          execution: OURS.id,
        },
      },
    ]);
  });

  it('tells of a degraded cluster when no replacement is in question', async () => {
    const { publish, told } = await start();
    await publish(failed({ concern: { code: 'all-servers-lost', slot: null, instanceId: null } }));
    await publish(failed({ error: 'NotConverged', concern: { code: 'not-in-service', slot: 1, instanceId: OLD } }));
    expect(told.map(({ detailType, detail }) => [detailType, detail.incident])).toEqual([
      ['Cluster Degraded', 'all-servers-lost'],
      ['Cluster Degraded', `not-in-service/${OLD}`],
    ]);
  });

  it('tells of the failed stage when it broke', async () => {
    const { publish, told } = await start();
    await publish(
      failed({ stage: 'LaunchServers', error: 'CapacityUnavailable', cause: 'no capacity', concern: null }),
    );
    expect(told).toMatchObject([
      {
        detailType: 'Converge Failed',
        detail: { incident: 'failed/LaunchServers/CapacityUnavailable', reason: 'no capacity' },
      },
    ]);
  });

  it('tells of a replacement that must wait when something else broke', async () => {
    const { publish, told, run, healer } = await start();
    const concern = { code: 'replacement-limit', slot: 1, instanceId: OLD } as const;
    await publish(failed({ stage: 'ApplyManifests', error: 'ScriptFailed', cause: 'exited 1', concern }));
    expect(told).toMatchObject([
      { detailType: 'Converge Failed', detail: { incident: 'failed/ApplyManifests/ScriptFailed', reason: 'exited 1' } },
      {
        detailType: 'Replacement Deferred',
        detail: {
          incident: `replacement-limit/${OLD}`,
          slot: 1,
          instanceId: OLD,
          decision: 'the replacement is deferred',
        },
      },
    ]);
    expect(await run(() => healer.read())).toMatchObject({
      refusal: { incident: 'failed/ApplyManifests/ScriptFailed' },
    });
  });

  it('is remembered for the healer even if nobody can be told', async () => {
    const { publish, bus, run, healer } = await start();
    bus.publish = () => Promise.reject(new Unavailable('EventBridge is down'));
    await expect(publish(failed())).rejects.toMatchObject({ name: 'Unavailable' });
    expect(await run(() => healer.read())).toMatchObject({ refusal: { incident: `majority-at-risk/${OLD}` } });
  });

  it('says whether healing is paused', async () => {
    const { publish, told, run, table } = await start();
    await run(() => table.change('cluster', { set: [['paused', true]], when: [] }));
    await publish(failed());
    expect(told[0]?.detail.paused).toBe(true);
  });
});
