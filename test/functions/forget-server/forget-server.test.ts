import type { RetirementKind } from '../../../functions/cluster/judgement';
import { forgetServer } from '../../../functions/forget-server/forget-server';
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
  const forget = (instanceId: string, kind: RetirementKind | 'deleted' = 'gone') =>
    run(() => forgetServer({ execution: OURS, slot: 1, instanceId, kind }, { leases, records, slots, now }, silent));
  const replacements = async () => (await run(() => records.read()))?.replacements;
  return { ...emulated, forget, replacements };
}

describe('forgetting a server', () => {
  it('takes it out of the inventory and counts a replacement, once', async () => {
    const { forget, run, slots, replacements } = await start();
    await forget('i-00000001');
    await forget('i-00000001');
    expect((await run(() => slots.read(1))).instances.map(({ instanceId }) => instanceId)).toEqual(['i-00000002']);
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
    const { forget, run, slots, world } = await start();
    const failures = async () => (await run(() => slots.read(1))).failures.length;
    await forget('i-00000001');
    expect(await failures()).toBe(0);
    await forget('i-00000002', 'failed');
    expect(await failures()).toBe(1);
    await run(() => slots.beginLaunch(1, 2, 't4g.medium', OURS));
    await run(() => slots.completeLaunch(1, { instanceId: 'i-00000003', generation: 3, launchedAt: 1 }));
    await world.clock.advance(3_600_001);
    await forget('i-00000003', 'failed');
    expect(await failures()).toBe(1);
  });

  it('remembers replacements for an hour', async () => {
    const { forget, replacements, world, now } = await start();
    await forget('i-00000001');
    await world.clock.advance(3_600_001);
    await forget('i-00000002');
    const counted = (await replacements()) ?? [];
    expect(counted).toHaveLength(1);
    expect(now() - counted[0]!).toBeLessThan(60_000);
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
