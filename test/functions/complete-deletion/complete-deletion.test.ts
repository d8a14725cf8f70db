import type { Machine } from '../../../functions/aws/instances';
import type { TargetHealth } from '../../../functions/cluster/observation';
import { completeDeletion } from '../../../functions/complete-deletion/complete-deletion';
import { OURS } from '../support/executions';
import { silent } from '../support/log';
import { machine } from '../support/machine';
import { emulatedTable } from '../support/table';

async function start() {
  const emulated = await emulatedTable();
  const { leases, records, slots, run, now } = emulated;
  await run(() => leases.acquire(OURS, 'delete', now()));
  await run(() => records.want('present', 'life-1'));
  await run(() => records.want('absent', 'x'));
  const tagged: Machine[] = [];
  const known: Machine[] = [];
  const health = new Map<string, TargetHealth>();
  const deps = {
    leases,
    records,
    slots,
    instances: {
      byTag: async () => tagged,
      byId: async (ids: string[]) => known.filter(({ instanceId }) => ids.includes(instanceId)),
    },
    targets: { health: async () => health },
    uuid: () => 'life-2',
  };
  const complete = () => run(() => completeDeletion({ execution: OURS }, deps, silent));
  return { ...emulated, tagged, known, health, complete };
}

describe('completing a deletion', () => {
  it('clears the record under a new incarnation, so that a creation works at once', async () => {
    const { complete, run, records, tagged, known, health } = await start();
    tagged.push(machine('i-00000001', { state: 'terminated' }));
    known.push(machine('i-00000003', { state: 'terminated' }));
    health.set('i-00000001', 'draining').set('i-00000002', 'unused').set('i-00000003', 'unused');
    expect(await complete()).toEqual({ deleted: true });
    expect(await run(() => records.read())).toMatchObject({
      desired: 'absent',
      incarnation: 'life-2',
      phase: { name: 'uninitialised' },
    });
    expect(await complete()).toEqual({ deleted: true });
  });

  it('keeps the generations of slots, because client tokens outlive instances', async () => {
    const { complete, run, slots } = await start();
    await run(() => slots.beginLaunch(1, 0, 't4g.medium', OURS));
    await run(() => slots.completeLaunch(1, { instanceId: 'i-00000001', generation: 1, launchedAt: 1 }));
    await run(() => slots.forget(1, 'i-00000001', null, []));
    await complete();
    expect(await run(() => slots.read(1))).toMatchObject({ generation: 1 });
  });

  it('names every leftover and keeps the record', async () => {
    const { complete, run, slots, records, tagged, health } = await start();
    await run(() => slots.beginLaunch(1, 0, 't4g.medium', OURS));
    await run(() => slots.completeLaunch(1, { instanceId: 'i-00000001', generation: 1, launchedAt: 1 }));
    tagged.push(machine('i-00000002', { state: 'stopped' }));
    health.set('i-00000003', 'unhealthy');
    await expect(complete()).rejects.toMatchObject({
      name: 'LeftoversFound',
      message: [
        'i-00000001 in the inventory of server-1',
        'i-00000002, stopped, by its tags',
        'i-00000003, unhealthy, in target group http',
        'i-00000003, unhealthy, in target group https',
        'i-00000003, unhealthy, in target group api',
      ].join('; '),
    });
    expect(await run(() => records.read())).toMatchObject({ incarnation: 'life-1' });
  });

  it('takes an unused target whose instance still exists for a leftover', async () => {
    const { complete, known, health } = await start();
    known.push(machine('i-00000003', { state: 'stopped', tags: null }));
    health.set('i-00000003', 'unused');
    await expect(complete()).rejects.toMatchObject({
      name: 'LeftoversFound',
      message: expect.stringContaining('i-00000003, unused, in target group http'),
    });
  });

  it('does not clear a cluster that is wanted', async () => {
    const { complete, run, records } = await start();
    await run(() => records.want('present', 'x'));
    await expect(complete()).rejects.toMatchObject({ name: 'LeftoversFound' });
    expect(await run(() => records.read())).toMatchObject({ incarnation: 'life-1' });
  });

  it('needs the lease', async () => {
    const { complete, run, leases } = await start();
    await run(() => leases.release(OURS));
    await expect(complete()).rejects.toMatchObject({ name: 'LeaseLost' });
  });
});
