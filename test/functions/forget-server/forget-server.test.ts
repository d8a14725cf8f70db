import { ClusterRecords } from '../../../functions/aws/cluster-record';
import { Leases } from '../../../functions/aws/lease';
import { Slots } from '../../../functions/aws/slots';
import type { Store } from '../../../functions/aws/table';
import { recentFailures, recentReplacements } from '../../../functions/cluster/departures';
import type { RetirementKind } from '../../../functions/cluster/judgement';
import { type Deps, forgetServer } from '../../../functions/forget-server/forget-server';
import { OURS } from '../support/executions';
import { silent } from '../support/log';
import { emulatedTable } from '../support/table';

async function start() {
  const emulated = await emulatedTable();
  const { leases, records, slots, run, now } = emulated;
  await run(() => leases.acquire(OURS, 'cluster', now()));
  await run(() => records.want('present', 'life-1'));
  await run(() => records.beginInit('i-00000000', 'v1'));
  await run(() => records.completeInit('i-00000000', 'c'.repeat(64), 'v1'));
  for (const [former, instanceId] of ['i-00000001', 'i-00000002'].entries()) {
    await run(() => slots.beginLaunch(1, former, 't4g.medium', OURS));
    await run(() => slots.completeLaunch(1, { instanceId, generation: former + 1, launchedAt: 1 }));
  }
  const invoke = (instanceId: string, kind: RetirementKind | 'deleted', deps: Deps = { leases, records, slots, now }) =>
    forgetServer({ execution: OURS, slot: 1, instanceId, kind }, deps, silent);
  const forget = (instanceId: string, kind: RetirementKind | 'deleted' = 'gone') => run(() => invoke(instanceId, kind));
  const inventory = async () => (await run(() => slots.read(1))).instances.map(({ instanceId }) => instanceId);
  const failures = async () => recentFailures((await run(() => slots.read(1))).departures, now());
  const replacements = async () => {
    const [cluster, slot] = [await run(() => records.read()), await run(() => slots.read(1))];
    return recentReplacements({ at: now(), cluster: cluster!, slots: [slot], instances: [], view: null, blind: [] });
  };
  return { ...emulated, invoke, forget, inventory, failures, replacements };
}

/** The table of a function that is killed when it makes its `last` call, before or after DynamoDB hears of it. */
function mortal(table: Store, last: number, heard: boolean): Store {
  let calls = 0;
  const live = async <T>(call: () => Promise<T>): Promise<T> => {
    if (++calls < last) return call();
    if (heard && calls === last) await call();
    throw new Error('killed');
  };
  return {
    read: (id, schema) => live(() => table.read(id, schema)),
    change: (id, change) => live(() => table.change(id, change)),
  };
}

describe('forgetting a server', () => {
  it('takes it out of the inventory and counts a replacement, once', async () => {
    const { forget, inventory, replacements } = await start();
    await forget('i-00000001');
    await forget('i-00000001');
    expect(await inventory()).toEqual(['i-00000002']);
    expect(await replacements()).toHaveLength(1);
  });

  it('counts no replacement for a surplus launch', async () => {
    const { forget, replacements } = await start();
    await forget('i-00000002', 'surplus');
    expect(await replacements()).toEqual([]);
  });

  it.each(['gone', 'sick', 'failed'] as const)(
    'counts a replacement for one that is %s, whoever came first',
    async (kind) => {
      const { forget, replacements } = await start();
      await forget('i-00000002', kind);
      expect(await replacements()).toHaveLength(1);
    },
  );

  it('remembers for an hour that a machine failed to join, so that the next launches back off', async () => {
    const { forget, failures, world } = await start();
    await forget('i-00000001');
    expect(await failures()).toHaveLength(0);
    await forget('i-00000002', 'failed');
    expect(await failures()).toHaveLength(1);
    await world.clock.advance(3_600_001);
    expect(await failures()).toHaveLength(0);
  });

  it('remembers no departure for much longer than an hour', async () => {
    const { forget, run, slots, world, now } = await start();
    await forget('i-00000001');
    await world.clock.advance(3_600_001);
    await forget('i-00000002');
    const { departures } = await run(() => slots.read(1));
    expect(departures).toMatchObject([{ instanceId: 'i-00000002' }]);
    expect(now() - departures[0]!.at).toBeLessThan(60_000);
  });

  it('counts it once when the answer to the write that forgets is lost', async () => {
    const { forget, inventory, failures, replacements, loseReply } = await start();
    loseReply('UpdateItem');
    await expect(forget('i-00000001', 'failed')).rejects.toThrow();
    await forget('i-00000001', 'failed');
    expect(await inventory()).toEqual(['i-00000002']);
    expect(await replacements()).toHaveLength(1);
    expect(await failures()).toHaveLength(1);
  });

  it.each([1, 2, 3, 4].flatMap((last) => [false, true].map((heard) => [last, heard ? 'after' : 'before'] as const)))(
    'has forgotten and counted it, or neither, when it is killed at its call %d, %s DynamoDB hears of it',
    async (last, when) => {
      const { invoke, forget, inventory, failures, replacements, table, now, run } = await start();
      const dying = mortal(table, last, when === 'after');
      const deps = { leases: new Leases(dying), records: new ClusterRecords(dying), slots: new Slots(dying), now };
      await expect(run(() => invoke('i-00000001', 'failed', deps))).rejects.toThrow('killed');
      const counted = 2 - (await inventory()).length;
      expect(await replacements()).toHaveLength(counted);
      expect(await failures()).toHaveLength(counted);
      await forget('i-00000001', 'failed');
      expect(await inventory()).toEqual(['i-00000002']);
      expect(await replacements()).toHaveLength(1);
      expect(await failures()).toHaveLength(1);
    },
  );

  it.each([
    ['counts it once', 'i-00000001', ['i-00000001']],
    ['loses no other departure', 'i-00000002', ['i-00000001', 'i-00000002']],
  ])('%s when an earlier invocation writes late', async (_, meanwhile, remembered) => {
    const { invoke, run, slots, leases, records, now } = await start();
    const late: Deps['slots'] = {
      read: (slot) => slots.read(slot),
      forget: async (...change) => {
        await invoke(meanwhile, 'gone');
        return slots.forget(...change);
      },
    };
    await run(() => invoke('i-00000001', 'gone', { leases, records, slots: late, now }));
    const { departures, instances } = await run(() => slots.read(1));
    expect(departures.map(({ instanceId }) => instanceId).sort()).toEqual(remembered);
    expect(instances).toHaveLength(2 - remembered.length);
  });

  it('is no replacement when the cluster is being deleted', async () => {
    const { forget, run, records, replacements } = await start();
    await run(() => records.want('absent', 'x'));
    await forget('i-00000001', 'deleted');
    expect(await replacements()).toEqual([]);
  });

  it('needs the lease', async () => {
    const { forget, run, leases } = await start();
    await run(() => leases.release(OURS));
    await expect(forget('i-00000001')).rejects.toMatchObject({ name: 'LeaseLost' });
  });
});
